"""The guard of specific changes: what enters an average is centred on its plates first.

The mean that is taken off each neighbour passes the same guard as the neighbour: no row that the
query may not read, none of its own parent, is in it. In the query's own line, where what is closed
differs from query to query, weights on specific changes become weights on deltas, and each is
checked (:meth:`SpecificGuard.combine_rows`). In other lines all queries of a block share the means
of plates, over rows that are open to all of them.

The mean over a plate's drugs is zero by construction: so are the means over a line and over all.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.retrieval.cross_line import CrossLineProducts, OtherLines
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.plate_centring import LinePlates
from lgr_core.retrieval.sums import MeanOver


class SpecificGuard(EvidenceGuard):
    """Averages of specific changes for the n queries of a block, as their evidence allows."""

    @property
    def _plates(self) -> LinePlates:
        return self._source.line_plates(self.evidence, self.line, self._plate_set)

    # -- means ---------------------------------------------------------------------------------

    def mean(self, over: MeanOver) -> tuple[FloatArray, IntArray]:
        """As for deltas; zeros over the line and over all, where anything may be read."""
        if over is MeanOver.DRUG:
            return super().mean(over)
        counts = self._readable_count(over)
        zeros = np.zeros((len(self.block), self._labels.n_genes), dtype=np.float32)
        zeros[counts == 0] = np.nan
        return zeros, counts

    def agreement(self, over: MeanOver) -> FloatArray:
        """As for deltas; each query's own readable changes in the line."""
        if over is MeanOver.DRUG:
            return super().agreement(over)
        found = np.full(len(self.block), np.nan)
        for i in range(len(self.block)):
            values = self._of_line(i)
            if len(values):
                squares = np.square(values).mean()
                found[i] = np.square(values.mean(axis=0)).mean() / squares if squares else np.nan
        return found

    def spread(self, over: MeanOver) -> FloatArray:
        """As for deltas; not known over all lines, where plates differ."""
        if over is MeanOver.DRUG:
            return super().spread(over)
        found = np.full((len(self.block), self._labels.n_genes), np.nan, dtype=np.float32)
        for i in range(len(self.block) if over is MeanOver.LINE else 0):
            values = self._of_line(i)
            if len(values):
                found[i] = values.std(axis=0)
        return found

    # -- weighted sums -------------------------------------------------------------------------

    def opened(self, basis: VectorBasis) -> BoolArray:
        """(n_names,) which vectors some row that the evidence opens stands behind."""
        if basis is VectorBasis.LINE:
            return super().opened(basis)
        return ~np.isnan(self._vectors(basis)[:, 0])

    def opened_rows(self) -> BoolArray:
        """As for deltas; in other lines, rows that have a specific change."""
        opened = super().opened_rows()
        if Evidence.TRAIN not in self.evidence:
            return opened
        in_other_lines = (self._labels.line != self.line) & self._source.has_value(
            self.evidence, self._plate_set
        )
        return opened & in_other_lines

    def combine(self, weights: csr_array, basis: VectorBasis) -> FloatArray:
        """Weighted sums of specific changes or of their drug means, (n, genes) float32.

        In the line, the weight of a condition that cannot be separated from its plate goes to the
        others; a query whose every weight does is NaN.

        Raises
        ------
        LeakageError
            As for deltas.
        """
        weights = csr_array(weights)
        weights.eliminate_zeros()
        self._refuse_closed(weights, basis)
        if basis is VectorBasis.DRUG_MEANS:
            return weights.astype(np.float32) @ np.nan_to_num(self._vectors(basis))
        return self._in_line(weights.toarray(), self.block.measured[1], rescale=True)

    def combine_rows(self, weights: FloatArray, rows: IntArray) -> FloatArray:
        """Weighted sums of the specific changes of rows, (n, genes) float32.

        The weight of a condition that cannot be separated from its plate is dropped.

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read.
        """
        queries, places = np.nonzero(weights)
        self._refuse_rows(rows[places][~self.allows(queries, rows[places])])
        here = self._labels.line[rows] == self.line
        found = self._in_line(weights[:, here], rows[here], rescale=False)
        used = np.flatnonzero(~here & weights.any(axis=0))
        if len(used):
            values = np.nan_to_num(self._shared_values(rows[used]))
            found = np.nan_to_num(found) + weights[:, used].astype(np.float32) @ values
        return found

    def vectors(self, query: int, places: IntArray, basis: VectorBasis) -> FloatArray:
        """The specific changes or drug means at these columns, for one query; NaN without one.

        Raises
        ------
        LeakageError
            If the query may not read one of them, or nothing stands behind it.
        """
        if basis is VectorBasis.DRUG_MEANS:
            return super().vectors(query, places, basis)
        rows = self.block.measured[1][places]
        self._refuse_rows(rows[~self.allows(query, rows)])
        return self._one_by_one(query, rows)

    def changes(self, place: int, rows: IntArray, *, all_genes: bool) -> FloatArray:
        """The specific changes of rows that one query may read, (n_rows, n_genes)."""
        del all_genes  # the genes are those of the reader
        here = self._labels.line[rows] == self.line
        found = self._shared_values(rows) if not here.all() else np.empty((len(rows), 0))
        if here.any():
            own = self._one_by_one(place, rows[here])
            if here.all():
                return own
            found = found.copy()
            found[here] = own
        return found

    def weighted_agreement(self, weights: csr_array, basis: VectorBasis) -> FloatArray:
        """As for deltas, of specific changes.

        Raises
        ------
        LeakageError
            As for :meth:`combine`.
        """
        summed = self.combine(weights, basis).astype(np.float64)
        found = np.full(len(self.block), np.nan)
        weights = csr_array(weights)
        for i in range(len(found)):
            part = slice(weights.indptr[i], weights.indptr[i + 1])
            places, w = weights.indices[part], weights.data[part]
            if not len(places):
                continue
            size = np.square(self.vectors(i, places, basis)).mean(axis=1)
            known = ~np.isnan(size)
            squares = w[known] @ size[known]
            if squares > 0:
                found[i] = np.square(summed[i]).mean() / (squares * w[known].sum())
        return found

    def grid(self) -> IntArray:
        """(n_lines, n_drugs) the opened rows that have a specific change, else -1."""
        grid = super().grid()
        defined = self._source.has_value(self.evidence, self._plate_set).copy()
        plates = self._plates
        defined[plates.rows] = plates.defined
        return np.where(defined[grid], grid, -1)

    # -- unchecked -----------------------------------------------------------------------------

    def _in_line(self, weights: FloatArray, rows: IntArray, *, rescale: bool) -> FloatArray:
        """Weighted sums of the specific changes of rows of the line, each query's own way."""
        plates = self._plates
        known = np.isin(rows, plates.rows)
        of_line = np.zeros((len(weights), len(plates.rows)))
        np.add.at(of_line.T, np.searchsorted(plates.rows, rows[known]), weights[:, known].T)
        had = weights.any(axis=1)
        if rescale and not known.all():
            before, after = weights.sum(axis=1), of_line.sum(axis=1)
            of_line *= np.divide(before, after, out=np.ones_like(after), where=after != 0)[:, None]
        closed = self._closed_parents(plates)
        on_units, lost = plates.centre(of_line, closed, rescale=rescale)
        self._check_units(plates, on_units)
        found = on_units.astype(np.float32) @ self._source.unit_deltas(plates)
        found[lost | (had & ~of_line.any(axis=1))] = np.nan
        return found

    def _one_by_one(self, query: int, rows: IntArray) -> FloatArray:
        """The specific changes of rows of the line, (n_rows, genes), as one query reads them."""
        plates = self._plates
        known = np.isin(rows, plates.rows)
        each = np.zeros((len(rows), len(plates.rows)))
        each[np.flatnonzero(known), np.searchsorted(plates.rows, rows[known])] = 1
        closed = self._closed_parents(plates)[[query]].repeat(len(rows), axis=0)
        on_units, lost = plates.centre(each, closed, rescale=False)
        found = on_units.astype(np.float32) @ self._source.unit_deltas(plates)
        found[lost | ~known] = np.nan
        return found

    def _of_line(self, query: int) -> FloatArray:
        """The specific changes of the line's rows that a query may read, at its dose."""
        rows = self.block.measured[1]
        found = self._one_by_one(query, rows[self.allows(query, rows)])
        return found[~np.isnan(found[:, 0])]

    def _closed_parents(self, plates: LinePlates) -> BoolArray:
        """(n, n_parents) parents of the line that each query may not read: its own."""
        return self._labels.related(self._parents[:, None], plates.parents[None, :])

    def _check_units(self, plates: LinePlates, on_units: FloatArray) -> None:
        """Refuse weights on units of rows that a query may not read."""
        queries, units = np.nonzero(on_units)
        rows = self._labels.plate_index.condition[plates.units[units]]
        self._refuse_rows(rows[~self.allows(queries, rows)])

    def _readable_count(self, over: MeanOver) -> IntArray:
        """(n,) rows that each query may read at its dose, in its line or in all."""
        rows = self._reach & self._at_dose
        if over is MeanOver.LINE:
            rows &= self._labels.line == self.line
        return self._readable(np.flatnonzero(rows)).sum(axis=1)

    def _vectors(self, basis: VectorBasis) -> FloatArray:
        """The vectors themselves, (n_names, genes) float32, NaN where there is none.

        Of drug means, those over other lines: the plates of the line hold the queries themselves.
        """
        if basis is VectorBasis.LINE:
            return self._source.unguarded_changes(self.block.measured[1])
        dose = self.block.dose_um
        sums = self._source.sums(
            self.evidence, self.line, dose, MeanOver.DRUG, plate_set=self._plate_set
        )
        totals, counts = sums.totals.copy(), sums.counts.copy()
        here = np.flatnonzero(self._reach & self._at_dose & (self._labels.line == self.line))
        values = self._shared_values(here)
        defined = ~np.isnan(values[:, 0]) if len(here) else np.zeros(0, dtype=bool)
        np.subtract.at(totals, self._labels.drug[here[defined]], values[defined])
        np.subtract.at(counts, self._labels.drug[here[defined]], 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counts[:, None] > 0, totals / counts[:, None], np.nan).astype(
                np.float32
            )

    def _members(self, basis: VectorBasis) -> csr_array:
        members = super()._members(basis)
        if basis is VectorBasis.LINE:
            return members
        narrowed = csr_array(members * self.opened_rows()[None, :].astype(float))
        narrowed.eliminate_zeros()
        return narrowed

    def _products(
        self,
        other_lines: OtherLines,
        rows: IntArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> CrossLineProducts:
        return _SpecificProducts(self, other_lines, rows, pool=pool, own=own, kept=kept)


class _SpecificProducts(CrossLineProducts):
    """Products with the line's specific changes, which each query reads in its own way."""

    def __init__(
        self,
        guard: SpecificGuard,
        other_lines: OtherLines,
        rows: IntArray,
        *,
        pool: IntArray,
        own: IntArray,
        kept: BoolArray,
    ) -> None:
        nothing = np.empty((len(rows), 0), dtype=np.float32)
        super().__init__(other_lines, rows, nothing, pool=pool, own=own, kept=kept)
        self._guard = guard

    def with_here(self) -> FloatArray:
        """(n, n_lines) mean products of the other lines with the block's, query by query."""
        found = []
        for i, kept in enumerate(self.kept):
            here = np.nan_to_num(self._guard._one_by_one(i, self._rows[kept]))  # noqa: SLF001
            found.append(self._other_lines.with_here(here, self.pool[kept]).sum(axis=0))
        return np.array(found)

    def here(self, v: FloatArray) -> FloatArray:
        """(n, genes) weighted sums of the line's changes."""
        return self._guard._in_line(v, self._rows, rescale=False)  # noqa: SLF001
