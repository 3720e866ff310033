"""Statistics of a table of scores: means with intervals, paired differences, slices.

The table is tidy, one row a method, query and metric: ``regime``, ``method``, ``cell_line``,
``parent``, ``drug``, ``dose_um``, ``metric``, ``value``, ``k_used``; other columns may stand beside
them. A missing ``value``, or a row that is not there, is undefined: it is counted, and never a
number. Names as categories, as a parquet dictionary gives them, are read several times faster.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lgr_core.evaluation.bootstrap import Resamples, estimate
from lgr_core.evaluation.paired_comparison import compare, compare_all, compare_slices
from lgr_core.evaluation.score_array import (
    CLUSTERS,
    QUERY,
    Clusters,
    ScoreGrid,
    numbers,
    require,
    score_grids,
    stacked,
)

__all__ = [
    "CLUSTERS",
    "compare",
    "compare_all",
    "compare_slices",
    "slice_by",
    "summarise",
    "tertiles",
]

SUMMARY = (
    *("regime", "method", "metric", "mean", "low", "high"),
    *("n_queries", "n_undefined", "coverage", "n_clusters", "clusters", "note"),
)
SLICES = ("by", "slice", *SUMMARY)


def summarise(
    scores: pd.DataFrame, *, clusters: Clusters = CLUSTERS, n_boot: int = 2_000, seed: int = 0
) -> pd.DataFrame:
    """Each method's own mean of each metric, one row a regime, method and metric.

    ``mean`` is over the defined queries; ``low`` and ``high`` are the 95 % percentile interval of
    a bootstrap that resamples the columns ``clusters`` names for the regime, one or two crossed:
    see :mod:`lgr_core.evaluation.bootstrap`. ``n_queries`` are the regime's, of which
    ``n_undefined`` have no value here; ``coverage`` is the share that has. ``n_clusters`` are those
    with a value, in the way that has fewer, and ``clusters`` spells both out; with fewer than five
    there is no interval and ``note`` says so.

    Raises
    ------
    InputError
        A column or a name is missing, a value is infinite, a row is repeated, or the rows of a
        query contradict each other.
    NotFoundError
        A regime is not in ``clusters``.
    UsageError
        The bootstrap is asked for what it cannot do.
    """
    grids = score_grids(scores, clusters)
    return stacked([_summary(grid, n_boot, seed) for grid in grids], SUMMARY)


def slice_by(
    scores: pd.DataFrame,
    column: str,
    *,
    clusters: Clusters = CLUSTERS,
    n_boot: int = 2_000,
    seed: int = 0,
) -> pd.DataFrame:
    """:func:`summarise` for each slice of the queries: ``by`` is the column, ``slice`` its value.

    ``column`` is any that says one thing of a query: its line, a mechanism, the :func:`tertiles`
    of effect strength or of cells, whether a twin was in training. Queries without it are the last
    slice (None). Counts and coverage are the slice's. A slice that is one cluster, as a line is,
    has no interval, unless ``clusters`` names the other way only: then it is that of this very
    line over drugs.

    Raises
    ------
    InputError, NotFoundError, UsageError
        As :func:`summarise`.
    """
    tables = [
        _summary(grid.where(grid.slices == number), n_boot, seed)
        .assign(by=column, slice=label)
        .astype({"slice": object})
        for grid in score_grids(scores, clusters, sliced=column)
        if grid.slices is not None
        for number, label in enumerate(grid.slice_labels)
    ]
    return stacked(tables, SLICES)


def tertiles(scores: pd.DataFrame, column: str) -> pd.Series:
    """The third that a row's query is in: ``low``, ``middle``, ``high``, or missing.

    The limits are the 1/3 and 2/3 quantiles of a numeric ``column`` over the table's distinct
    queries, the same in all regimes; ties go to the lower third.

    Raises
    ------
    InputError
        The column is missing or not numeric.
    """
    require(scores, [*QUERY, column])
    values = numbers(scores[column])
    missing = np.isnan(values)
    each = values[~missing & ~scores.duplicated([*QUERY, column])]
    limits = np.quantile(each, (1 / 3, 2 / 3)) if len(each) else []
    third = np.where(missing, -1, np.searchsorted(limits, values))
    labels = pd.Categorical.from_codes(third, ["low", "middle", "high"], ordered=True)
    return pd.Series(labels, index=scores.index, name=column)


def _summary(grid: ScoreGrid, n_boot: int, seed: int) -> pd.DataFrame:
    n, n_methods, n_metrics = grid.scores.shape
    resamples = Resamples.draw(grid.codes, n_boot=n_boot, seed=seed)
    found = estimate(grid.scores.reshape(n, -1), resamples)
    columns = {
        "regime": grid.regime,
        "method": np.repeat(grid.methods, n_metrics),
        "metric": np.tile(grid.metrics, n_methods),
        "mean": found.mean,
        "n_queries": n,
        "n_undefined": n - found.n,
        "coverage": found.n / n,
    }
    return pd.DataFrame(columns | found.evidence(grid.ways))
