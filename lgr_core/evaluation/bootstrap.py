"""Clustered bootstrap of many means at once: clusters are resampled, not queries.

Queries in one cell line, or of one parent compound, err together. Resampling them singly takes
them for independent and gives intervals that are far too narrow.

- One way: clusters are drawn with replacement, as many as there are; a query weighs as often as
  its cluster was drawn.
- Two ways, crossed: the clusters of either way are drawn so, independently of each other, and a
  query weighs the product of its two multiplicities. This is the pigeonhole bootstrap (Owen 2007,
  Ann. Appl. Stat. 1, 386-411, doi:10.1214/07-AOAS122; for more ways Owen and Eckles 2012,
  doi:10.1214/12-AOAS547). No bootstrap is exact for crossed effects; this one errs to the safe
  side: what is common to neither way, it counts about three times.

Percentile limits are too narrow where clusters are few. Simulated with normal effects, 95 % ones
of lines alone held the truth in 84 % of worlds with 5 lines, 90 % with 10, 93 % with 25 and 94 %
with 50; two ways in 90 % with 5 x 5, 93 % with 10 x 10, 94 % with 25 x 25, 86 % with 100 x 5.

Kernels: NumPy in, NumPy out. ``values`` are (n_queries, n_columns) with NaN where undefined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import UsageError

Floats = NDArray[np.float64]

MIN_CLUSTERS = 5
"""With fewer clusters in either way there is no interval: too few to resample."""

MIN_BOOT = 100
"""Fewer resamples hold no more than a value or two beyond a 2.5 % limit."""

TAILS = (0.025, 0.975)
"""Limits of a 95 % percentile interval."""

CHUNK_VALUES = 1 << 21
"""Values in an intermediate product, 16 MB in float64."""


@dataclass(frozen=True, slots=True)
class Resamples:
    """How often each cluster was drawn in each resample, and which clusters a query lies in.

    ``codes`` are (n_queries,) cluster numbers from 0, ``draws`` (n_boot, n_clusters)
    multiplicities, one of each a way.
    """

    codes: tuple[IntArray, ...]
    draws: tuple[Floats, ...]

    @classmethod
    def draw(cls, ways: Sequence[IntArray], *, n_boot: int = 2_000, seed: int = 0) -> Resamples:
        """Resamples of one or two ways of clustering; each way has its own stream of the seed.

        ``ways`` are labels (n_queries,) whose order numbers the clusters.

        Raises
        ------
        UsageError
            There are no or more than two ways, or fewer than 100 resamples, or a negative seed.
        """
        if len(ways) not in (1, 2):
            raise UsageError("bootstrap", f"{len(ways)} ways of clustering", "Give one or two.")
        if n_boot < MIN_BOOT or seed < 0:
            found = f"n_boot is {n_boot}, seed {seed}"
            raise UsageError("bootstrap", found, f"Ask for {MIN_BOOT} or more, and a seed from 0.")
        codes = tuple(np.unique(way, return_inverse=True)[1] for way in ways)
        draws = tuple(
            _multiplicities(code.max(initial=-1) + 1, n_boot, np.random.default_rng([seed, way]))
            for way, code in enumerate(codes)
        )
        return cls(codes=codes, draws=draws)

    def sums(self, values: FloatArray) -> Floats:
        """Weighted sums of finite ``values``, (n_boot, n_columns).

        ``sum_i w_b(i) values[i]``, where ``w_b(i)`` is the product of the multiplicities of the
        query's clusters in resample b: ``sum_pl P[b, p] S[p, l] L[b, l]`` with S the sums by cell.
        """
        (first, second), (rows, columns) = self._two_ways()
        shape = rows.shape[1], columns.shape[1]
        cells = _indicator(np.ravel_multi_index((first, second), shape), shape[0] * shape[1])
        out = np.empty((len(rows), values.shape[1]))
        step = max(1, CHUNK_VALUES // (max(len(rows), shape[0]) * shape[1]))
        for start in range(0, values.shape[1], step):
            by_cell = cells @ values[:, start : start + step]
            half = (rows @ by_cell.reshape(shape[0], -1)).reshape(*columns.shape, -1)
            out[:, start : start + step] = np.einsum("bl,blc->bc", columns, half)
        return out

    def occupied(self, defined: BoolArray) -> IntArray:
        """Clusters of each way that hold a defined value, (n_ways, n_columns)."""
        flags = defined.astype(np.float64)
        return np.array(
            [
                (_indicator(code, draws.shape[1]) @ flags > 0).sum(axis=0)
                for code, draws in zip(self.codes, self.draws, strict=True)
            ]
        )

    def _two_ways(self) -> tuple[tuple[IntArray, ...], tuple[Floats, ...]]:
        """One way is two, of which the second has a single cluster, drawn once each time."""
        if len(self.codes) > 1:
            return self.codes, self.draws
        everyone, once = np.zeros_like(self.codes[0]), np.ones((len(self.draws[0]), 1))
        return (*self.codes, everyone), (*self.draws, once)


@dataclass(frozen=True, slots=True)
class IntervalEstimate:
    """Means over defined values with their 95 % intervals, (n_columns,) each.

    ``n`` counts the defined values, ``clusters``, (n_ways, n_columns), the clusters they lie in.
    """

    mean: Floats
    low: Floats
    high: Floats
    n: IntArray
    clusters: IntArray

    @property
    def fewest(self) -> IntArray:
        """Clusters in the way that has fewest, (n_columns,)."""
        return self.clusters.min(axis=0)

    def evidence(self, ways: Sequence[str]) -> dict[str, Any]:
        """What stands beside the means in a table, by column: limits, clusters, and a note.

        ``ways`` name the ways of clustering; the note says why there is no interval.
        """
        counts = [dict(zip(ways, column, strict=True)) for column in self.clusters.T]
        return {
            "low": self.low,
            "high": self.high,
            "n_clusters": self.fewest,
            "clusters": [format_clusters(each) for each in counts],
            "note": [interval_note(each) for each in counts],
        }


def estimate(values: FloatArray, resamples: Resamples) -> IntervalEstimate:
    """Mean of each column over its defined values, with the interval of the clustered bootstrap.

    A resample's mean is ``sum(w x) / sum(w)`` over the column's defined values; resamples that
    drew none of them are left out. Mean NaN where nothing is defined; limits NaN where either way
    has fewer than ``MIN_CLUSTERS`` clusters with a defined value.
    """
    defined = ~np.isnan(values)
    filled = np.where(defined, values, 0.0)
    masks, of_column = _distinct(defined)
    n = defined.sum(axis=0)
    clusters = resamples.occupied(masks)[:, of_column]
    low, high = np.full((2, len(n)), np.nan)
    enough = clusters.min(axis=0) >= MIN_CLUSTERS
    weights = resamples.sums(masks.astype(np.float64))[:, of_column[enough]]
    low[enough], high[enough] = _limits(_ratio(resamples.sums(filled[:, enough]), weights))
    return IntervalEstimate(_ratio(filled.sum(axis=0), n), low, high, n, clusters)


def format_clusters(counts: Mapping[str, int]) -> str:
    """Numbers of clusters by way as a table's column has them: ``12 parent x 1 cell_line``."""
    return " x ".join(f"{n} {way}" for way, n in counts.items())


