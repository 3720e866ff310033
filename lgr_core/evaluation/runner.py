"""Runs a benchmark: fold by fold on several processes, resumed where it was left."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from threadpoolctl import threadpool_limits

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.domain import EMPTY, Selector
from lgr_core.errors import InputError
from lgr_core.evaluation.config import BenchmarkConfig, check_same, write_config
from lgr_core.evaluation.external_predictions import ExternalPredictions, read_external_predictions
from lgr_core.evaluation.fold_task import FoldResult, FoldTask, Methods, compute
from lgr_core.evaluation.folds import notes_of, queries
from lgr_core.evaluation.query_metadata import query_metadata
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.evaluation.run_store import Each, Run, assemble
from lgr_core.retrieval.query_block import EvidenceReader

PARTS = "parts"
Progress = Callable[[str, int, int], None]


class SelectorMaker(Protocol):
    """Makes the selector of a name for an atlas; pickled to where it is used."""

    def __call__(self, name: str, store: AtlasStore) -> Selector:
        """The selector."""
        ...


@dataclass(frozen=True, slots=True)
class BenchmarkSession:
    """A plan on an atlas: makes methods and tasks, and carries them out."""

    store: AtlasStore
    plan: BenchmarkConfig
    selectors: SelectorMaker
    external: Mapping[str, ExternalPredictions]

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
        for fold, scored in zip(folds, rows, strict=True):
            if len(scored):
                drawn = np.intersect1d(scored, curve)
                yield FoldTask(fold, scored, drawn, (*others, *self.external))
                for name in alone:
                    yield FoldTask(fold, scored, drawn, (name,), alone=name)

    def methods_for(self, setting: MethodContext, methods: Sequence[str]) -> Methods:
        """The methods of these names: ours, or guests."""
        return {
            name: [self.external[name]] if name in self.external else REGISTRY[name].make(setting)
            for name in methods
        }

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
        """Compute and save a task's part, on one thread: the processes share the cores."""
        reader = EvidenceReader(self.store, task.fold)
        checkpoint = place.with_name(f".{place.name}.checkpoint")
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        with threadpool_limits(1):
            part = compute(
                reader,
                task,
                self.methods_for(self.setting(reader, checkpoint), task.methods),
                query_metadata(reader, np.sort(task.rows)),
                k=self.plan.k,
                step=step,
            )
        part.save(place)
        checkpoint.unlink(missing_ok=True)


def run_benchmark(
    store: AtlasStore,
    plan: BenchmarkConfig,
    folder: Path,
    *,
    selectors: SelectorMaker,
    external: Mapping[str, Path] | None = None,
    guest_columns: Mapping[str, str] = EMPTY,
    workers: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Score every method of the plan and write what was found into ``folder``.

    A fold that is done is kept in ``folder/parts``; run again after a kill, only the others are
    computed, and those in which a query failed for want of an answer. The numbers do not depend on
    ``workers`` or on what was resumed. ``guest_columns`` (role -> column) say what the columns of
    the files of ``external`` are, where their names do not.

    Raises
    ------
    InputError
        If the folder holds a run of another config, or a guest's file cannot be read.
    NotFoundError
        If nothing is left to score.
    UsageError
        If the folds cannot be made.
    """
    config = plan.to_dict(store)
    check_same(folder, config)
    files = {} if external is None else external
    read = {
        name: read_external_predictions(store, path, guest_columns) for name, path in files.items()
    }
    bench = BenchmarkSession(store, plan, cache(selectors), read)
    tasks = bench.tasks()
    write_config(folder, {**config, "started_at": _now()})
    places = {task.name: folder / PARTS / task.name for task in tasks}
    todo = [task for task in tasks if not FoldResult.is_done(places[task.name])]
    progress_bar = _Progress(progress, sum(len(task.rows) for task in tasks))
    progress_bar.step(sum(len(task.rows) for task in tasks if task not in todo))
    evidence = {
        regime: {
            name: variants[0].evidence
            for name, variants in bench.methods_for(
                replace(bench.setting(EvidenceReader(store)), regime=regime), [*plan.methods, *read]
            ).items()
        }
        for regime in plan.regimes
    }

    def finish(each: Each = map) -> Run:
        parts = {places[task.name]: Regime(task.fold.regime) for task in tasks}
        progress_bar.statistics(0)
        splits = notes_of(task.fold for task in tasks)
        about = {**config, "splits": splits, "finished_at": _now()}
        run = assemble(folder, parts, evidence, config=about, each=each)
        progress_bar.statistics(1)
        return run

    if workers == 1 or len(todo) < 2:  # noqa: PLR2004 - one task is for one process
        for task in todo:
            bench.execute(task, places[task.name], progress_bar.step)
        return finish()
    job = _Job(
        store.name,
        store.folder.parent,
        store.build_id,
        plan,
        selectors,
        dict(files),
        dict(guest_columns),
    )
    try:
        with _Processes(job, workers) as processes:
            processes.execute(todo, places, progress_bar)
            return finish(processes.map)
    except BrokenProcessPool as err:
        do = "Give fewer --workers; run again, it goes on where it was left."
        raise InputError("benchmark", "a process ended, perhaps out of memory", do) from err


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
class _Job:
    """What a process needs to make a bench of its own."""

    atlas: str
    atlases: Path
    build_id: str
    plan: BenchmarkConfig
    selectors: SelectorMaker
    external: Mapping[str, Path]
    guest_columns: Mapping[str, str]


_OWN: dict[str, Any] = {}
"""A process's bench, its tasks by name, and the counter that all share."""

_POLL_S = 0.3


class _Processes:
    """Some processes, each with a bench of its own; ended with the block that they serve."""

    def __init__(self, job: _Job, workers: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._counter = context.Value("q", 0)
        self._pool = ProcessPoolExecutor(workers, context, _start, (job, self._counter))
        self.map = self._pool.map

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def execute(
        self, tasks: Sequence[FoldTask], places: Mapping[str, Path], progress_bar: _Progress
    ) -> None:
        """All tasks, the longest first, so that no process is left with one at the end."""
        left: set[Future[None]] = {
            self._pool.submit(_execute, task.name, places[task.name])
            for task in sorted(tasks, key=length, reverse=True)
        }
        seen = 0
        while left:
            done, left = wait(left, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
            progress_bar.step(self._counter.value - seen)
            seen = self._counter.value


def length(task: FoldTask) -> tuple[bool, bool, int]:
    """How tasks compare in time: those of a slow method, of most methods, of one other; by rows."""
    slow = task.alone is not None and REGISTRY[task.alone].slow
    return slow, task.alone is None, len(task.rows)


def _start(job: _Job, counter: Any) -> None:  # noqa: ANN401 - multiprocessing names no type
    threadpool_limits(1)  # the processes share the cores
    threading.Thread(target=_end_with_parent, daemon=True).start()
    store = open_atlas(job.atlas, job.atlases)
    external = {
        name: read_external_predictions(store, path, job.guest_columns)
        for name, path in job.external.items()
    }
    bench = BenchmarkSession(store, job.plan, cache(job.selectors), external)
    _OWN.update(bench=bench, tasks={task.name: task for task in bench.tasks()}, counter=counter)


def _end_with_parent() -> None:
    """Once a run is killed nobody waits for this process, and the next run does its work too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _execute(name: str, place: Path) -> None:
    def step(n: int) -> None:
        with _OWN["counter"].get_lock():
            _OWN["counter"].value += n

    _OWN["bench"].execute(_OWN["tasks"][name], place, step)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
