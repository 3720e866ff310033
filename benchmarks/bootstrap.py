"""Intervals and paired differences of a whole benchmark, against a loop over resamples in pandas.

    .venv/bin/python benchmarks/bootstrap.py [--queries 19000] [--methods 12] [--metrics 17]

Scores are simulated with effects of line and parent, a few undefined, in four regimes: two with
one way of clusters, two with two. ``summarise``, ``compare_all`` (every pair) and ``slice_by``
(each line, parents resampled) run over all. Other work slows all: the load is printed.

The loop is what one would write without this module: for each resample, weigh every row by how
often its clusters were drawn, group, divide. It has the same draws, so that its limits must be
ours. It is timed over ``--sample`` queries and a hundredth of the resamples and scaled; the ratio
stands for that sample. It does means only: no pairs.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd

from lgr_core.evaluation.bootstrap import TAILS, Resamples
from lgr_core.evaluation.summary import CLUSTERS, compare_all, slice_by, summarise
from lgr_core.metrics import METRICS

MB = 1e6
LINES = 50
KEYS = ["method", "metric"]


def category(codes: np.ndarray, names: list[str]) -> pd.Categorical:
    """A column of names, stored as small numbers."""
    return pd.Categorical.from_codes(codes.astype(np.int16), names)


def simulated(n_queries: int, n_methods: int, n_metrics: int, regimes: list[str]) -> pd.DataFrame:
    """A table of scores, one row a regime, method, query and metric; 2 % undefined."""
    rng = np.random.default_rng(0)
    shape = (n_queries, n_methods, n_metrics)
    query, method, metric = (index.ravel() for index in np.indices(shape, dtype=np.int16))
    drug, line = np.divmod(query, LINES)
    names = [f"d{n:04}" for n in range(drug.max() + 1)]
    columns = {
        "method": category(method, [f"m{n:02}" for n in range(n_methods)]),
        "cell_line": category(line, [f"c{n:02}" for n in range(LINES)]),
        "parent": category(drug, names),
        "drug": category(drug, names),
        "dose_um": np.full(len(query), 5.0, dtype=np.float32),
        "metric": category(metric, sorted(METRICS)[:n_metrics]),
        "k_used": np.full(len(query), 10, dtype=np.int16),
    }
    parts = []
    for number in range(len(regimes)):
        value = rng.standard_normal(len(query))
        value += rng.standard_normal(LINES)[line] + rng.standard_normal(len(names))[drug]
        value[rng.random(len(value)) < 0.02] = np.nan
        regime = category(np.full(len(query), number), regimes)
        parts.append(pd.DataFrame({"regime": regime, **columns, "value": value}))
    return pd.concat(parts, ignore_index=True)


def loop(scores: pd.DataFrame, n_boot: int, n_timed: int) -> tuple[pd.DataFrame, float]:
    """Means of the first ``n_timed`` resamples, one column each, and the seconds they took."""
    of_rows = [scores[way].to_numpy(dtype=str) for way in CLUSTERS["unseen_drug"]]
    resamples = Resamples.draw(of_rows, n_boot=n_boot)
    start = time.perf_counter()
    means = {}
    for b in range(n_timed):
        weight = np.ones(len(scores))
        for code, draws in zip(resamples.codes, resamples.draws, strict=True):
            weight *= draws[b][code]
        known = scores.assign(weight=weight).dropna(subset=["value"])
        known["value"] *= known["weight"]
        sums = known.groupby(KEYS, observed=True)[["value", "weight"]].sum()
        means[b] = sums["value"] / sums["weight"]
    return pd.DataFrame(means), time.perf_counter() - start


def check(scores: pd.DataFrame) -> None:
    """End the run unless the loop's limits are ours."""
    means, _ = loop(scores, 100, 100)
    ours = summarise(scores, n_boot=100).set_index(KEYS)[["low", "high"]]
    gap = np.abs(means.quantile(TAILS, axis=1).T.to_numpy() - ours.loc[means.index]).to_numpy()
    print(f"largest difference to the loop, 100 resamples: {gap.max():.1e}")
    if not gap.max() < 1e-9:
        raise SystemExit("the limits disagree: nothing to compare")


def timed(run: Callable[..., pd.DataFrame], scores: pd.DataFrame, n_boot: int) -> None:
    """Print the seconds of one run: by the clock, of the processors, and its rows."""
    start, cpu = time.perf_counter(), time.process_time()
    rows = len(run(scores, n_boot=n_boot))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    print(f"{run.__name__:12} {seconds:8.2f} s  ({cpu:.2f} s of processors)  {rows:,} rows")


def peak_of(run: Callable[..., pd.DataFrame], scores: pd.DataFrame, n_boot: int) -> float:
    """Megabytes that a run allocates at most beyond its input."""
    tracemalloc.start()
    run(scores, n_boot=n_boot)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / MB


def by_line(scores: pd.DataFrame, n_boot: int) -> pd.DataFrame:
    """Summaries of each line over its drugs."""
    ways = dict.fromkeys(CLUSTERS, ("parent",))
    return slice_by(scores, "cell_line", clusters=ways, n_boot=n_boot)


def ratio(scores: pd.DataFrame, n_boot: int) -> None:
    """Time both ways on a small sample of one two-way regime and print their ratio."""
    n_timed = max(1, n_boot // 100)
    scaled = min(loop(scores, n_boot, n_timed)[1] for _ in range(3)) * n_boot / n_timed
    ours = []
    for _ in range(3):
        start = time.perf_counter()
        summarise(scores, n_boot=n_boot)
        ours.append(time.perf_counter() - start)
    print(f"sample of {len(scores):,} rows: loop {scaled:.1f} s, summarise {min(ours):.3f} s")
    print(f"ratio        {scaled / min(ours):8.0f} x  (at our slowest {scaled / max(ours):.0f} x)")


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=19_000)
    parser.add_argument("--methods", type=int, default=12)
    parser.add_argument("--metrics", type=int, default=len(METRICS))
    parser.add_argument("--boot", type=int, default=2_000)
    parser.add_argument("--sample", type=int, default=1_000)
    options = parser.parse_args()

    few = simulated(options.sample, options.methods, options.metrics, ["unseen_drug"])
    check(few)
    ratio(few, options.boot)

    scores = simulated(options.queries, options.methods, options.metrics, sorted(CLUSTERS))
    size = scores.memory_usage(index=False, deep=True).sum() / MB
    print(f"\n{len(scores):,} rows ({size:.0f} MB), {options.boot:,} resamples")
    print(f"load of the machine {os.getloadavg()[0]:.2f} of {os.cpu_count()} cores")
    for run in (summarise, compare_all, by_line):
        timed(run, scores, options.boot)
    for run in (summarise, compare_all, by_line):
        print(f"{run.__name__:12} {peak_of(run, scores, options.boot):8.0f} MB beyond its input")
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    print(f"process      {process:8.0f} MB, the table and its making included")


if __name__ == "__main__":
    main()
