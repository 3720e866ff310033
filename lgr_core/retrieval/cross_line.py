"""Gram matrices of drug effects across cell lines, computed without exposing the deltas.

What weights are learned from; as of a :class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`,
no measured vector comes out, only products of vectors and weighted sums of them.

Throughout, ``x[d, l]``, (genes,), is the measured change of drug d in line l; c is the block's line
and L the number of other lines, D the number of drugs measured in any of them. Ridge regression
needs x by inner products alone (the kernel trick), so a block is given Gram matrices over lines,
(L, L), and over drugs, (D, D), and gives back weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.retrieval.line_slopes import LineSlopes, line_slopes

_VALUES = 25_000
"""About so many of each drug, over lines and evenly taken genes, tell how alike drugs are."""

_KEPT = 8
"""Products of drugs that are kept for further blocks, 1 MB each for 379 drugs."""


class EffectTensor:
    """All that some evidence opens at one dose: lines by drugs, those with any row.

    Parameters
    ----------
    lines, drugs
        Their numbers in the labels, ascending.
    rows
        (n_lines, n_drugs), where in the atlas they stand, -1 where a drug was not measured.
    deltas
        (n_lines, n_drugs, genes) float32, zeros where it was not.
    """

    def __init__(
        self, lines: IntArray, drugs: IntArray, rows: IntArray, deltas: FloatArray
    ) -> None:
        self.lines, self.drugs, self.rows, self.deltas = lines, drugs, rows, deltas

    @cached_property
    def some(self) -> FloatArray:
        """Of each drug, (n_drugs, n_lines, some), as many genes as make ``_VALUES`` of it."""
        return np.ascontiguousarray(self.deltas[:, :, self.genes].swapaxes(0, 1))

    @property
    def genes(self) -> slice:
        """Which genes these are."""
        n_lines, _, n_genes = self.deltas.shape
        return slice(None, None, max(1, n_lines * n_genes // _VALUES))

    @cached_property
    def products(self) -> NDArray[np.float64]:
        """Mean products over these genes of lines, drug by drug, (n_drugs, n_lines, n_lines)."""
        return _products(self.some)


class OtherLines:
    """The lines of a tensor but for some, their gaps filled.

    Where a drug was not measured stands the line's mean, and the drug's mean departure from the
    means of those lines that measured it.

    ``left_out`` are the numbers of the lines left out; ``rows``, (n_lines, n_drugs), are the
    others' rows, ``line_numbers``, (n_lines,), their lines' numbers.
    """

    def __init__(self, tensor: EffectTensor, left_out: Sequence[int]) -> None:
        self.drugs = tensor.drugs
        self._effect_tensor = tensor
        self._others = np.flatnonzero(~np.isin(tensor.lines, left_out))
        self.line_numbers: IntArray = tensor.lines[self._others]
        self.rows = tensor.rows[self._others]
        self.measured: BoolArray = self.rows >= 0
        self._whole = bool(self.measured.all())
        measured = self.measured.astype(np.float32)
        self._of_drug = measured / np.maximum(measured.sum(axis=0), 1)
        self._of_line = measured / np.maximum(measured.sum(axis=1, keepdims=True), 1)
        self._likeness: dict[bytes, NDArray[np.float64]] = {}

    @property
    def known(self) -> BoolArray:
        """(n_drugs,) which drugs were measured in any of the other lines."""
        return np.any(self.measured, axis=0)

    @cached_property
    def lines(self) -> NDArray[np.float64]:
        """Mean products over genes of lines, drug by drug, (n_drugs, n_lines, n_lines)."""
        if self._whole:
            return self._effect_tensor.products[:, self._others[:, None], self._others]
        return _products(self._values)

    @cached_property
    def departures(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean products over genes of lines' departures from the drugs' means, (n_lines, n_lines).

        Of what drugs have in common in a line, and, averaged over drugs, of what is left of each.
        """
        values = self._values[:, self._places]
        left = values - values.mean(axis=1, keepdims=True)
        shared = left.mean(axis=0)
        of_shared = (shared @ shared.T).astype(np.float64) / shared.shape[1]
        return of_shared, _products(left - shared).mean(axis=0)

    def slopes(self, z: FloatArray) -> LineSlopes:
        """Slopes of the changes on a feature of lines, ``z`` (n_lines, genes); NaN: no value."""
        return line_slopes(self._effect_tensor.deltas[self._others], self.measured, z)

    def with_here(self, here: FloatArray, pool: IntArray) -> NDArray[np.float64]:
        """Mean products over genes of the other lines with deltas of the line left out.

        ``here`` is (n_pool, genes), ``pool``, (n_pool,), are their drugs; (n_pool, n_lines).
        """
        values, here = self._values, np.ascontiguousarray(here[:, self._effect_tensor.genes])
        found = np.empty((len(pool), values.shape[1]))
        for products, drug, own in zip(found, pool, here, strict=True):
            products[:] = values[drug] @ own
        return found[:, self._places] / here.shape[1]

    def likeness(self, mix: FloatArray) -> NDArray[np.float64]:
        """Mean products of drugs, averaged over mixtures of the lines: (n_drugs, n_drugs).

        A row of ``mix``, (n_mixtures, n_lines), makes one vector a drug.
        """
        key = mix.tobytes()
        if key not in self._likeness:
            if len(self._likeness) == _KEPT:
                self._likeness.clear()
            self._likeness[key] = self._mixed(mix)
        return self._likeness[key]

    def spread(self, w: FloatArray, departs: FloatArray) -> FloatArray:
        """Weights on conditions, (n, n_lines, n_drugs), for ``w`` (n, n_lines) times ``departs``.

        ``departs`` is (n, n_drugs); the weight of what was not measured goes to what stands for it.
        """
        weights = w.astype(np.float32)[:, :, None] * departs[:, None, :]
        if self._whole:
            return weights
        # A gap is filled by  x[d, l] = mean_l + mean_{l' of d} (x[d, l'] - mean_l'),  an additive
        # model of line and drug. It is linear in what was measured, so a weight W on a gap can be
        # moved onto measured conditions instead: W / n_d on each row of the drug, W / n_l on each
        # row of the line, and -W / n_d on the mean of every line l' that measured the drug.
        missing = np.where(self.measured, 0, weights)
        of_drug = missing.sum(axis=1)
        of_line = missing.sum(axis=2) - of_drug @ self._of_drug.T
        weights -= missing
        weights += of_drug[:, None, :] * self._of_drug
        weights += of_line[:, :, None] * self._of_line
        return weights

    def combine(self, weights: FloatArray) -> FloatArray:
        """Weighted sums of the conditions, (n, genes) float32; ``weights`` as of :meth:`spread`."""
        deltas = self._effect_tensor.deltas
        each = np.zeros((len(weights), *deltas.shape[:2]), dtype=np.float32)
        each[:, self._others] = weights
        return each.reshape(len(each), -1) @ deltas.reshape(-1, deltas.shape[2])

    @property
    def _places(self) -> IntArray:
        """(n_lines,) where the other lines stand in the values."""
        return self._others if self._whole else np.arange(len(self._others))

    @cached_property
    def _values(self) -> FloatArray:
        """Some genes of each drug in every line, (n_drugs, n_lines, some), gaps filled.

        Without gaps they are the survey's own, the line left out among them.
        """
        if self._whole:
            return self._effect_tensor.some
        values = self._effect_tensor.some[:, self._others]
        of_line = np.einsum("ld,dlg->lg", self._of_line, values)
        departs = np.einsum("ld,dlg->dg", self._of_drug, values) - self._of_drug.T @ of_line
        lines, drugs = np.nonzero(~self.measured)
        values[drugs, lines] = of_line[lines] + departs[drugs]
        return values

    def _mixed(self, mix: FloatArray) -> NDArray[np.float64]:
        # With M the mixtures, (n_mixtures, L): row d becomes M x[d], (n_mixtures * genes,), and the
        # Gram matrix is  K[d, e] = sum_m <(M x[d])_m, (M x[e])_m> / (n_mixtures * genes).
        values = self._values
        every = np.zeros((len(mix), values.shape[1]), dtype=np.float32)
        every[:, self._places] = mix
        rows = (every @ values).reshape(len(values), -1)
        return (rows @ rows.T).astype(np.float64) / rows.shape[1]


