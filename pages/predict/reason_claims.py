"""What the reasons of neighbours claim, and what is annotated of their drugs."""

from __future__ import annotations

from collections.abc import Iterable

from lgr_core.audit.claims import StatedReason
from lgr_core.audit.verdicts import CheckedClaim
from lgr_core.domain import Neighbor
from lgr_core.drugs.mechanism_tables import Annotation
from pages.shared import state
from pages.shared.asking import Answered


def annotation(view: Answered, drug: str) -> Annotation:
    """Mechanisms and targets of a drug, with their source."""
    row = view.asked.store.annotations[drug]
    return state.book().annotate(drug, moa=row.get("moa"), targets=row.get("targets"))


def claims_of(view: Answered, neighbor: Neighbor) -> tuple[CheckedClaim, ...]:
    """The checked claims of a neighbour's reason."""
    query = view.answer.retrieval.query
    reason = StatedReason(query.drug, neighbor.drug, neighbor.rationale, neighbor.structured)
    return state.audit(view.asked.store).checked(reason, query.cell_line, query.dose_um)


def labels(tags: Iterable[str]) -> list[str]:
    """Mechanism tags in words."""
    return [state.book().mechanism(tag).label for tag in tags]
