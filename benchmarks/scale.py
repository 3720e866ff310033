"""A benchmark run at Tahoe's size: seconds and memory for 5,000, 10,000 and 19,000 queries.

Run: ``python benchmarks/scale.py``; it builds a simulated atlas of 50 lines by 379 drugs by 2,000
genes in a folder that it removes, and makes up a language model's answers. The numbers say how long
a run takes, not how good a method is. With ``--predict-only``, methods are fitted and predict every
condition in every regime, and nothing is scored.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from simulated import N_GENES, simulated
from threadpoolctl import threadpool_limits

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import Settings
from lgr_core.evaluation.config import BenchmarkConfig
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY
from lgr_core.evaluation.runner import BenchmarkSession, SelectorMaker, run_benchmark
from lgr_core.metrics import METRICS
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.llm_question import LLMOptions
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector

SIZES = (5_000, 10_000, 18_950)
QUICK = [name for name, entry in REGISTRY.items() if not entry.slow]
NAMED = 12
"""Neighbours in a made-up answer."""


def bandwidth() -> float:
    """Bytes a second that one process copies: the yardstick for the metrics."""
    source = np.ones(1 << 26)
    target = np.empty_like(source)
    np.copyto(target, source)
    start = time.perf_counter()
    for _ in range(3):
        np.copyto(target, source)
    return 3 * 2 * source.nbytes / (time.perf_counter() - start)


def memory() -> float:
    """Gigabytes that this process and its children hold; what they share counts once."""
    kilobytes = 0
    children = Path("/proc/self/task").glob("*/children")
    for process in ["self", *(child for task in children for child in task.read_text().split())]:
        with suppress(OSError, StopIteration):  # it ended meanwhile
            rollup = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii")
            kilobytes += int(next(x for x in rollup.splitlines() if x[:4] == "Pss:").split()[1])
    return kilobytes / 1e6


@dataclass(frozen=True)
class Cost:
    """Wall-clock seconds, seconds of processors, and gigabytes at most, sampled as it ran."""

    wall: float
    processors: float
    peak: float

    @classmethod
    def of(cls, run: Callable[[], object]) -> Cost:
        """Of a call and the processes that it starts."""
        peak, ended = [memory()], threading.Event()

        def watch() -> None:
            while not ended.wait(0.25):
                peak.append(memory())

        watcher = threading.Thread(target=watch)
        watcher.start()
        start, spent = time.perf_counter(), sum(os.times()[:4])
        run()
        wall, spent = time.perf_counter() - start, sum(os.times()[:4]) - spent
        ended.set()
        watcher.join()
        return cls(wall, spent, max(peak))

    def __str__(self) -> str:
        return f"{self.wall:6.1f} s, {self.processors:6.1f} core-s, peak {self.peak:.1f} GB"


def made_up_answers(atlas: AtlasStore, path: Path) -> SelectorMaker:
    """Selectors whose language model has named twelve drugs at random for every drug."""
    drugs, rng = atlas.drugs["drug"].tolist(), np.random.default_rng(0)
    lines = []
    for drug in drugs:
        others = [other for other in drugs if other != drug]
        named = [{"molecule": str(name)} for name in rng.choice(others, NAMED, replace=False)]
        asked = {"target_cell_type": LLMOptions().scope_line, "target_molecule": drug}
        lines.append(json.dumps({**asked, "neighbors": named}))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return partial(
        make_selector,
        recorded=partial(recorded_selector, settings=Settings(), neighbors=(path,)),
    )


def predict_all(folder: Path, plan: BenchmarkConfig, selectors: SelectorMaker, fold: int) -> int:
    """Fit the plan's methods on a fold and predict its tests; how many predictions."""
    atlas = open_atlas("scale", folder)
    bench, n = BenchmarkSession(atlas, plan, selectors, {}), 0
    task = next(task for task in bench.tasks() if task.fold.number == fold)
    reader = EvidenceReader(atlas, task.fold)
    with threadpool_limits(1):
        for variants in bench.methods_for(bench.setting(reader), plan.methods).values():
            for method in variants:
                evidence = method.evidence
                method.fit(TrainingView(atlas, task.fold, validation=True, evidence=evidence))
                n += sum(len(method.predict(block).delta) for block in reader.blocks(task.rows))
    return n


def predictions(
    atlas: AtlasStore, methods: Sequence[str], selectors: SelectorMaker, workers: int
) -> None:
    """Time predictions alone, a line a regime."""
    for regime in Regime:
        plan = BenchmarkConfig((regime,), tuple(methods))
        made = []

        def run(plan: BenchmarkConfig = plan, made: list[int] = made) -> None:
            with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
                each = [
                    pool.submit(predict_all, atlas.folder.parent, plan, selectors, fold)
                    for fold in range(plan.folds)
                ]
                made.extend(found.result() for found in each)

        cost = Cost.of(run)
        print(f"{regime:<24} {sum(made):>7,} predictions: {cost}")


def runs(
    atlas: AtlasStore,
    methods: Sequence[str],
    selectors: SelectorMaker,
    workers: int,
    regime: Regime,
    folder: Path,
) -> None:
    """Time whole runs of one regime, a line a size."""
    scored = len(methods) - 1 + BenchmarkConfig((regime,), tuple(methods)).random_seeds
    print(f"{regime}; {scored} methods with the draws of random_k, {len(METRICS)} metrics")
    for size in SIZES:
        plan = BenchmarkConfig((regime,), tuple(methods), max_queries=size)
        out = folder / f"run{size}"
        cost = Cost.of(
            lambda plan=plan, out=out: run_benchmark(
                atlas, plan, out, selectors=selectors, workers=workers
            )
        )
        pairs = size * scored
        copied = pairs * N_GENES * 8 * 2 / bandwidth()
        print(
            f"{size:>7,} queries: {cost}; {1e6 * cost.processors / pairs:4.0f} us of a core a "
            f"prediction and query, {cost.processors / copied:3.0f} times the copying of both"
        )


def main() -> None:
    """Build the atlas, then time runs or predictions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--regime", type=Regime, default=Regime.UNSEEN_CELL_LINE)
    parser.add_argument("--methods", type=lambda text: text.split(","), default=QUICK)
    parser.add_argument("--predict-only", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        atlas = simulated(folder)
        selectors = made_up_answers(atlas, folder / "answers.jsonl")
        print(
            f"{len(atlas.conditions):,} conditions x {N_GENES:,} genes, {options.workers} workers"
        )
        if options.predict_only:
            predictions(atlas, options.methods, selectors, options.workers)
        else:
            runs(atlas, options.methods, selectors, options.workers, options.regime, folder)


if __name__ == "__main__":
    main()
