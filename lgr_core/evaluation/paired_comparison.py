"""Paired comparison of methods on their common queries: differences and win rates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import UsageError, unknown
from lgr_core.evaluation.bootstrap import Resamples, estimate
from lgr_core.evaluation.score_array import (
    CLUSTERS,
    Clusters,
    ScoreGrid,
    require,
    score_grids,
    stacked,
)
from lgr_core.metrics import EVERY_METRIC, Direction

Pairs = Sequence[tuple[str, str]]

TIE = 1e-7
"""Scores closer than this share of their size are equal: predictions are float32."""

DIFFERENCES = (
    *("regime", "a", "b", "metric", "difference", "low", "high", "win_rate"),
    *("n_common", "n_clusters", "clusters", "note"),
)
SLICED = ("by", "slice", *DIFFERENCES)


def compare(
    scores: pd.DataFrame,
    a: str,
    b: str,
    metric: str,
    *,
    matched_k: bool = False,
    clusters: Clusters = CLUSTERS,
    n_boot: int = 2_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Method ``a`` minus method ``b`` on one metric, one row a regime: see :func:`compare_all`.

    Raises
    ------
    InputError, NotFoundError, UsageError
        As :func:`compare_all`.
    """
    return compare_all(
        scores,
        pairs=[(a, b)],
        metrics=[metric],
        matched_k=matched_k,
        clusters=clusters,
        n_boot=n_boot,
        seed=seed,
    )


def compare_all(
    scores: pd.DataFrame,
    *,
    pairs: Iterable[tuple[str, str]] | None = None,
    metrics: Iterable[str] | None = None,
    matched_k: bool = False,
    clusters: Clusters = CLUSTERS,
    n_boot: int = 2_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Paired differences, one row a regime, pair and metric; unset, of every pair on every metric.

    ``difference`` is ``mean(a - b)`` over the common set of that pair and metric, the ``n_common``
    queries where both are defined: no third method shrinks it. With ``matched_k`` only those count
    where both averaged as many neighbours, ``k_used`` of 1 or more. The interval comes from the
    resamples of :func:`~lgr_core.evaluation.summary.summarise`, the columns after it are its
    too. ``win_rate`` is the share of the common set where ``a`` is nearer to the metric's best,
    ties counting half; where the best lies at neither end, as a slope's does, it alone says who is
    better. A pair stands in the regimes that have both methods and the metric.

    Raises
    ------
    InputError
        As for ``summarise``, or a method's rows of one query differ in ``k_used``.
    NotFoundError
        A method or metric is not in the scores, or a metric not in the table of metrics.
    UsageError
        A method is compared with itself, or the bootstrap is asked for what it cannot do.
    """
    require(scores, ["method", "metric"])
    wanted = _known(scores, "metric", metrics)
    for metric in wanted:
        if metric not in EVERY_METRIC:
            raise unknown("metric", metric, EVERY_METRIC, "the table of metrics")
    chosen = _pairs(scores, pairs)
    tables = []
    for grid in score_grids(scores, clusters, with_k=matched_k):
        resamples = Resamples.draw(grid.codes, n_boot=n_boot, seed=seed)
        here = [pair for pair in chosen if set(pair) <= set(grid.methods)]
        shown = [metric for metric in wanted if here and metric in grid.metrics]
        tables += [_differences(grid, here, metric, resamples) for metric in shown]
    return stacked(tables, DIFFERENCES)


def compare_slices(
    scores: pd.DataFrame,
    a: str,
    b: str,
    metric: str,
    column: str,
    *,
    clusters: Clusters = CLUSTERS,
    n_boot: int = 2_000,
    seed: int = 0,
) -> pd.DataFrame:
    """:func:`compare` for each slice of the queries: where one method beats another.

    ``by`` is the column, ``slice`` its value, missing ones last; slices without a query that both
    answer are left out. Each interval is that of its own slice: where nothing differs, about one
    of twenty misses zero all the same.

    Raises
    ------
    InputError, NotFoundError, UsageError
        As :func:`compare_all`.
    """
    require(scores, ["method", "metric", column])
    rows = scores[scores["method"].isin([a, b])]
    tables = [
        compare(group, a, b, metric, clusters=clusters, n_boot=n_boot, seed=seed)
        .assign(by=column, slice=label)
        .astype({"slice": object})
        for label, group in rows.groupby(column, dropna=False, observed=True)
        if {a, b} <= set(group["method"])
    ]
    table = stacked(tables, SLICED)
    return table[table["n_common"] > 0].reset_index(drop=True)


def distinguishable(table: pd.DataFrame) -> IntArray:
    """Where a difference's interval lies, (n_rows,): 1 above zero, -1 below, 0 about it or none."""
    return (table["low"] > 0).to_numpy(np.intp) - (table["high"] < 0).to_numpy(np.intp)


def _known(scores: pd.DataFrame, kind: str, names: Iterable[str] | None) -> list[str]:
    """The names asked for, all sorted where unset; refused where the scores have none."""
    have = sorted(scores[kind].dropna().unique())
    wanted = have if names is None else list(names)
    for name in wanted:
        if name not in have:
            raise unknown(kind, name, have, "the table of scores")
    return wanted


def _pairs(scores: pd.DataFrame, pairs: Iterable[tuple[str, str]] | None) -> Pairs:
    if pairs is None:
        return list(combinations(_known(scores, "method", None), 2))
    chosen = list(pairs)
    _known(scores, "method", [name for pair in chosen for name in pair])
    for a, b in chosen:
        if a == b:
            raise UsageError("comparison", f"{a} with itself", "Name two methods.")
    return chosen


def _differences(grid: ScoreGrid, pairs: Pairs, metric: str, resamples: Resamples) -> pd.DataFrame:
    first, second = np.array([[grid.methods.index(name) for name in pair] for pair in pairs]).T
    table = grid.scores[:, :, grid.metrics.index(metric)]
    x, y = table[:, first], table[:, second]
    if grid.k_used is not None:
        unmatched = grid.k_used[:, first] != grid.k_used[:, second]  # unknown differs from all
        x, y = np.where(unmatched, np.nan, x), np.where(unmatched, np.nan, y)
    found = estimate(x - y, resamples)
    columns = {
        "regime": grid.regime,
        "a": [a for a, _ in pairs],
        "b": [b for _, b in pairs],
        "metric": metric,
        "difference": found.mean,
        "win_rate": _win_rate(x, y, metric),
        "n_common": found.n,
    }
    return pd.DataFrame(columns | found.evidence(grid.ways))


def _win_rate(x: FloatArray, y: FloatArray, metric: str) -> FloatArray:
    """Share of each column where x is nearer to the metric's best than y, (n_pairs,)."""
    size = TIE * np.maximum(np.abs(x), np.abs(y))
    lead = _goodness(x, metric) - _goodness(y, metric)
    common = ~np.isnan(lead)
    wins = (lead > size).sum(axis=0) + (common & (np.abs(lead) <= size)).sum(axis=0) / 2
    n = common.sum(axis=0)
    return np.divide(wins, n, out=np.full(len(n), np.nan), where=n > 0)


def _goodness(values: FloatArray, metric: str) -> FloatArray:
    """Larger is better."""
    match EVERY_METRIC[metric].direction:
        case Direction.HIGHER:
            return values
        case Direction.LOWER:
            return -values
        case Direction.NEAREST:
            return -np.abs(values - EVERY_METRIC[metric].best)
