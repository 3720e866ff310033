"""Resolves proposals to drugs of the pool, and rejects the others with a reason.

LLM text, offline tags and fingerprints all pass here, against the pool that was shown. What is not
believed is data: a ``Rejected`` with its reason, never an exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from lgr_core.domain import (
    EMPTY,
    CandidatePool,
    Neighbor,
    Proposal,
    Reason,
    Rejected,
    Retrieval,
    Selection,
    require_k,
)
from lgr_core.drugs.catalog import DrugCatalog, Resolution


def resolve(
    selection: Selection,
    pool: CandidatePool,
    catalog: DrugCatalog,
    k: int,
    *,
    selector: str,
    one_per_parent: bool = False,
    provenance: Mapping[str, Any] = EMPTY,
) -> Retrieval:
    """Check every proposal against the pool and keep the first ``k`` that stand.

    Names are matched on both sides by their closest reading (exact, case and Unicode form, salt
    stripped, alias) among the pool, the query, its twins and what the split withholds. Two forms of
    one parent are kept and flagged, as in the paper; ``one_per_parent`` keeps the better-ranked one
    only.

    Raises
    ------
    UsageError
        If ``k`` is not positive.
    """
    require_k(k)
    resolver = _Resolver(pool, catalog, k, selection.shown, one_per_parent=one_per_parent)
    for proposal in selection.proposals:
        resolver.add(proposal)
    return Retrieval(
        query=pool.query,
        selector=selector,
        k=k,
        pool_size=len(pool.drugs),
        neighbors=tuple(resolver.neighbors),
        rejected=tuple(resolver.rejected),
        raw=selection.raw,
        provenance={**selection.provenance, **provenance},
    )


class _Resolver:
    """Hears proposals in rank order and sorts them into neighbours and rejected."""

    def __init__(
        self,
        pool: CandidatePool,
        catalog: DrugCatalog,
        k: int,
        shown: frozenset[str],
        *,
        one_per_parent: bool,
    ) -> None:
        self.pool, self.catalog, self.k = pool, catalog, k
        self.one_per_parent = one_per_parent
        self.in_pool = frozenset(pool.drugs)
        self.beyond = shown
        self.neighbors: list[Neighbor] = []
        self.kept: set[str] = set()
        self.rejected: list[Rejected] = []
        self.parents: dict[str, str] = {}

    @cached_property
    def shown(self) -> frozenset[str]:
        """All that a name is read among, where it is not to the letter that of a pool drug."""
        beside = {self.pool.query.drug, *self.pool.twins, *self.pool.withheld}
        return self.in_pool | beside | self.beyond

    def add(self, proposal: Proposal) -> None:
        text = proposal.text.strip()
        drug = text if text in self.in_pool else self._read(text)
        if drug is not None:
            self._accept(drug, proposal)

    def _read(self, text: str) -> str | None:
        """The pool drug that the text means, or None after saying why not."""
        reading = self.catalog.find(text, among=self.shown)
        reason = self._reason_against(reading)
        if reason is not None:
            self._reject(text, reason)
            return None
        return reading.drug

    def _reason_against(self, reading: Resolution) -> Reason | None:
        """Why what was read names no candidate; None if it does."""
        if reading.drug is None:
            return Reason.AMBIGUOUS if reading.candidates else Reason.OUT_OF_POOL
        if reading.drug == self.pool.query.drug:
            return Reason.SELF
        if reading.drug in self.pool.twins:
            return Reason.TWIN
        return None if reading.drug in self.in_pool else Reason.NOT_IN_SPLIT

    def _accept(self, drug: str, proposal: Proposal) -> None:
        parent = self.catalog.parent(drug)
        first = self.parents.get(parent)
        if drug in self.kept:
            self._reject(proposal.text, Reason.DUPLICATE)
        elif first is not None and self.one_per_parent:
            self._reject(proposal.text, Reason.TWIN)
        elif len(self.neighbors) == self.k:
            self._reject(proposal.text, Reason.BEYOND_K)
        else:
            neighbor = Neighbor(
                drug,
                len(self.neighbors) + 1,
                proposal.score,
                proposal.rationale,
                first,
                proposal.structured,
            )
            self.neighbors.append(neighbor)
            self.kept.add(drug)
            self.parents.setdefault(parent, drug)

    def _reject(self, text: str, reason: Reason) -> None:
        suggestion = self._meant(text) if reason is Reason.OUT_OF_POOL else None
        self.rejected.append(Rejected(text, reason, suggestion))

    def _meant(self, text: str) -> str | None:
        """The pool drug that the text misspells; None for a drug of the atlas, which is no slip."""
        if self.catalog.find(text).candidates:
            return None
        return next(iter(self.catalog.nearest(text, among=self.pool.drugs, limit=1)), None)
