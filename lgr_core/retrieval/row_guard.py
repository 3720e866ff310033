"""Which measured rows each query of a block may read, decided in one place."""

from __future__ import annotations

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Evidence, IntArray
from lgr_core.errors import LeakageError
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
        self._reach = source.readable_rows(evidence, self.line)

    def allows(self, queries: IntArray | int, rows: IntArray) -> BoolArray:
        """Whether each query may read the row beside it; both (m,), or what broadcasts.

        What the evidence opens in this fold, but no row of the query's own line whose drug shares
        a parent compound with the query's, at any dose; its very own row where TRUTH is declared.
        """
        labels = self._labels
        # A combination shares a parent with each of its drugs.
        related = labels.related(self._parents[queries], labels.parent[rows])
        allowed = self._reach[rows] & ~((labels.line[rows] == self.line) & related)
        if Evidence.TRUTH in self.evidence:
            allowed |= rows == self.block.rows[queries]
        return allowed

    def reader(self, place: int) -> QueryReader:
        """What the query at that place may read, row by row."""
        fold = self._source.fold
        regime = "" if fold is None else f" ({fold.regime})"
        return QueryReader(self, place, self._source.store, regime)

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
