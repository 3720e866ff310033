"""Deltas computed from partial sums when they are indexed, a run of rows at a time.

A row of deltas needs only the sums of its own groups and of its vehicle's, so the whole matrix is
never in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from lgr_core.atlas.partial_sums import Partials
from lgr_core.domain import FloatArray, IntArray

SUMS_AT_ONCE = 24_000_000
"""Group sums in memory at a time, in float64: 192 MB."""


@dataclass(frozen=True, slots=True)
class LazyRows:
    """A matrix (n_rows, n_genes) float32 that is computed when it is indexed by rows.

    ``W f(diag(s) P S)`` with the group sums S (n_groups, n_genes); ``pools`` P (n_profiles,
    n_groups), 0 or 1, adds the groups of a profile; ``scale`` s (n_profiles,) makes a sum a mean,
    or scales it to the target sum; f is ``ln(1 + x)`` where ``log`` is set, else the identity;
    ``weights`` W (n_rows, n_profiles) takes treated minus vehicle and averages replicates.
    """

    sums: Partials
    weights: sparse.csr_array
    pools: sparse.csr_array
    scale: FloatArray
    log: bool

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_genes)."""
        return self.weights.shape[0], self.sums.n_genes

    @property
    def dtype(self) -> np.dtype[Any]:
        """float32; sums and products are float64."""
        return np.dtype(np.float32)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: IntArray | slice) -> FloatArray:
        """Rows (n, n_genes), in the order asked for."""
        rows = np.arange(len(self))[rows]
        out = np.empty((len(rows), self.shape[1]), dtype=np.float32)
        start = 0
        while start < len(rows):
            stop = self._fitting(rows, start)
            out[start:stop] = self._computed(rows[start:stop])
            start = stop
        return out

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: ANN401, FBT001 - as NumPy calls it
        """All rows."""
        return np.asarray(self[np.arange(len(self))], dtype=dtype)

    def _fitting(self, rows: IntArray, start: int) -> int:
        """The end of a run of ``rows`` whose sums fit into memory; at least one row."""
        # Rows share vehicles, so the number of groups is only known for a given run; halving finds
        # one that fits in a few steps.
        room = max(1, SUMS_AT_ONCE // self.shape[1])
        n = min(room, len(rows) - start)
        while n > 1 and len(self._needed(rows[start : start + n])[1]) > room:
            n //= 2
        return start + n

    def _needed(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """The profiles with a weight in these rows, and the groups in these profiles, sorted."""
        profiles = np.unique(self.weights[rows].indices)
        return profiles, np.unique(self.pools[profiles].indices)

    def _computed(self, rows: IntArray) -> FloatArray:
        # Pooled before the logarithm, which is not linear: ln(1 + sum) is not a sum of ln(1 + x).
        # Restricted to the columns in use, so that only their sums are read from the files.
        profiles, groups = self._needed(rows)
        pooled = self.pools[profiles][:, groups] @ self.sums.sums(groups)
        pooled *= self.scale[profiles, np.newaxis]
        if self.log:
            np.log1p(pooled, out=pooled)
        return self.weights[rows][:, profiles] @ pooled


class CellMoments(NamedTuple):
    """Moments of genes and groups from one pass over all sums.

    ``within_variance`` (n_genes,) is the variance of log-normalised expression within groups,
    pooled over all; ``totals`` (n_groups,) are the sums over genes.
    """

    within_variance: FloatArray
    totals: FloatArray


def cell_moments(sums: Partials) -> CellMoments:
    """Within-group variances and group totals, from one pass over all sums.

    The pooled within-group variance of y is that of a one-way analysis of variance,
    ``(sum of y^2 - sum over groups g of (sum of y in g)^2 / n_g) / (n_cells - n_groups)`` with the
    groups that have cells; NaN where no group has two.
    """
    cells = sums.n_cells.astype(float)
    between, totals = np.zeros(sums.n_genes), np.zeros(sums.n_groups)
    for here, found in sums.in_slices(max(1, SUMS_AT_ONCE // sums.n_genes)):
        totals[here] = found.sum(axis=1)
        for row, n in zip(found, cells[here], strict=True):
            if n:
                between += row**2 / n
    freedom = int(sums.n_cells.sum()) - int(np.count_nonzero(cells))
    if freedom == 0:
        return CellMoments(np.full(sums.n_genes, np.nan), totals)
    # The difference of two large sums may fall below zero by rounding.
    return CellMoments(np.maximum(sums.moment("log_sumsq") - between, 0.0) / freedom, totals)
