"""A selector of drugs that the user names, or edits by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lgr_core.domain import (
    EMPTY,
    CandidatePool,
    DeltaReader,
    Evidence,
    Neighbor,
    Proposal,
    Selection,
)
from lgr_core.errors import UsageError


class NamedSelector:
    """Proposes the drugs it was given, in that order; ``resolve`` judges them like any other's.

    ``drugs`` are names, or proposals with reasons of their own. ``evidence`` is what the choice of
    them has read, where it stands on another selector's.
    """

    name = "named"

    def __init__(
        self,
        drugs: Iterable[str | Proposal],
        *,
        evidence: frozenset[Evidence] = frozenset(),
        provenance: Mapping[str, Any] = EMPTY,
    ) -> None:
        """Raise ``UsageError`` for a single text, and for what is neither text nor proposal."""
        self.proposals = _proposals(drugs)
        self.evidence, self._provenance = evidence, provenance

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:  # noqa: ARG002
        """All that was named, whatever ``k`` says: what is beyond it is rejected and listed."""
        return Selection(self.proposals, provenance=self._provenance)


def with_edits(
    neighbors: Iterable[Neighbor], *, drop: Iterable[str] = (), add: Iterable[str] = ()
) -> tuple[Proposal, ...]:
    """The neighbours as proposals, without those dropped and with those added, in that order."""
    dropped = frozenset(drop)
    kept = [
        Proposal(n.drug, n.rationale, n.score, n.structured)
        for n in neighbors
        if n.drug not in dropped
    ]
    known = {proposal.text for proposal in kept}
    return (*kept, *(Proposal(drug, "Added by hand.") for drug in add if drug not in known))


def _proposals(drugs: Iterable[str | Proposal]) -> tuple[Proposal, ...]:
    do = "Give a list of drug names."
    if isinstance(drugs, str) or not isinstance(drugs, Iterable):
        raise UsageError("named neighbours", f"{drugs!r} is not a list of names", do)
    named = tuple(drugs)
    for drug in named:
        if not isinstance(drug, str | Proposal):
            raise UsageError("named neighbours", f"{drug!r} is not a name", do)
    return tuple(
        Proposal(drug, "Named by hand.") if isinstance(drug, str) else drug for drug in named
    )
