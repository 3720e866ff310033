"""Deltas made of partial sums when they are asked for, some rows at a time, never all.

A row of deltas needs the sums of its own groups and of its vehicle's, no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from lgr_core.atlas.partial_sums import Partials
from lgr_core.domain import FloatArray, IntArray

SUMS_AT_ONCE = 24_000_000
"""Group sums held in float64: 192 MB."""


@dataclass(frozen=True, slots=True)
class LazyRows:
    """A matrix (n_rows, n_genes) float32 that is computed when it is indexed by rows.

    Row i is ``weights[i]`` (n_rows, n_profiles) times profiles, the pools (n_profiles, n_groups) of
    group sums times ``scale`` (n_profiles,), logged where ``log`` is set.
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
        """What is computed in float64 is given as float32."""
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
        """The end of a run of ``rows`` whose sums fit into memory; one row at least."""
        room = max(1, SUMS_AT_ONCE // self.shape[1])
        n = min(room, len(rows) - start)
        while n > 1 and len(self._needed(rows[start : start + n])[1]) > room:
            n //= 2
        return start + n

    def _needed(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """The profiles that these rows are made of, and the groups that those are made of."""
        profiles = np.unique(self.weights[rows].indices)
        return profiles, np.unique(self.pools[profiles].indices)

    def _computed(self, rows: IntArray) -> FloatArray:
        profiles, groups = self._needed(rows)
        pooled = self.pools[profiles][:, groups] @ self.sums.sums(groups)
        pooled *= self.scale[profiles, np.newaxis]
        if self.log:
            np.log1p(pooled, out=pooled)
        return self.weights[rows][:, profiles] @ pooled


class CellMoments(NamedTuple):
    """What is known of genes and groups once all sums were looked at.

    ``within_variance`` (n_genes,) is the variance of log-normalised expression within groups,
    pooled over all; ``totals`` (n_groups,) are the sums over genes.
    """

    within_variance: FloatArray
    totals: FloatArray


def cell_moments(sums: Partials) -> CellMoments:
    """Look at all sums once.

    The variance is (sum of y^2 - sum over groups of (sum of y in g)^2 / n_g) / (cells - groups);
    NaN where no group has two cells.
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
    return CellMoments(np.maximum(sums.moment("log_sumsq") - between, 0.0) / freedom, totals)