def parse_clusters(text: str) -> dict[str, int]:
    """The inverse of :func:`format_clusters`."""
    pairs = (each.split(" ", 1) for each in text.split(" x "))
    return {way: int(n) for n, way in pairs}


def interval_note(counts: Mapping[str, int]) -> str:
    """Why there is no interval with that many clusters in each way; empty where there is one."""
    if not all(counts.values()):
        return "no query with a value"
    few = [f"{n} {way}" for way, n in counts.items() if n < MIN_CLUSTERS]
    return f"no interval: {' and '.join(few)}, fewer than {MIN_CLUSTERS}" if few else ""


def _multiplicities(n_clusters: int, n_boot: int, rng: np.random.Generator) -> Floats:
    """How often each of n clusters is drawn in n draws with replacement, (n_boot, n_clusters)."""
    drawn = rng.integers(n_clusters, size=(n_boot, n_clusters))
    drawn += np.arange(n_boot)[:, None] * n_clusters
    counts = np.bincount(drawn.ravel(), minlength=drawn.size)
    return counts.reshape(n_boot, n_clusters).astype(np.float64)


def _indicator(codes: IntArray, n_clusters: int) -> csr_array:
    """(n_clusters, n_queries), 1 where a query lies in a cluster: its product sums by cluster."""
    entries = np.ones(len(codes)), (codes, np.arange(len(codes)))
    return csr_array(entries, shape=(n_clusters, len(codes)))


def _distinct(flags: BoolArray) -> tuple[BoolArray, IntArray]:
    """The distinct columns, and which of them each column is: most share theirs."""
    packed = np.packbits(flags, axis=0)
    _, first, of_column = np.unique(packed, axis=1, return_index=True, return_inverse=True)
    return flags[:, first], of_column


def _limits(means: Floats) -> Floats:
    """The percentile interval of each column, (2, n_columns); empty resamples (NaN) left out."""
    limits = np.quantile(means, TAILS, axis=0)
    some = np.isnan(means).any(axis=0)
    limits[:, some] = np.nanquantile(means[:, some], TAILS, axis=0)
    return limits


def _ratio(sums: FloatArray, weights: FloatArray) -> Floats:
    """The quotient, NaN where nothing weighs."""
    return np.divide(sums, weights, out=np.full(sums.shape, np.nan), where=weights > 0)
