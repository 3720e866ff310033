"""A table of scores as arrays: one grid of queries, methods and metrics for each regime.

A query is a cell line, drug and dose in a regime, and a regime's queries are all that any of its
methods has a row for. What has no row, or no value in it, is NaN. Queries, methods and metrics are
sorted by name, so that the order of the rows, or of categories, is of no account.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError, unknown

Clusters = Mapping[str, Sequence[str]]
Rows = Mapping[str, pd.Series]

CLUSTERS: Clusters = MappingProxyType(
    {
        "unseen_drug": ("parent", "cell_line"),
        "open_world": ("parent", "cell_line"),
        "unseen_cell_line": ("cell_line",),
        "unseen_cell_line_strict": ("cell_line",),
    }
)
"""The columns by which the queries of a regime cluster: one way, or two that cross."""

QUERY = ("cell_line", "drug", "dose_um")
"""What tells queries of a regime apart; a missing dose is pooled over doses."""

_NEEDED = ("regime", "method", "metric", "value", *QUERY)


@dataclass(frozen=True, slots=True)
class ScoreGrid:
    """The scores of one regime.

    ``scores`` are (n_queries, n_methods, n_metrics); ``ways`` name the columns of clusters and
    ``codes``, (n_queries,) each, number them. ``k_used`` is (n_queries, n_methods), NaN where
    nobody was averaged; ``slices``, (n_queries,), number ``slice_labels``. Both are there only if
    asked for.
    """

    regime: str
    methods: tuple[str, ...]
    metrics: tuple[str, ...]
    scores: FloatArray
    ways: tuple[str, ...]
    codes: tuple[IntArray, ...]
    k_used: FloatArray | None = None
    slices: IntArray | None = None
    slice_labels: tuple[Any, ...] = ()

    def where(self, queries: BoolArray) -> ScoreGrid:
        """The grid of some queries, (n_queries,) flags; slices and ``k_used`` are left behind."""
        codes = tuple(code[queries] for code in self.codes)
        return replace(
            self,
            scores=self.scores[queries],
            codes=codes,
            k_used=None,
            slices=None,
            slice_labels=(),
        )


def score_grids(
    scores: pd.DataFrame,
    clusters: Clusters = CLUSTERS,
    *,
    with_k: bool = False,
    sliced: str | None = None,
) -> Iterator[ScoreGrid]:
    """The grid of each regime, sorted by name.

    ``clusters`` are columns by regime. ``with_k`` reads ``k_used``, ``sliced`` a column that says
    one thing of a query: its labels are sorted, ordered categories as they are, and the queries
    without one come last, as ``None``.

    Raises
    ------
    InputError
        A column or a name is missing, a value is infinite or no number, a row is repeated, or the
        rows of a query contradict each other.
    NotFoundError
        A regime is not in ``clusters``.
    """
    require(scores, _NEEDED)
    for regime in _regimes(scores["regime"]):
        if regime not in clusters:
            raise unknown("regime", regime, clusters, "the table of clusters")
        ways = tuple(clusters[regime])
        more = [*ways, *(["k_used"] if with_k else []), *([] if sliced is None else [sliced])]
        columns = list(dict.fromkeys((*_NEEDED, *more)))
        require(scores, columns)
        yield _grid(_rows(scores, regime, columns), regime, ways, with_k=with_k, sliced=sliced)


def require(scores: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks one of the columns.

    Raises
    ------
    InputError
        It does; the message names them.
    """
    if lacking := [name for name in columns if name not in scores.columns]:
        found = f"no column {', '.join(lacking)}"
        raise InputError("scores", found, "Give one row a method, query and metric.")


def numbers(column: pd.Series) -> NDArray[np.float64]:
    """The column as float64, NaN where missing.

    Raises
    ------
    InputError
        It holds something else, or an infinite number.
    """
    try:
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        found = f"{column.name} is {column.dtype}: {error}"
        raise InputError("scores", found, "Give numbers, missing where there are none.") from error
    if np.isinf(values).any():
        raise InputError("scores", f"{column.name} is infinite in a row", "Leave it missing.")
    return values


