"""What many queries read together: averages of measured deltas, each as its evidence allows.

A :class:`EvidenceGuard` never hands out a measured vector: it returns averages, and leaves out of each, or
refuses, what that query may not read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.errors import LeakageError
from lgr_core.retrieval.cross_line import CrossLineProducts
from lgr_core.retrieval.sums import Sums

if TYPE_CHECKING:
    from lgr_core.retrieval.query_block import QueryBlock


class MeanOver(StrEnum):
    """What a mean is taken over, at the block's dose."""

    LINE = "line"
    DRUG = "drug"
    EVERYWHERE = "everywhere"


class VectorBasis(StrEnum):
    """What weights stand on: drugs in the block's line, or their means over all lines."""

    LINE = "line"
    DRUG_MEANS = "drug_means"


_FEW = 10
"""Weights are taken as sparse where fewer than one in so many is not zero."""


class EvidenceGuard:
    """Averages of measured deltas for the n queries of a block, as their evidence allows.

    ``line`` is the place of the block's line in ``labels.lines``.
    """

    def __init__(self, block: QueryBlock, evidence: frozenset[Evidence]) -> None:
        self.evidence = evidence
        self._block, self._reader, self._labels = block, block._reader, block.labels  # noqa: SLF001
        labels = self._labels
        self.line = int(pd.Index(labels.lines).get_indexer([block.cell_line])[0])
        self._parents = block.parents
        self._reach = self._reader.readable_rows(evidence, self.line)
        self._at_dose = labels.at_dose(block.dose_um)
        self._read: dict[tuple[MeanOver, int], Sums] = {}

    def allows(self, queries: IntArray, rows: IntArray) -> BoolArray:
        """Whether each query may read the row beside it; both (m,), or what broadcasts."""
        labels = self._labels
        same_parent = labels.parent[rows] == self._parents[queries]
        allowed = self._reach[rows] & ~((labels.line[rows] == self.line) & same_parent)
        if Evidence.TRUTH in self.evidence:
            allowed |= rows == self._block.rows[queries]
        return allowed

    def mean(self, over: MeanOver) -> tuple[FloatArray, IntArray]:
        """The mean over the rows that each query may read: (n, genes) float32, counts (n,).

        At the block's dose, and NaN where there is no row. The query's own (line, parent) is left
        out of the line's and the overall mean, and of the mean of its drug.
        """
        read = self._sums(over)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(read.counts[:, None] > 0, read.totals / read.counts[:, None], np.nan)
        return means.astype(np.float32), read.counts

    def agreement(self, over: MeanOver) -> FloatArray:
        """How alike the rows are that each query may read, (n,), from 0 to 1; NaN without rows.

        The mean square of their mean over the mean of their squares: of m rows that share nothing
        it is 1/m.
        """
        read = self._sums(over)
        squares = self._sums(over, 2).totals.mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            shared = np.square(read.totals).mean(axis=1) / read.counts
            return np.where(squares > 0, shared / squares, np.nan)

    def spread(self, over: MeanOver) -> FloatArray:
        """The standard deviation of the rows that each query may read, (n, genes) float32.

        Of one row it is 0; NaN where there is none.
        """
        read = self._sums(over)
        counts = np.where(read.counts > 0, read.counts, np.nan)[:, None]
        variance = self._sums(over, 2).totals / counts - np.square(read.totals / counts)
        return np.sqrt(np.maximum(variance, 0)).astype(np.float32)

    def _sums(self, over: MeanOver, power: int = 1) -> Sums:
        """Sums for each of the n queries: what is shared, less its own unit."""
        if (over, power) not in self._read:
            self._read[over, power] = self._sums_over(over, power)
        return self._read[over, power]

    def _sums_over(self, over: MeanOver, power: int) -> Sums:
        reader, block = self._reader, self._block
        sums = reader.sums(self.evidence, self.line, block.dose_um, over, power)
        group = np.zeros(len(block), dtype=np.intp)
        if over is MeanOver.DRUG:
            group = self._labels.drug_numbers(block.drugs)
        own = self._own_rows(group if over is MeanOver.DRUG else None, power)
        # A drug that the atlas does not hold has no sum of its own.
        known = group >= 0
        return Sums(
            np.where(known[:, None], sums.totals[group], 0) - own.totals,
            np.where(known, sums.counts[group], 0) - own.counts,
        )

    def names(self, basis: VectorBasis) -> tuple[str, ...]:
        """The drugs that the columns of weights stand for, sorted."""
        if basis is VectorBasis.LINE:
            return self._labels.measured(self._block.cell_line, self._block.dose_um)[0]
        return tuple(self._labels.drugs)

    def opened(self, basis: VectorBasis) -> BoolArray:
        """(n_names,) which vectors some row that the evidence opens stands behind."""
        opened = csr_array(self._members(basis)[:, np.flatnonzero(self._reach)])
        return np.diff(opened.indptr) > 0

    def combine(self, weights: csr_array, basis: VectorBasis) -> FloatArray:
        """Weighted sums of measured deltas or of drug means, (n, genes) float32.

        ``weights`` is (n, n_names), its columns beside :meth:`names`.

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read, or on nothing.
        """
        weights = csr_array(weights)
        weights.eliminate_zeros()
        self._check(weights, self._members(basis))
        return weights.astype(np.float32) @ self._vectors(basis)

    def grid(self) -> IntArray:
        """(n_lines, n_drugs) the opened rows at the block's dose, -1 where there is none.

        A query's own unit is among them: numbers alone tell nothing.
        """
        labels = self._labels
        rows = np.flatnonzero(self._reach & self._at_dose)
        grid = np.full((len(labels.lines), len(labels.drugs)), -1, dtype=np.intp)
        grid[labels.line[rows], labels.drug[rows]] = rows
        return grid

    def combine_rows(self, weights: FloatArray, rows: IntArray) -> FloatArray:
        """Weighted sums of the deltas of rows, (n, genes) float32; ``weights`` is (n, n_rows).

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read.
        """
        sparse = csr_array(weights)
        queries, places = sparse.nonzero()
        self._refuse_rows(rows[places][~self.allows(queries, rows[places])])
        few = sparse.nnz < weights.size / _FEW
        return (sparse if few else weights).astype(np.float32) @ self._reader.deltas(rows)

    def cross_line_products(self) -> CrossLineProducts:
        """The block's line beside all others, at its dose.

        Raises
        ------
        LeakageError
            If the evidence opens one of the queries' drugs in no other line.
        """
        shared = self.evidence - {Evidence.TARGET_POOL}
        elsewhere = self._reader.other_lines_of(shared, self._block.dose_um, self.line)
        numbers = self._labels.drug_numbers(self._block.drugs)
        lacking = ~np.isin(numbers, elsewhere.drugs[elsewhere.known])
        if lacking.any():
            self._refuse("a drug in other lines", int(lacking.sum()))
        own = np.searchsorted(elsewhere.drugs, numbers)
        here = self.grid()[self.line][elsewhere.drugs]
        pool = np.flatnonzero((here >= 0) & elsewhere.known)
        rows = here[pool]
        deltas, kept = self._reader.deltas(rows), self._readable(rows)
        return CrossLineProducts(elsewhere, rows, deltas, pool=pool, own=own, kept=kept)

    def weighted_agreement(self, weights: csr_array, basis: VectorBasis) -> FloatArray:
        """How alike the vectors are that :meth:`combine` would sum, (n,); NaN without a weight.

        As :meth:`agreement`, each vector counting by its weight, of which none may be negative.

        Raises
        ------
        LeakageError
            As for :meth:`combine`.
        """
        summed = self.combine(weights, basis).astype(np.float64)
        squares = weights @ np.square(self._vectors(basis), dtype=np.float64).mean(axis=1)
        shared = np.square(summed).mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(squares > 0, shared / (squares * weights.sum(axis=1)), np.nan)

    def truth(self) -> FloatArray:
        """The queries' own measured deltas, (n, genes).

        Raises
        ------
        LeakageError
            If TRUTH is not declared, or a query was not measured.
        """
        rows = self._block.rows
        if Evidence.TRUTH not in self.evidence or (rows < 0).any():
            self._refuse("the measured change of the query itself", len(rows))
        return self._reader.deltas(rows)

    def correlation(self, basis: VectorBasis) -> FloatArray:
        """Pearson of each query's own measured delta with each vector of the basis, (n, n_names).

        NaN where the query may not read it, or it is constant.
        """
        members = self._members(basis)
        r = _standard(self.truth()) @ _standard(self._vectors(basis)).T
        r[:, np.diff(members.indptr) == 0] = np.nan
        own = members.indices == self._block.rows[:, None]
        queries, read = np.nonzero(~self._readable(members.indices) | own)
        names = np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))
        r[queries, names[read]] = np.nan
        return r

    def _members(self, basis: VectorBasis) -> csr_array:
        """Which rows each vector of the basis averages, (n_names, n_conditions)."""
        block, labels = self._block, self._labels
        if basis is VectorBasis.LINE:
            names, rows = labels.measured(block.cell_line, block.dose_um)
            place, n = np.arange(len(names)), len(names)
        else:
            rows = np.flatnonzero(self._reach & self._at_dose)
            place, n = labels.drug[rows], len(labels.drugs)
        return csr_array((np.ones(len(rows)), (place, rows)), shape=(n, len(labels.line)))

    def _vectors(self, basis: VectorBasis) -> FloatArray:
        """The vectors themselves, (n_names, genes) float32; to be averaged, not handed out."""
        block = self._block
        if basis is VectorBasis.LINE:
            _, rows = self._labels.measured(block.cell_line, block.dose_um)
            return self._reader.deltas(rows)
        sums = self._reader.sums(self.evidence, self.line, block.dose_um, MeanOver.DRUG)
        return (sums.totals / np.maximum(sums.counts, 1)[:, None]).astype(np.float32)

    def _check(self, weights: csr_array, members: csr_array) -> None:
        empty = np.diff(members.indptr)[weights.indices] == 0
        if empty.any():
            self._refuse(f"the mean of {empty.sum()} drugs that no row opens", int(empty.sum()))
        read = (abs(weights) @ members).tocoo()
        self._refuse_rows(read.col[~self.allows(read.row, read.col)])

    def _readable(self, rows: IntArray) -> BoolArray:
        """(n, n_rows) whether each query may read each row."""
        return self.allows(np.arange(len(self._block))[:, None], rows[None, :])

    def _refuse_rows(self, refused: IntArray) -> None:
        if len(refused):
            first = self._reader.store.condition(int(refused[0]))
            self._refuse(str(first), len(np.unique(refused)))

    def _own_rows(self, drugs: IntArray | None, power: int) -> Sums:
        """Sums over the rows of each query's own unit that the evidence would open."""
        reader, block, labels = self._reader, self._block, self._labels
        in_line = (labels.line == self.line) & self._at_dose & self._reach
        rows = np.flatnonzero(in_line)
        same = labels.parent[rows][None, :] == self._parents[:, None]
        if drugs is not None:
            same &= labels.drug[rows][None, :] == drugs[:, None]
        counts = same.sum(axis=1)
        totals = np.zeros((len(block), labels.n_genes))
        some = np.flatnonzero(counts)
        if len(some):
            own = csr_array(same[some].astype(float))
            totals[some] = own @ reader.deltas(rows).astype(np.float64) ** power
        return Sums(totals, counts)

    def _refuse(self, what: str, n: int) -> None:
        declared = ", ".join(sorted(self.evidence)) or "nothing"
        found = f"it reaches {n} row(s) beyond its evidence ({declared}), e.g. {what}"
        where = f"a read for {len(self._block)} queries in {self._block.cell_line}"
        raise LeakageError(where, found, "Declare the evidence or leave it.")


def _standard(values: FloatArray) -> NDArray[np.float64]:
    """Rows centred and of length 1, NaN where constant."""
    rows = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.full_like(rows, np.nan), where=norm > 0)
