"""Metrics on 19,000 pairs x 2,000 genes: the paper's six at once, then each of the rest.

    .venv/bin/python benchmarks/metrics.py [--pairs 19000] [--genes 2000] [--sample 300]

The six stand against a scipy / scikit-learn loop, which is what one would write without this
module: one library call a metric and pair, on the same float32 rows (``linregress`` gives slope and
R2 in one call). It is timed on the first ``--sample`` pairs and scaled, and so is a lean NumPy
loop, which shows how much of the ratio is the libraries' cost per call. Each is run ``--repeats``
times in turn and its fastest run counts; beside it stands our slowest against the loop's fastest.
Scores are compared on the sample first. The rest, and all that need nothing but the pairs together,
are timed alone, the rank correlation and the overlaps beside a loop of their own. Other work on the
machine moves every number: the load is printed with them.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.stats import linregress, pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, mean_squared_error
from sklearn.metrics.pairwise import cosine_similarity

from lgr_core.metrics import METRICS, score

Floats = NDArray[np.float32]

SIX = [name for name, metric in METRICS.items() if metric.paper]
REST = [name for name, m in METRICS.items() if m.needs == ("measured",) and name not in SIX]
MB = 1e6
TOLERANCE = 1e-5
"""The libraries work in float32 on float32 rows; the scores may differ by that."""


def simulated(pairs: int, genes: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Correlated deltas, (pairs, genes) float32; half of the measured genes are silent."""
    rng = np.random.default_rng(seed)
    measured = rng.standard_normal((pairs, genes), dtype=np.float32)
    measured[:, ::2] = 0
    predicted = rng.standard_normal((pairs, genes), dtype=np.float32)
    predicted *= 0.5
    predicted += measured
    predicted[:, ::4] = 0
    return predicted, measured


def library_loop(predicted: Floats, measured: Floats) -> NDArray[np.float64]:
    """The six, pair by pair, (n, 6): scipy and scikit-learn."""
    rows = []
    for x, y in zip(predicted, measured, strict=True):
        rows.append(
            (
                pearsonr(x, y).statistic,
                cosine_similarity(x[None], y[None])[0, 0],
                mean_absolute_error(y, x),
                mean_squared_error(y, x),
                np.mean(np.sign(x) == np.sign(y)),
                linregress(x, y).rvalue ** 2,
            )
        )
    return np.array(rows)


def lean_loop(predicted: Floats, measured: Floats) -> NDArray[np.float64]:
    """The six, pair by pair, (n, 6): bare NumPy in the rows' own float32."""
    rows = []
    for x, y in zip(predicted, measured, strict=True):
        r = np.corrcoef(x, y)[0, 1]
        error = x - y
        rows.append(
            (
                r,
                x @ y / np.sqrt((x @ x) * (y @ y)),
                np.abs(error).mean(),
                error @ error / len(error),
                np.mean(np.sign(x) == np.sign(y)),
                r**2,
            )
        )
    return np.array(rows)


def at_once(predicted: Floats, measured: Floats) -> NDArray[np.float64]:
    """The six in one pass, (n, 6): this module."""
    return np.column_stack(list(score(predicted, measured, metrics=SIX).values()))


def spearman_loop(predicted: Floats, measured: Floats) -> NDArray[np.float64]:
    """Rank correlation pair by pair, (n,): scipy."""
    return np.array([spearmanr(x, y).statistic for x, y in zip(predicted, measured, strict=True)])


def overlap_loop(k: int, predicted: Floats, measured: Floats) -> NDArray[np.float64]:
    """Shared genes of the k largest, pair by pair, (n,): NumPy, ties cut where they fall."""
    tops = (np.argpartition(np.abs(side), -k, axis=1)[:, -k:] for side in (predicted, measured))
    return np.array([len(np.intersect1d(x, y)) / k for x, y in zip(*tops, strict=True)])


