"""Lines by drugs that were all measured: their products with each other, and weighted sums.

What weights are learned from; as of a :class:`~lgr_core.retrieval.gate.Gate`, no measured vector
comes out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray

_GENES = 250
"""Genes mixed at a time: 15 MB for 40 lines and 379 drugs."""


class Crossing:
    """The n queries of a block, their drugs in other lines, and other drugs here and there.

    Parameters
    ----------
    elsewhere
        (n_lines, n_drugs, genes) float32, the deltas of drugs in other lines.
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
        elsewhere: FloatArray,
        here: FloatArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> None:
        self.pool, self.own, self.kept = pool, own, kept
        self._elsewhere, self._here, self._n_genes = elsewhere, here, here.shape[1]
        self._lines = self._line_products()

    def lines(self) -> tuple[FloatArray, FloatArray]:
        """Mean products over genes of lines, over the pool's drugs that each query may read.

        Of the other lines with each other, (n, n_lines, n_lines), and with the block's, (n,
        n_lines).
        """
        each = np.tensordot(self.kept.astype(float), self._lines, 1)
        return each[:, :-1, :-1], each[:, :-1, -1]

    def other_lines(self) -> FloatArray:
        """Mean products of the other lines, over all drugs of the pool: (n_lines, n_lines)."""
        return self._lines[:, :-1, :-1].sum(axis=0)

    def drugs(self, mix: FloatArray) -> FloatArray:
        """Mean products of drugs, averaged over mixtures of the other lines: (n_drugs, n_drugs).

        A row of ``mix``, (n_mixtures, n_lines), makes one vector a drug.
        """
        n_lines, n_drugs, _ = self._elsewhere.shape
        total = np.zeros((n_drugs, n_drugs))
        for start in range(0, self._n_genes, _GENES):
            values = self._elsewhere[:, :, start : start + _GENES].reshape(n_lines, -1)
            mixed = (mix.astype(np.float32) @ values).reshape(len(mix), n_drugs, -1)
            rows = np.ascontiguousarray(mixed.swapaxes(0, 1)).reshape(n_drugs, -1)
            total += rows @ rows.T
        return total / (len(mix) * self._n_genes)

    def combine(self, w: FloatArray, v: FloatArray) -> FloatArray:
        """``sum_l w_l x[d, l] + sum_j v_j (x[j, c] - sum_l w_l x[j, l])``, (n, genes) float32.

        ``w`` is (n, n_lines), ``v`` (n, n_pool), 0 where a query may not read; d is a query's drug
        and c the block's line.
        """
        v = np.where(self.kept, v, 0)
        departs = np.zeros((len(v), self._elsewhere.shape[1]))
        departs[:, self.pool] = -v
        departs[np.arange(len(v)), self.own] += 1
        summed = v @ self._here.astype(np.float64)
        for values, weight in zip(self._elsewhere, w.T, strict=True):
            summed += weight[:, None] * (departs @ values.astype(np.float64))
        return summed.astype(np.float32)

    def _line_products(self) -> NDArray[np.float64]:
        """Of each drug of the pool, (n_pool, n_lines + 1, n_lines + 1), the block's line last."""
        n = len(self._elsewhere) + 1
        each = np.empty((len(self._here), n, n))
        for products, drug, here in zip(each, self.pool, self._here, strict=True):
            values = np.vstack([self._elsewhere[:, drug], here])
            products[:] = values @ values.T
        each /= self._n_genes
        return each
