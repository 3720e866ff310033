"""The guard of many queries' reads: averages of the rows that each of them may read.

For the n queries of a block an :class:`EvidenceGuard` hands out averages, and leaves out of each,
or refuses, what that query may not read (:class:`~lgr_core.retrieval.row_guard.RowGuard` decides).
Where vectors themselves are needed, they are those of one query's readable rows:
:meth:`EvidenceGuard.vectors`, or a :class:`~lgr_core.retrieval.row_guard.QueryReader`.

Queries of a block share almost all that they may read: everything that the evidence opens, less
their own unit: (line, parent compound), with the combinations that share that parent. So sums are
taken once over what is shared, and each query's own rows are subtracted::

    mean_q = (sum_{r opened} x_r  -  sum_{r in unit of q} x_r) / (n_opened - n_unit)

in float64, because a sum over a whole line less a few rows would lose digits in float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray, WellScope
from lgr_core.retrieval.condition_index import Queries
from lgr_core.retrieval.cross_line import CrossLineProducts, OtherLines
from lgr_core.retrieval.fold_evidence import FoldEvidence
from lgr_core.retrieval.row_guard import RowGuard
from lgr_core.retrieval.sums import MeanOver, Sums


class VectorBasis(StrEnum):
    """What weights stand on: drugs in the block's line, or their means over all lines."""

    LINE = "line"
    DRUG_MEANS = "drug_means"


_FEW = 10
"""Weights are taken as sparse where fewer than one in so many is not zero."""


