"""Runs a benchmark fold by fold on several processes; an interrupted run is resumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.domain import EMPTY, Change, Evidence, Selector, WellScope
from lgr_core.evaluation.config import BenchmarkConfig, check_same, write_config
from lgr_core.evaluation.external_predictions import read_external_predictions
from lgr_core.evaluation.fold_task import FoldTask, Methods, compute
from lgr_core.evaluation.folds import FoldKey, notes_of, queries
from lgr_core.evaluation.query_metadata import query_metadata
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.evaluation.retrieval_score import score_run
from lgr_core.evaluation.run_store import Each, Run, assemble, has_result, write_retrieval
from lgr_core.evaluation.well_parts import parts_of, reader_of
from lgr_core.prediction.method import Method
from lgr_core.processes import SPAWN, broken_pools_as_errors, process_pool
from lgr_core.retrieval.condition_index import ConditionIndex, require_plates
from lgr_core.retrieval.query_block import EvidenceReader

RESULTS = "parts"
Progress = Callable[[str, int, int], None]


class SelectorMaker(Protocol):
    """Makes the selector of a name for an atlas; pickled to where it is used."""

    def __call__(self, name: str, store: AtlasStore) -> Selector:
        """The selector."""
        ...


@dataclass(frozen=True, slots=True)
class BenchmarkSession:
    """A plan on an atlas: makes its methods and tasks, and executes them."""

    store: AtlasStore
    plan: BenchmarkConfig
    selectors: SelectorMaker
    external: Mapping[str, Method]
    _queries: dict[FoldKey, pd.DataFrame] = field(default_factory=dict, init=False, repr=False)

    def tasks(self) -> list[FoldTask]:
        """One for each fold of each regime that has something to score."""
        return [task for regime in self.plan.regimes for task in self._tasks(regime)]

    def _tasks(self, regime: Regime) -> Iterator[FoldTask]:
        plan = self.plan
        folds = plan.folds_of(self.store, regime)
        rows = queries(
            self.store,
            folds,
            lines=plan.lines,
            drugs=plan.drugs,
            min_drugs=plan.min_drugs,
            max_queries=plan.max_queries,
            seed=plan.seed,
        )
        every = np.random.default_rng(plan.seed).permutation(np.concatenate(rows))
        curve = every[: plan.curve_queries]
        alone = [name for name in plan.methods if REGISTRY[name].slow or REGISTRY[name].apart]
        others = tuple(name for name in plan.methods if name not in alone)
        labels = ConditionIndex(self.store)
        for fold, scored in zip(folds, rows, strict=True):
            for part in parts_of(self.store, labels, fold, scored, plan.evidence, plan.seed):
                if not len(part.rows):
                    continue
                drawn = np.intersect1d(part.rows, curve)
                yield FoldTask(fold, part, drawn, (*others, *self.external))
                for name in alone:
                    yield FoldTask(fold, part, drawn, (name,), alone=name)

    def methods_for(self, setting: MethodContext, methods: Sequence[str]) -> Methods:
        """The methods of these names, of the registry or external."""
        return {
            name: [self.external[name]] if name in self.external else REGISTRY[name].make(setting)
            for name in methods
        }

    def evidence(self) -> dict[Regime, dict[str, frozenset[Evidence]]]:
        """What each method of the run declares that it reads, by regime."""
        setting, names = (
            self.setting(EvidenceReader(self.store)),
            (*self.plan.methods, *self.external),
        )
        return {
            regime: {
                name: variants[0].evidence
                for name, variants in self.methods_for(
                    replace(setting, regime=regime), names
                ).items()
            }
            for regime in self.plan.regimes
        }

    def retrieval(self) -> pd.DataFrame:
        """The retrieval score of the run's selectors in its lines, by curated annotation."""
        plan, store = self.plan, self.store
        lines = plan.lines
        if lines is not None:
            lines = tuple(store.cell_line_catalog.resolve(line) for line in lines)
        return score_run(store, plan.methods, self.selectors, k=plan.k, lines=lines, seed=plan.seed)

    def setting(self, reader: EvidenceReader, checkpoint: Path | None = None) -> MethodContext:
        """What methods are made with for a fold."""
        regime = Regime(reader.fold.regime) if reader.fold is not None else Regime.OPEN_WORLD
        return MethodContext(
            labels=reader.labels,
            selectors=lambda name: self.selectors(name, self.store),
            regime=regime,
            k=self.plan.k,
            random_seeds=self.plan.random_seeds,
            one_per_parent=self.plan.one_per_parent,
            checkpoint=checkpoint,
        )

    def execute(self, task: FoldTask, place: Path, step: Callable[[int], None]) -> None:
        """Compute and save a task's result, on one thread: the processes share the cores."""
        plan = self.plan
        reader = reader_of(self.store, task.fold, task.part, plan.change, plan.evidence)
        checkpoint = place.with_name(f".{place.name}.checkpoint")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with threadpool_limits(1):
            result = compute(
                reader,
                task,
                self.methods_for(self.setting(reader, checkpoint), task.methods),
                self._queries_of(task, reader),
                k=self.plan.k,
                step=step,
            )
        result.save(place)
        checkpoint.unlink(missing_ok=True)

    def _queries_of(self, task: FoldTask, reader: EvidenceReader) -> pd.DataFrame:
        """What the task's queries are, read once for all tasks of a fold."""
        key = FoldKey(task.fold.regime, task.fold.number, part=task.part.number)
        if key not in self._queries:
            self._queries[key] = query_metadata(reader, np.sort(task.rows))
        return self._queries[key]