LOOPS: dict[str, Callable[[Floats, Floats], NDArray[np.float64]]] = {
    "spearman_delta": spearman_loop,
    "overlap_at_50": partial(overlap_loop, 50),
    "overlap_at_100": partial(overlap_loop, 100),
}


def seconds(run: Callable[[Floats, Floats], object], predicted: Floats, measured: Floats) -> float:
    """Wall-clock time of one run."""
    start = time.perf_counter()
    run(predicted, measured)
    return time.perf_counter() - start


def peak_of(run: Callable[[Floats, Floats], object], predicted: Floats, measured: Floats) -> float:
    """Megabytes that a run allocates at most beyond its inputs."""
    tracemalloc.start()
    run(predicted, measured)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / MB


def check(predicted: Floats, measured: Floats) -> None:
    """End the run unless all three ways agree on these pairs."""
    reference = library_loop(predicted, measured)
    for name, run in (("at once", at_once), ("lean loop", lean_loop)):
        gap = np.abs(run(predicted, measured) - reference).max()
        print(f"largest difference to the libraries, {name}: {gap:.1e}")
        if not gap < TOLERANCE:
            raise SystemExit("the scores disagree: nothing to compare")
    for name, loop in LOOPS.items():
        ours = METRICS[name].compute(predicted, measured)
        np.testing.assert_allclose(ours, loop(predicted, measured), atol=TOLERANCE, err_msg=name)


def compare(predicted: Floats, measured: Floats, sample: int, repeats: int) -> None:
    """Time the three in turn and print their ratios."""
    few = predicted[:sample], measured[:sample]
    runs = ((library_loop, few), (lean_loop, few), (at_once, (predicted, measured)))
    times = np.array([[seconds(run, *pairs) for run, pairs in runs] for _ in range(repeats)])
    times[:, :2] *= len(predicted) / len(few[0])
    library, lean, ours = times.min(axis=0)
    slowest = times[:, 2].max()
    print(f"{predicted.shape} pairs x genes, loops scaled from {len(few[0])} pairs")
    print(f"load of the machine        {os.getloadavg()[0]:8.2f} of {os.cpu_count()} cores")
    print(f"scipy / scikit-learn loop  {library:8.2f} s")
    print(f"lean NumPy loop            {lean:8.2f} s")
    print(f"at once                    {ours:8.2f} s  (slowest {slowest:.2f} s)")
    print(f"ratio to the libraries     {library / ours:8.0f} x  (goal: 100 x)")
    print(f"ratio at our slowest       {library / slowest:8.0f} x")
    print(f"ratio to the lean loop     {lean / ours:8.1f} x")


def rest(predicted: Floats, measured: Floats, sample: int, repeats: int) -> None:
    """Time what is no part of the six, each alone, and then all of the pairs at once."""
    runs = {name: METRICS[name].compute for name in REST} | {"all of the pairs": score}
    for name, run in runs.items():
        ours = min(seconds(run, predicted, measured) for _ in range(repeats))
        line = f"{name:<26} {ours:8.2f} s"
        if name in LOOPS:
            few = predicted[:sample], measured[:sample]
            loop = min(seconds(LOOPS[name], *few) for _ in range(repeats))
            line += f"  (pair by pair {loop * len(predicted) / len(few[0]):.2f} s)"
        print(line)


def main() -> None:
    """Measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=19_000)
    parser.add_argument("--genes", type=int, default=2_000)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    predicted, measured = simulated(options.pairs, options.genes)
    check(predicted[: options.sample], measured[: options.sample])
    compare(predicted, measured, options.sample, options.repeats)
    rest(predicted, measured, options.sample, options.repeats)
    print(f"inputs                     {(predicted.nbytes + measured.nbytes) / MB:8.1f} MB")
    print(f"peak beyond the inputs     {peak_of(at_once, predicted, measured):8.1f} MB")
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
    print(f"peak of the process        {process:8.1f} MB")


if __name__ == "__main__":
    main()