def _products(values: FloatArray) -> NDArray[np.float64]:
    """Mean products over genes of lines, drug by drug: of (n_drugs, n_lines, genes)."""
    return (values @ values.swapaxes(1, 2)).astype(np.float64) / values.shape[2]


class CrossLineProducts:
    """The n queries of a block, their drugs in other lines, and other drugs here and there.

    Parameters
    ----------
    other_lines
        Drugs in other lines.
    rows, here
        (n_pool,) and (n_pool, genes) float32: the pool in the block's line, of which every drug
        was measured elsewhere too.
    pool, own
        (n_pool,) and (n,), which of the drugs elsewhere are the pool's, and which each query's.
    kept
        (n, n_pool), which deltas of the pool each query may read. Those in other lines are read
        by all.
    """

    def __init__(
        self,
        other_lines: OtherLines,
        rows: IntArray,
        here: FloatArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> None:
        self.pool, self.own, self.kept = pool, own, kept
        self._other_lines, self._rows, self._here = other_lines, rows, here

    @property
    def rows(self) -> IntArray:
        """The conditions that weights stand on, (m,): those elsewhere, then those here."""
        other_lines = self._other_lines
        return np.concatenate([other_lines.rows[other_lines.measured], self._rows])

    @property
    def n_lines(self) -> int:
        """How many other lines there are."""
        return len(self._other_lines.rows)

    def lines(self) -> tuple[FloatArray, FloatArray]:
        """Mean products over genes of lines, over the pool's drugs that each query may read.

        Of the other lines with each other, (n, n_lines, n_lines), and with the block's, (n,
        n_lines).
        """
        others = np.tensordot(self.kept.astype(float), self._other_lines.lines[self.pool], 1)
        return others, self.with_here()

    def with_here(self) -> FloatArray:
        """(n, n_lines) mean products of the other lines with the block's, over the kept drugs."""
        return self.kept.astype(float) @ self._other_lines.with_here(self._here, self.pool)

    def here(self, v: FloatArray) -> FloatArray:
        """(n, genes) weighted sums of the block's line, for weights (n, n_pool)."""
        return v.astype(np.float32) @ self._here

    def other_lines(self) -> FloatArray:
        """Mean products of the other lines, over all drugs of the pool: (n_lines, n_lines)."""
        return self._other_lines.lines[self.pool].sum(axis=0)

    def drugs(self, mix: FloatArray) -> FloatArray:
        """Mean products of drugs elsewhere, averaged over mixtures of lines: (n_drugs, n_drugs).

        A row of ``mix``, (n_mixtures, n_lines), makes one vector a drug.
        """
        return self._other_lines.likeness(mix)

    def combine(self, w: FloatArray, v: FloatArray) -> FloatArray:
        """``sum_l w_l x[d, l] + sum_j v_j (x[j, c] - sum_l w_l x[j, l])``, (n, genes) float32.

        ``w`` is (n, n_lines), ``v`` (n, n_pool), 0 where a query may not read; d is a query's drug
        and c the block's line.
        """
        v = np.where(self.kept, v, 0)
        # Sorted by condition: v_j on x[j, c], and w_l (e_d - v)_j on x[j, l], an outer product of
        # lines and drugs, with e_d = 1 at the query's own drug.
        weights = self._other_lines.spread(w, self._own(v) - self._neighbors(v))
        return self.here(v) + self._other_lines.combine(weights)

    def weights(self, w: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The three terms of the sum on :attr:`rows`, (n, m) each.

        The drug elsewhere, other drugs here, and other drugs elsewhere.
        """
        v = np.where(self.kept, v, 0)
        measured = self._other_lines.measured
        other_lines = self._other_lines.spread(w, self._own(v) - self._neighbors(v))[:, measured]
        of_drug = np.nonzero(measured)[1] == self.own[:, None]
        none, nothing = np.zeros_like(v), np.zeros_like(other_lines)
        return (
            np.hstack([np.where(of_drug, other_lines, 0), none]),
            np.hstack([nothing, v]),
            np.hstack([np.where(of_drug, 0, other_lines), none]),
        )

    def _own(self, v: FloatArray) -> FloatArray:
        """(n, n_drugs): 1 at each query's drug."""
        each = np.zeros((len(v), len(self._other_lines.drugs)), dtype=np.float32)
        each[np.arange(len(v)), self.own] = 1
        return each

    def _neighbors(self, v: FloatArray) -> FloatArray:
        """(n, n_drugs): ``v`` at the pool's drugs."""
        each = np.zeros((len(v), len(self._other_lines.drugs)), dtype=np.float32)
        each[:, self.pool] = v
        return each
