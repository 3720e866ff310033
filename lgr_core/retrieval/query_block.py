"""Blocks of queries, each reading no more than its declared evidence opens.

A :class:`QueryBlock` holds queries that differ in the drug alone: those of one line at one dose. A
single question is a block of one. What is read for them passes their
:class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import CandidatePool, Condition, Evidence, IntArray
from lgr_core.errors import EmptyPoolError
from lgr_core.retrieval.candidate_pool import candidate_pool, offered_drugs
from lgr_core.retrieval.condition_index import Queries
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.fold_evidence import FoldEvidence
from lgr_core.retrieval.row_guard import QueryReader


class EvidenceReader(FoldEvidence):
    """An atlas as one fold opens it; without a fold, the open world. Makes blocks of queries."""

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
        for part in np.split(np.arange(len(rows)), edges):
            at = None if np.isnan(dose[part[0]]) else float(dose[part[0]])
            yield self.block(labels.lines[line[part[0]]], at, drugs[part].tolist())


@dataclass(frozen=True, eq=False)
class QueryBlock(Queries):
    """Queries of one line at one dose; what is read for them passes a guard."""

    _reader: EvidenceReader = field(repr=False)

    @cached_property
    def pools(self) -> tuple[CandidatePool | EmptyPoolError, ...]:
        """Each query's candidates, or the error that says why there are none."""
        store, fold = self._reader.store, self._reader.fold
        offered = offered_drugs(store, self.cell_line, self.dose_um, fold)
        return tuple(self._pool(query, offered) for query in self.queries)

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
        wide = EvidenceReader(reader.store, reader.fold, all_genes=True, labels=self.labels)
        return QueryBlock(wide.labels, self.queries, wide)

    def view(self, i: int, evidence: Iterable[Evidence]) -> QueryReader:
        """What query ``i`` alone may read."""
        return self.guard(evidence).reader(i)

    def guard(self, evidence: Iterable[Evidence]) -> EvidenceGuard:
        """What the queries may read, together."""
        return EvidenceGuard(self._reader, self, self._reader.check(evidence))

    def _pool(self, query: Condition, offered: Sequence[str]) -> CandidatePool | EmptyPoolError:
        store, fold = self._reader.store, self._reader.fold
        try:
            return candidate_pool(store, query, fold=fold, offered=offered)
        except EmptyPoolError as err:
            return err