def stacked(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """One table of the parts, with its columns even where there are none."""
    if not parts:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(parts, ignore_index=True)[list(columns)]


def _regimes(column: pd.Series) -> list[str]:
    if column.isna().any():
        raise InputError("scores", "a row has no regime", "Name it, or drop the row.")
    return sorted(column.unique())


def _rows(scores: pd.DataFrame, regime: str, columns: Sequence[str]) -> Rows:
    """The regime's rows, column by column: ``loc`` would copy those of all regimes first."""
    here = (scores["regime"] == regime).to_numpy(dtype=bool)
    return {name: pd.Series(scores[name].array[here], name=name) for name in columns}


def _grid(
    rows: Rows, regime: str, ways: tuple[str, ...], *, with_k: bool, sliced: str | None
) -> ScoreGrid:
    query, n = _queries(rows)
    method, methods = _named(rows["method"])
    metric, metrics = _named(rows["metric"])
    shape = (n, len(methods), len(metrics))
    place = np.ravel_multi_index((query, method, metric), shape)
    values = _placed(numbers(rows["value"]), place, shape, regime)
    codes = tuple(_one_each(_named(rows[way])[0], query, n, way) for way in ways)
    grid = ScoreGrid(regime, methods, metrics, values, ways, codes)
    if with_k:
        k_used = numbers(rows["k_used"])
        known = k_used >= 1
        pair = (query * len(methods) + method)[known]
        each = _one_each(k_used[known], pair, n * len(methods), "k_used", fill=np.nan)
        grid = replace(grid, k_used=each.reshape(n, -1))
    if sliced is not None:
        code, labels = _coded(rows[sliced], keep_order=True)
        slices = _one_each(code, query, n, sliced)
        rest = (None,) if (slices < 0).any() else ()
        slices = np.where(slices < 0, len(labels), slices)
        grid = replace(grid, slices=slices, slice_labels=(*labels, *rest))
    return grid


def _queries(rows: Rows) -> tuple[IntArray, int]:
    """Each row's query, numbered by line, drug and dose, and how many there are."""
    line, lines = _named(rows["cell_line"])
    drug, drugs = _named(rows["drug"])
    dose, doses = pd.factorize(numbers(rows["dose_um"]), sort=True, use_na_sentinel=False)
    key = np.ravel_multi_index((line, drug, dose), (len(lines), len(drugs), len(doses)))
    query, distinct = pd.factorize(key, sort=True)
    return query, len(distinct)


def _placed(
    values: FloatArray, place: IntArray, shape: tuple[int, int, int], regime: str
) -> FloatArray:
    """The rows' values in their places, NaN in the others."""
    grid = np.full(np.prod(shape), np.nan)
    taken = np.zeros(len(grid), dtype=bool)
    taken[place] = True
    if taken.sum() < len(place):
        found = f"{len(place) - taken.sum():,} rows of {regime} repeat a method, query and metric"
        raise InputError("scores", found, "Give each once; average seeds and replicates first.")
    grid[place] = values
    return grid.reshape(shape)


def _one_each(
    values: NDArray[Any], place: IntArray, n: int, name: str, fill: float = 0
) -> NDArray[Any]:
    """The value that all rows of a place share, (n,)."""
    each = np.full(n, fill, dtype=values.dtype)
    each[place] = values
    if (each[place] != values).any():
        found = f"the rows of a query differ in {name}"
        raise InputError("scores", found, "Give each query one, and each method's query one k.")
    return each


def _named(column: pd.Series) -> tuple[IntArray, tuple[str, ...]]:
    """Each row's name as a number, and the names, sorted.

    A missing name is refused: nobody knows what its row is a score of.
    """
    codes, names = _coded(column)
    if (codes < 0).any():
        raise InputError("scores", f"a row has no {column.name}", "Name it, or drop the row.")
    return codes, tuple(names)


def _coded(column: pd.Series, *, keep_order: bool = False) -> tuple[IntArray, list[Any]]:
    """Numbers of the sorted labels, -1 where missing, and the labels."""
    codes, found = pd.factorize(column)
    labels = pd.Index(found)
    if not (keep_order and getattr(labels, "ordered", False)):
        labels = pd.Index(np.asarray(labels))
    order = labels.argsort()
    rank = np.empty(len(order) + 1, dtype=np.int32)
    rank[order], rank[-1] = np.arange(len(order)), -1
    return rank[codes], list(labels[order])
