"""Lines by drugs that were all measured: their products with each other, and weighted sums.

What weights are learned from; as of a :class:`~lgr_core.retrieval.gate.Gate`, no measured vector
comes out.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray

_GENES = 250
"""Genes mixed at a time: 15 MB for 40 lines and 379 drugs."""


class Elsewhere:
    """Drugs in other lines, and products of them that are the same for many blocks.

    Parameters
    ----------
    rows
        (n_lines, n_drugs), where in the atlas they stand.
    deltas
        (n_lines, n_drugs, genes) float32.
    """

    def __init__(self, rows: IntArray, deltas: FloatArray) -> None:
        self.rows, self.deltas = rows, deltas
        self._drugs: dict[bytes, FloatArray] = {}

    @cached_property
    def lines(self) -> NDArray[np.float64]:
        """Mean products over genes of lines, drug by drug, (n_drugs, n_lines, n_lines)."""
        n_lines, n_drugs, n_genes = self.deltas.shape
        each = np.empty((n_drugs, n_lines, n_lines))
        for products, values in zip(each, self.deltas.swapaxes(0, 1), strict=True):
            drug = np.ascontiguousarray(values)
            products[:] = drug @ drug.T
        each /= n_genes
        return each

    def drugs(self, mix: FloatArray) -> FloatArray:
        """Mean products of drugs, averaged over mixtures of the lines: (n_drugs, n_drugs).

        A row of ``mix``, (n_mixtures, n_lines), makes one vector a drug.
        """
        key = mix.tobytes()
        if key not in self._drugs:
            self._drugs[key] = self._mixed(mix)
        return self._drugs[key]

    def _mixed(self, mix: FloatArray) -> FloatArray:
        n_lines, n_drugs, n_genes = self.deltas.shape
        total = np.zeros((n_drugs, n_drugs))
        for start in range(0, n_genes, _GENES):
            values = self.deltas[:, :, start : start + _GENES].reshape(n_lines, -1)
            mixed = (mix.astype(np.float32) @ values).reshape(len(mix), n_drugs, -1)
            rows = np.ascontiguousarray(mixed.swapaxes(0, 1)).reshape(n_drugs, -1)
            total += rows @ rows.T
        return total / (len(mix) * n_genes)


class Crossing:
    """The n queries of a block, their drugs in other lines, and other drugs here and there.

    Parameters
    ----------
    elsewhere
        The deltas of drugs in other lines.
    here
        (n_pool, genes) float32, the deltas of the pool in the block's line.
    pool, own
        (n_pool,) and (n,), which of the drugs are the pool's, and which each query's.
    kept
        (n, n_pool), which deltas of the pool each query may read. Those in other lines are read
        by all.
    """

    def __init__(
        self,
        elsewhere: Elsewhere,
        here: FloatArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> None:
        self.pool, self.own, self.kept = pool, own, kept
        self._elsewhere, self._here = elsewhere, here

    def lines(self) -> tuple[FloatArray, FloatArray]:
        """Mean products over genes of lines, over the pool's drugs that each query may read.

        Of the other lines with each other, (n, n_lines, n_lines), and with the block's, (n,
        n_lines).
        """
        kept = self.kept.astype(float)
        return np.tensordot(kept, self._elsewhere.lines[self.pool], 1), kept @ self._with_here

    def other_lines(self) -> FloatArray:
        """Mean products of the other lines, over all drugs of the pool: (n_lines, n_lines)."""
        return self._elsewhere.lines[self.pool].sum(axis=0)

    def drugs(self, mix: FloatArray) -> FloatArray:
        """Mean products of drugs, averaged over mixtures of the other lines: (n_drugs, n_drugs).

        A row of ``mix``, (n_mixtures, n_lines), makes one vector a drug.
        """
        return self._elsewhere.drugs(mix)

    def combine(self, w: FloatArray, v: FloatArray) -> FloatArray:
        """``sum_l w_l x[d, l] + sum_j v_j (x[j, c] - sum_l w_l x[j, l])``, (n, genes) float32.

        ``w`` is (n, n_lines), ``v`` (n, n_pool), 0 where a query may not read; d is a query's drug
        and c the block's line.
        """
        v, deltas = np.where(self.kept, v, 0), self._elsewhere.deltas
        departs = np.zeros((len(v), deltas.shape[1]), dtype=np.float32)
        departs[:, self.pool] = -v
        departs[np.arange(len(v)), self.own] += 1
        summed = v @ self._here.astype(np.float64)
        for values, weight in zip(deltas, w.T, strict=True):
            summed += weight[:, None] * (departs @ values)
        return summed.astype(np.float32)

    @cached_property
    def _with_here(self) -> NDArray[np.float64]:
        """Of each drug of the pool, the other lines with the block's, (n_pool, n_lines)."""
        n_genes = self._here.shape[1]
        each = [np.vecdot(line[self.pool], self._here) for line in self._elsewhere.deltas]
        return np.column_stack(each) / float(n_genes)