class EvidenceGuard(RowGuard):
    """Averages of measured deltas for the n queries of a block, as their evidence allows."""

    def __init__(self, source: FoldEvidence, block: Queries, evidence: frozenset[Evidence]) -> None:
        super().__init__(source, block, evidence)
        self._at_dose = self._labels.at_dose(block.dose_um)
        self._read: dict[tuple[MeanOver, int], Sums] = {}

    # -- means over whatever may be read -------------------------------------------------------

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

        The mean square of their mean over the mean of their squares, ``|mean x|^2 / mean |x|^2``:
        of m rows that share nothing it is 1/m.
        """
        read = self._sums(over)
        squares = self._sums(over, 2).totals.mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            # |S / m|^2 / (Q / m) = |S|^2 / (m Q) for sums S of m rows and Q of their squares.
            shared = np.square(read.totals).mean(axis=1) / read.counts
            return np.where(squares > 0, shared / squares, np.nan)

    def spread(self, over: MeanOver) -> FloatArray:
        """The standard deviation of the rows that each query may read, (n, genes) float32.

        Of one row it is 0; NaN where there is none.
        """
        read = self._sums(over)
        counts = np.where(read.counts > 0, read.counts, np.nan)[:, None]
        # E[x^2] - E[x]^2, from sums alone: below 0 by rounding only, where all rows are alike.
        variance = self._sums(over, 2).totals / counts - np.square(read.totals / counts)
        return np.sqrt(np.maximum(variance, 0)).astype(np.float32)

    # -- weighted sums -------------------------------------------------------------------------

    def names(self, basis: VectorBasis) -> tuple[str, ...]:
        """The drugs that the columns of weights stand for, sorted."""
        if basis is VectorBasis.LINE:
            return self.block.measured[0]
        return tuple(self._labels.drugs)

    def places(self, basis: VectorBasis) -> Mapping[str, int]:
        """The column of weights that each drug has."""
        return {name: place for place, name in enumerate(self.names(basis))}

    def opened(self, basis: VectorBasis) -> BoolArray:
        """(n_names,) which vectors some row that the evidence opens stands behind."""
        opened = csr_array(self._members(basis)[:, np.flatnonzero(self._reach)])
        return np.diff(opened.indptr) > 0

    def opened_rows(self) -> BoolArray:
        """(n_conditions,) rows at the block's dose that the evidence opens and that have a value.

        A query's own unit is among them.
        """
        return self._reach & self._at_dose

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
        self._refuse_closed(weights, basis)
        return weights.astype(np.float32) @ self._vectors(basis)

    def vectors(self, query: int, places: IntArray, basis: VectorBasis) -> FloatArray:
        """The deltas or drug means at these columns, (n_places, genes), for one query.

        Raises
        ------
        LeakageError
            If the query may not read one of them, or nothing stands behind it.
        """
        members = csr_array(self._members(basis)[places])
        self._refuse_empty(members, np.arange(len(places)))
        self._refuse_rows(members.indices[~self.allows(query, members.indices)])
        return self._vectors(basis)[places]

    def grid(self) -> IntArray:
        """(n_lines, n_drugs) the opened rows at the block's dose, -1 where there is none.

        A query's own unit is among them: a row number is no evidence.
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
        return self._source.weighted_sums((sparse if few else weights).astype(np.float32), rows)

    def cross_line_products(self) -> CrossLineProducts:
        """The block's line beside all others, at its dose.

        Raises
        ------
        LeakageError
            If the evidence opens one of the queries' drugs in no other line.
        """
        other_lines = self.other_lines()
        numbers = self._drugs
        lacking = ~np.isin(numbers, other_lines.drugs[other_lines.known])
        if lacking.any():
            raise self._leakage_error("a drug in other lines", int(lacking.sum()))
        own = np.searchsorted(other_lines.drugs, numbers)
        here = self.grid()[self.line][other_lines.drugs]
        pool = np.flatnonzero((here >= 0) & other_lines.known)
        rows = here[pool]
        return self._products(other_lines, rows, pool=pool, own=own, kept=self._readable(rows))

    def _products(
        self,
        other_lines: OtherLines,
        rows: IntArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> CrossLineProducts:
        here = self._source.deltas(rows)
        return CrossLineProducts(other_lines, rows, here, pool=pool, own=own, kept=kept)

    def other_lines(self) -> OtherLines:
        """The lines but the block's own in which no query's own well is closed to it."""
        shared = self.evidence - {Evidence.TARGET_POOL}
        closed: BoolArray = np.logical_or.reduce(self.closed_lines(), axis=0)
        if self.line >= 0:
            closed[self.line] = False
        return self._source.other_lines_of(
            shared,
            self.block.dose_um,
            self.line,
            self._plate_set,
            tuple(np.flatnonzero(closed).tolist()),
        )

    def closed_lines(self) -> BoolArray:
        """(n, n_lines) lines in which a query's own drug was measured, closed to it."""
        own = self.grid()[:, self._drugs].T
        closed = self._closed(np.arange(len(self.block))[:, None], np.maximum(own, 0))
        return closed & (own >= 0) & (self._drugs >= 0)[:, None]

    def weighted_agreement(self, weights: csr_array, basis: VectorBasis) -> FloatArray:
        """How alike the vectors are that :meth:`combine` would sum, (n,); NaN without a weight.

        As :meth:`agreement`, each vector counting by its weight, of which none may be negative:
        ``|sum w x|^2 / (sum w * sum w |x|^2)``.

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

    # -- the truth -----------------------------------------------------------------------------

    def truth(self) -> FloatArray:
        """The queries' own measured deltas, (n, genes).

        Raises
        ------
        LeakageError
            If TRUTH is not declared, or a query was not measured.
        """
        rows = self.block.rows
        if Evidence.TRUTH not in self.evidence or (rows < 0).any():
            raise self._leakage_error("the measured change of the query itself", len(rows))
        return self._source.truths(rows)

    def correlation(self, basis: VectorBasis) -> FloatArray:
        """Pearson of each query's own measured delta with each vector of the basis, (n, n_names).

        NaN where the query may not read it, or it is constant.
        """
        members = self._members(basis)
        r = _standard(self.truth()) @ _standard(self._vectors(basis)).T
        r[:, np.diff(members.indptr) == 0] = np.nan
        own = members.indices == self.block.rows[:, None]
        queries, read = np.nonzero(~self._readable(members.indices) | own)
        names = np.repeat(np.arange(members.shape[0]), np.diff(members.indptr))
        r[queries, names[read]] = np.nan
        return r

    # -- unchecked: what the above sum and average ---------------------------------------------

    def _sums(self, over: MeanOver, power: int = 1) -> Sums:
        """Sums for each of the n queries: what is shared, less its own unit."""
        if (over, power) not in self._read:
            self._read[over, power] = self._sums_over(over, power)
        return self._read[over, power]

    def _sums_over(self, over: MeanOver, power: int) -> Sums:
        block = self.block
        sums = self._source.sums(
            self.evidence, self.line, block.dose_um, over, power, self._plate_set
        )
        group: IntArray = np.zeros(len(block), dtype=np.intp)
        if over is MeanOver.DRUG:
            group = self._labels.drug_numbers(block.drugs)
        # A drug that the atlas does not hold has no sum of its own.
        known = group >= 0
        shared = Sums(
            np.where(known[:, None], sums.totals[group], 0), np.where(known, sums.counts[group], 0)
        )
        return shared - self._closed_rows(over, group if over is MeanOver.DRUG else None, power)

    def _closed_rows(self, over: MeanOver, drugs: IntArray | None, power: int) -> Sums:
        """Sums over the rows that the evidence opens and that are closed to each query."""
        block, labels = self.block, self._labels
        closed: BoolArray = labels.line == self.line
        if over is not MeanOver.LINE and self._source.wells is WellScope.OTHER_WELLS:
            closed = closed | np.isin(labels.drug, self._drugs)
        rows = np.flatnonzero(closed & self._at_dose & self._reach)
        queries = np.arange(len(block))[:, None]
        same = np.atleast_2d(self._closed(queries, rows[None, :]))
        if drugs is not None:
            same = same & (labels.drug[rows][None, :] == drugs[:, None])
        counts = same.sum(axis=1)
        totals = np.zeros((len(block), labels.n_genes))
        some, used = np.flatnonzero(counts), np.flatnonzero(np.any(same, axis=0))
        if len(some):
            own = csr_array(same[np.ix_(some, used)].astype(float))
            values = self._shared_values(rows)[used].astype(np.float64)
            undefined: BoolArray = np.isnan(values[:, 0])
            totals[some] = own @ np.where(undefined[:, None], 0, values) ** power
            counts[some] -= (own @ undefined).astype(np.intp)
        return Sums(totals, counts)

    def _shared_values(self, rows: IntArray) -> FloatArray:
        """What sums shared by queries hold of these rows, (n_rows, genes), NaN where undefined."""
        return self._source.values(rows, self.evidence, self._plate_set)

    def _members(self, basis: VectorBasis) -> csr_array:
        """Which rows each vector of the basis averages, (n_names, n_conditions)."""
        labels = self._labels
        place: IntArray
        if basis is VectorBasis.LINE:
            names, rows = self.block.measured
            place, n = np.arange(len(names)), len(names)
        else:
            rows = np.flatnonzero(self._reach & self._at_dose)
            place, n = labels.drug[rows], len(labels.drugs)
        return csr_array((np.ones(len(rows)), (place, rows)), shape=(n, len(labels.line)))

    def _vectors(self, basis: VectorBasis) -> FloatArray:
        """The vectors themselves, (n_names, genes) float32, whoever may read them."""
        if basis is VectorBasis.LINE:
            return self._source.deltas(self.block.measured[1])
        dose = self.block.dose_um
        sums = self._source.sums(
            self.evidence, self.line, dose, MeanOver.DRUG, plate_set=self._plate_set
        )
        return (sums.totals / np.maximum(sums.counts, 1)[:, None]).astype(np.float32)

    def _refuse_closed(self, weights: csr_array, basis: VectorBasis) -> None:
        """Refuse weights on vectors behind which stands nothing, or a row that is closed."""
        members = self._members(basis)
        self._refuse_empty(members, weights.indices)
        read = (abs(weights) @ members).tocoo()  # every row behind a weight, of each query
        self._refuse_rows(read.col[~self.allows(read.row, read.col)])

    def _refuse_empty(self, members: csr_array, places: IntArray) -> None:
        empty = int((np.diff(members.indptr)[places] == 0).sum())
        if empty:
            raise self._leakage_error(f"the mean of {empty} drugs that no row opens", empty)


def _standard(values: FloatArray) -> NDArray[np.float64]:
    """Rows centred and of length 1, NaN where constant or not defined."""
    rows = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.full_like(rows, np.nan), where=norm > 0)
