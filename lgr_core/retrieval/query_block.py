"""Blocks of queries, each reading no more than its declared evidence opens.

A :class:`QueryBlock` holds queries that differ in the drug alone: those of one line at one dose. A
single question is a block of one. What is read for them passes their
:class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import CandidatePool, Change, Condition, Evidence, IntArray, WellScope
from lgr_core.errors import EmptyPoolError, UsageError
from lgr_core.retrieval.candidate_pool import TrainingView, candidate_pool, offered_drugs
from lgr_core.retrieval.condition_index import Queries
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.fold_evidence import FoldEvidence
from lgr_core.retrieval.row_guard import QueryReader
from lgr_core.retrieval.specific_guard import SpecificGuard


class EvidenceReader(FoldEvidence):
    """An atlas as one fold opens it; without a fold, the open world. Makes blocks of queries."""

    def training_view(self, evidence: Iterable[Evidence]) -> TrainingView:
        """What a method that declares this evidence may read while it is fitted.

        Raises
        ------
        UsageError
            In the open world without a fold, where nothing is fitted.
        """
        if self.fold is None:
            raise UsageError("training view", "there is no fold", "Make a reader of one.")
        return TrainingView(
            self.store,
            self.fold,
            validation=True,
            evidence=evidence,
            change=self.change,
            wells=self.wells,
            closed=self.closed,
        )

    @cached_property
    def specific(self) -> EvidenceReader:
        """The same, of the specific change.

        Raises
        ------
        UsageError
            If the atlas does not name plates.
        """
        if self.change is Change.SPECIFIC:
            return self
        return EvidenceReader(
            self.store,
            self.fold,
            change=Change.SPECIFIC,
            wells=self.wells,
            closed=self.closed,
            truth_store=self.truth_store,
            labels=self.labels,
        )

    def block(self, cell_line: str, dose_um: float | None, drugs: Sequence[str]) -> QueryBlock:
        """The queries of these drugs in one line at one dose."""
        queries = tuple(Condition(cell_line, drug, dose_um) for drug in drugs)
        return QueryBlock(self.labels, queries, self)

    def blocks(self, rows: IntArray) -> Iterable[QueryBlock]:
        """The conditions of these rows, block by block in the order of the atlas."""
        rows = np.sort(rows)
        labels = self.labels
        line, dose, drugs = labels.line[rows], labels.doses[rows], labels.drugs[labels.drug[rows]]
        same = (dose[1:] == dose[:-1]) | (np.isnan(dose[1:]) & np.isnan(dose[:-1]))
        edges = np.flatnonzero((line[1:] != line[:-1]) | ~same) + 1
        for part in np.split(np.arange(len(rows)), edges) if len(rows) else ():
            at = None if np.isnan(dose[part[0]]) else float(dose[part[0]])
            for alike in self._on_like_plates(rows, part):
                yield self.block(labels.lines[line[alike[0]]], at, drugs[alike].tolist())

    def _on_like_plates(self, rows: IntArray, part: IntArray) -> Iterable[IntArray]:
        """A block's places, set of plates by set of plates where plates are closed."""
        if self.wells is not WellScope.OTHER_PLATES or self.truth_store is not self.store:
            yield part
            return
        sets = self.labels.plate_index.set_of[rows[part]]
        for number in np.unique(sets):
            yield part[sets == number]


@dataclass(frozen=True, eq=False)
class QueryBlock(Queries):
    """Queries of one line at one dose; what is read for them passes a guard."""

    _reader: EvidenceReader = field(repr=False)

    @property
    def change(self) -> Change:
        """Which change is averaged and predicted."""
        return self._reader.change

    @cached_property
    def pools(self) -> tuple[CandidatePool | EmptyPoolError, ...]:
        """Each query's candidates, or the error that says why there are none."""
        store, fold = self._reader.store, self._reader.fold
        offered = offered_drugs(store, self.cell_line, self.dose_um, fold)
        offered = self._that_may_be_read(offered)
        return tuple(self._pool(query, offered) for query in self.queries)

    def _that_may_be_read(self, offered: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the drugs of which a row is left, whose wells or plates are not closed."""
        reader = self._reader
        if not reader.narrows:
            return offered
        in_line = reader.fold is None or reader.fold.in_line
        evidence = frozenset({Evidence.TARGET_POOL if in_line else Evidence.TRAIN})
        opened = self._guard(evidence).opened_rows()
        if in_line:
            rows = reader.store.rows(self.cell_line, offered, self.dose_um)
            return tuple(compress(offered, opened[rows]))
        left = set(self.labels.drugs[self.labels.drug[opened]])
        return tuple(filter(left.__contains__, offered))

    @property
    def gene_names(self) -> NDArray[np.object_]:
        """(n_genes,) the names of the genes that are read for the block, in their order."""
        return self._reader.store.gene_names[self._reader.genes]

    def pool_of(self, i: int) -> CandidatePool:
        """The candidates of query ``i``.

        Raises
        ------
        EmptyPoolError
            If there are none.
        """
        pool = self.pools[i]
        if isinstance(pool, EmptyPoolError):
            raise pool
        return pool

    def some(self, places: IntArray) -> QueryBlock:
        """The block of some of its queries, in the order given."""
        return QueryBlock(self.labels, tuple(self.queries[i] for i in places), self._reader)

    def over_all_genes(self) -> QueryBlock:
        """The same queries, read over every gene of the atlas."""
        reader = self._reader
        wide = EvidenceReader(
            reader.store,
            reader.fold,
            change=reader.change,
            wells=reader.wells,
            closed=reader.closed,
            truth_store=reader.truth_store,
            all_genes=True,
            labels=self.labels,
        )
        return QueryBlock(wide.labels, self.queries, wide)

    def view(self, i: int, evidence: Iterable[Evidence]) -> QueryReader:
        """What query ``i`` alone may read."""
        return self.guard(evidence).reader(i)

    def guard(self, evidence: Iterable[Evidence]) -> EvidenceGuard:
        """What the queries may read, together."""
        return self._guard(self._reader.check(evidence))

    def _guard(self, evidence: frozenset[Evidence]) -> EvidenceGuard:
        kind = EvidenceGuard if self._reader.change is Change.TOTAL else SpecificGuard
        return kind(self._reader, self, evidence)

    def _pool(self, query: Condition, offered: Sequence[str]) -> CandidatePool | EmptyPoolError:
        store, fold = self._reader.store, self._reader.fold
        try:
            return candidate_pool(store, query, fold=fold, offered=offered)
        except EmptyPoolError as err:
            return err
