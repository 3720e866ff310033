"""A benchmark run at Tahoe's size: seconds and memory for 5,000, 10,000 and 19,000 queries.

Run: ``python benchmarks/scale.py``; it builds a simulated atlas of 50 lines by 379 drugs by 2,000
genes in a folder that it removes. The numbers say how long a run takes, not how good a method is.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from simulated import N_GENES, simulated

from lgr_core.config import Settings
from lgr_core.evaluation.methods import REGISTRY
from lgr_core.evaluation.plan import Plan
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.runner import run_benchmark
from lgr_core.evaluation.selectors import Selectors
from lgr_core.metrics import METRICS
from lgr_core.retrieval.question import LLMOptions

SIZES = (5_000, 10_000, 18_950)
BEYOND = {"lgr_llm_shrunken", "hybrid", "kriging", "best_evidence"}
"""Methods beyond the paper."""


def bandwidth() -> float:
    """Bytes a second that one process copies: the yardstick for the metrics."""
    source = np.ones(1 << 26)
    target = np.empty_like(source)
    np.copyto(target, source)
    start = time.perf_counter()
    for _ in range(3):
        np.copyto(target, source)
    return 3 * 2 * source.nbytes / (time.perf_counter() - start)


def main() -> None:
    """Run one regime at every size and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--regime", type=Regime, default=Regime.UNSEEN_CELL_LINE)
    parser.add_argument("--beyond", action="store_true", help="our own methods beside the paper's")
    options = parser.parse_args()
    methods = tuple(
        name
        for name, entry in REGISTRY.items()
        if not entry.slow and (options.beyond or name not in BEYOND)
    )
    selectors = Selectors(Settings(), LLMOptions())
    with tempfile.TemporaryDirectory() as folder:
        atlas = simulated(Path(folder))
        scored = len(methods) - 1 + Plan((options.regime,), methods).random_seeds
        print(f"{len(atlas.conditions):,} conditions x {N_GENES:,} genes, {options.regime}")
        print(
            f"{len(methods)} methods, {scored} with the draws of random_k, {len(METRICS)} metrics"
        )
        for size in SIZES:
            plan = Plan((options.regime,), methods, max_queries=size)
            start = time.perf_counter()
            out = Path(folder) / f"run{size}"
            run_benchmark(atlas, plan, out, selectors=selectors, workers=options.workers)
            took = time.perf_counter() - start
            peak = sum(
                resource.getrusage(who).ru_maxrss
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            pairs = size * scored
            moved = pairs * N_GENES * 8 * 2 / bandwidth()
            print(
                f"{size:>7,} queries: {took:6.1f} s, {1e6 * took / pairs:5.0f} us a prediction "
                f"and query, {took / moved:5.1f} times the copying of both vectors, "
                f"peak {peak / 1e6:.1f} GB (parent and largest child)"
            )


if __name__ == "__main__":
    main()
