"""Which measured rows each query of a block may read, decided in one place."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray, WellScope
from lgr_core.errors import LeakageError, UsageError
from lgr_core.retrieval.candidate_pool import check_tested
from lgr_core.retrieval.checked_reader import CheckedReader, leakage_error
from lgr_core.retrieval.condition_index import Queries
from lgr_core.retrieval.fold_evidence import FoldEvidence


class RowGuard:
    """Which rows each of the n queries of a block may read, by the evidence that is declared.

    In the open world, TRAIN is everything but a query's held-out unit, TARGET_POOL the rest of its
    line, and TRUTH its own row. A fold narrows TRAIN and TARGET_POOL to what its regime opens; it
    must test every query. ``line`` is the place of the block's line in ``labels.lines``.

    Raises
    ------
    UsageError
        If the fold does not test one of the queries.
    """

    def __init__(self, source: FoldEvidence, block: Queries, evidence: frozenset[Evidence]) -> None:
        if source.fold is not None:
            check_tested(source.fold, block.rows, block.queries)
        self.evidence, self.block = evidence, block
        self._source, self._labels = source, source.labels
        self.line = block.line
        self._parents = block.parents
        self._drugs = source.labels.drug_numbers(block.drugs)
        self._plate_set = self._shared_plate_set()
        self._reach = source.readable_rows(evidence, self.line, self._plate_set)

    def allows(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Whether each query may read the row beside it; both (m,), or what broadcasts.

        What the evidence opens in this fold, but no row of the query's own line whose drug shares
        a parent compound with the query's, at any dose; its very own row where TRUTH is declared,
        and other rows of its own parent where REPLICATE is. Beside that the wells that are closed:
        see :class:`~lgr_core.domain.WellScope`.
        """
        allowed = self._reach[rows] & ~self._closed(queries, rows)
        if Evidence.REPLICATE in self.evidence:
            allowed |= self._is_replicate(queries, rows)
        if Evidence.TRUTH in self.evidence:
            allowed |= rows == self.block.rows[queries]
        return allowed

    def _closed(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Whether each query is kept from the row beside it, whatever evidence is declared."""
        closed = self._own_unit(queries, rows)
        if self._source.wells is WellScope.OTHER_WELLS:
            closed |= self._own_well(queries, rows)
        return closed

    def _own_unit(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Rows of each query's line whose drug shares a parent compound with its own."""
        labels = self._labels
        # A combination shares a parent with each of its drugs.
        related = labels.related(self._parents[queries], labels.parent[rows])
        return (labels.line[rows] == self.line) & related

    def _is_replicate(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Rows of each query's own unit that the truth is not: on a plate that is not closed."""
        own = (rows == self.block.rows[queries]) & (not self._apart)
        readable = self._source.store.present[rows]
        if self._plate_set is not None:
            readable &= ~self._labels.plate_index.on_same_plate(self._plate_set)[rows]
        return self._own_unit(queries, rows) & readable & ~own

    def _own_well(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Rows of each query's drug at its dose, in any line, on a plate that may be its own."""
        labels = self._labels
        same = (self._drugs[queries] == labels.drug[rows]) & self._exactly[rows]
        return same & self._overlapping[queries, labels.plate_index.set_of[rows]]

    @cached_property
    def _exactly(self) -> BoolArray:
        """(n_conditions,) rows measured at the block's dose, none standing in for it."""
        dose, doses = self.block.dose_um, self._labels.doses
        return np.isnan(doses) if dose is None else doses == dose

    @cached_property
    def _overlapping(self) -> BoolArray:
        """(n, n_sets + 1) which sets of plates have one in common with each query's."""
        return self._labels.plate_index.overlapping(self.block.plate_sets)

    @property
    def _apart(self) -> bool:
        """Whether the truth was measured apart from what is read: on a plate of its own."""
        return self._source.truth_store is not self._source.store

    def _shared_plate_set(self) -> int | None:
        """The plates that are closed to all queries of the block, None where no plate is.

        Raises
        ------
        UsageError
            If the queries stand on different plates, so that one of them would read another's.
        """
        if self._source.wells is not WellScope.OTHER_PLATES or self._apart:
            return None
        sets = np.unique(self.block.plate_sets)
        if len(sets) != 1:
            found = f"its queries stand on {len(sets)} different sets of plates"
            raise UsageError("block", found, "Make one of each set, as EvidenceReader.blocks does.")
        return int(sets[0])

    def reader(self, place: int) -> QueryReader:
        """What the query at that place may read, row by row."""
        fold = self._source.fold
        regime = "" if fold is None else f" ({fold.regime})"
        return QueryReader(self, place, self._source.store, regime)

    def changes(self, place: int, rows: IntArray, *, all_genes: bool) -> FloatArray:
        """The changes of rows that one query may read, (n_rows, n_genes): here their deltas."""
        del place
        return self._source.store.deltas(rows, all_genes=all_genes)

    def _readable(self, rows: IntArray) -> BoolArray:
        """(n, n_rows) whether each query may read each row."""
        return self.allows(np.arange(len(self.block))[:, None], rows[None, :])

    def _refuse_rows(self, refused: IntArray) -> None:
        if len(refused):
            first = self._source.store.condition(int(refused[0]))
            raise self._leakage_error(str(first), len(np.unique(refused)))

    def _leakage_error(self, example: str, n_rows: int) -> LeakageError:
        what = f"a read for {len(self.block)} queries in {self.block.cell_line}"
        return leakage_error(what, self.evidence, n_rows, example)


class QueryReader(CheckedReader):
    """The measured deltas that one query of a block may read; it is a ``DeltaReader``.

    What a selector is handed: its rows are checked by the guard that made it.
    """

    def __init__(self, guard: RowGuard, place: int, store: AtlasStore, regime: str) -> None:
        self.query = guard.block.queries[place]
        super().__init__(store, guard.evidence, f"a read for {self.query}{regime}")
        self._guard, self._place = guard, place

    def _allows(self, rows: IntArray) -> BoolArray:
        return self._guard.allows(self._place, rows)

    def _read(self, rows: IntArray, *, all_genes: bool) -> FloatArray:
        return self._guard.changes(self._place, rows, all_genes=all_genes)