def run_benchmark(
    store: AtlasStore,
    plan: BenchmarkConfig,
    folder: Path,
    *,
    selectors: SelectorMaker,
    external: Mapping[str, Path | Method] | None = None,
    external_columns: Mapping[str, str] = EMPTY,
    workers: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Score every method of the plan and write the results into ``folder``.

    The result of each fold is saved in ``folder/parts``; a run that is started again computes the
    others only, those in which a query failed for want of an answer, and those whose file is
    damaged. The numbers do not depend on ``workers`` or on what was resumed. ``external`` are, by
    name, files of predictions or methods that are not in the registry, which need one worker;
    ``external_columns`` (role -> column) says what the files' columns are, where their names do
    not.

    Raises
    ------
    InputError
        If the folder holds a run of another config, or a file of ``external`` cannot be read.
    NotFoundError
        If nothing is left to score.
    UsageError
        If the folds cannot be made.
    """
    if (plan.change, plan.evidence) != (Change.TOTAL, WellScope.ANY):
        require_plates(ConditionIndex(store), store)
    config = plan.to_dict(store)
    check_same(folder, config)
    spec = _SessionSpec(
        store.name,
        store.folder.parent,
        plan,
        selectors,
        dict(EMPTY if external is None else external),
        dict(external_columns),
    )
    session = spec.session(store)
    tasks = session.tasks()
    write_config(folder, {**config, "started_at": _now()})
    places = {task.name: folder / RESULTS / task.name for task in tasks}
    todo = [task for task in tasks if not has_result(places[task.name])]
    bar = _Progress(progress, sum(len(task.rows) for task in tasks))
    bar.step(sum(len(task.rows) for task in tasks if task not in todo))
    evidence = session.evidence()

    def finish(each: Each = map) -> Run:
        bar.statistics(0)
        splits = notes_of(task.fold for task in tasks)
        about = {**config, "splits": splits, "finished_at": _now()}
        write_retrieval(folder, session.retrieval())
        run = assemble(folder, places.values(), evidence, config=about, each=each)
        bar.statistics(1)
        return run

    if workers == 1 or len(todo) < 2:  # noqa: PLR2004 - one task is for one process
        for task in todo:
            session.execute(task, places[task.name], bar.step)
        return finish()
    with broken_pools_as_errors("benchmark"), _Workers(spec, workers) as processes:
        processes.execute(todo, places, bar)
        return finish(processes.map)


class _Progress:
    """Adds up queries for the progress bar."""

    def __init__(self, progress: Progress | None, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def step(self, n: int) -> None:
        self._done += n
        if self._progress is not None:
            self._progress("queries", self._done, self._total)

    def statistics(self, done: int) -> None:
        if self._progress is not None:
            self._progress("statistics", done, 1)


# -- processes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _SessionSpec:
    """What a process needs to make a session of its own; it can be pickled."""

    atlas: str
    atlases: Path
    plan: BenchmarkConfig
    selectors: SelectorMaker
    external: Mapping[str, Path | Method]
    external_columns: Mapping[str, str]

    def session(self, store: AtlasStore) -> BenchmarkSession:
        """A session on the atlas, opened."""
        external = {
            name: read_external_predictions(store, made, self.external_columns)
            if isinstance(made, Path)
            else made
            for name, made in self.external.items()
        }
        return BenchmarkSession(store, self.plan, cache(self.selectors), external)


_WORKER: dict[str, Any] = {}
"""A worker process's session, its tasks by name, and the counter that all share."""

_POLL_S = 0.3


class _Workers:
    """Worker processes, each with a session of its own, for the length of a ``with`` block."""

    def __init__(self, spec: _SessionSpec, workers: int) -> None:
        self._counter = SPAWN.Value("q", 0)
        self._pool = process_pool(workers, _start, (spec, self._counter))
        self.map = self._pool.map

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def execute(
        self, tasks: Sequence[FoldTask], places: Mapping[str, Path], bar: _Progress
    ) -> None:
        """All tasks, the longest first, so that no process is left with one at the end."""
        left: set[Future[None]] = {
            self._pool.submit(_execute, task.name, places[task.name])
            for task in sorted(tasks, key=length, reverse=True)
        }
        counted = 0
        while left:
            done, left = wait(left, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            bar.step(self._counter.value - counted)
            counted = self._counter.value


def length(task: FoldTask) -> tuple[bool, bool, int]:
    """How tasks compare in time: those of a slow method, of most methods, of one other; by rows."""
    slow = task.alone is not None and REGISTRY[task.alone].slow
    return slow, task.alone is None, len(task.rows)


def _start(spec: _SessionSpec, counter: Any) -> None:  # noqa: ANN401 - multiprocessing names no type
    threadpool_limits(1)  # the processes share the cores
    session = spec.session(open_atlas(spec.atlas, spec.atlases))
    tasks = {task.name: task for task in session.tasks()}
    _WORKER.update(session=session, tasks=tasks, counter=counter)


def _execute(name: str, place: Path) -> None:
    def step(n: int) -> None:
        with _WORKER["counter"].get_lock():
            _WORKER["counter"].value += n

    _WORKER["session"].execute(_WORKER["tasks"][name], place, step)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
