"""The claims of a retrieval's reasons with their verdicts, as records and as JSON has them."""

from __future__ import annotations

import math
from typing import Any

from lgr_core.audit.claims import StatedReason
from lgr_core.audit.rationale_audit import AuditedReason, RationaleAudit
from lgr_core.audit.verdicts import CheckedClaim
from lgr_core.domain import Retrieval


def retrieved_reasons(retrieval: Retrieval) -> list[AuditedReason]:
    """The reasons of a retrieval's neighbours that have words or fields, best first."""
    query = retrieval.query
    return [
        AuditedReason(
            StatedReason(query.drug, neighbor.drug, neighbor.rationale, neighbor.structured),
            query.cell_line,
            query.dose_um,
            neighbor.rank,
        )
        for neighbor in retrieval.neighbors
        if neighbor.rationale or neighbor.structured is not None
    ]


def neighbor_claims(
    audit: RationaleAudit, retrieval: Retrieval
) -> dict[str, tuple[CheckedClaim, ...]]:
    """Neighbour -> the checked claims of its reason."""
    return {
        each.reason.neighbor: audit.checked(each.reason, each.cell_line, each.dose_um)
        for each in retrieved_reasons(retrieval)
    }


def add_claims(answer: dict[str, Any], claims: dict[str, tuple[CheckedClaim, ...]]) -> None:
    """Put the claims beside the neighbours of an answer that is JSON already."""
    for neighbor in answer["neighbors"]:
        neighbor["claims"] = [claim_dict(one) for one in claims.get(neighbor["drug"], ())]


def claim_dict(checked: CheckedClaim) -> dict[str, Any]:
    """A checked claim as JSON has it."""
    claim, value = checked.claim, checked.value
    return {
        "kind": str(claim.kind),
        "subject": claim.subject,
        "what": claim.what,
        "direction": None if claim.direction is None else str(claim.direction),
        "relation": None if claim.relation is None else str(claim.relation),
        "origin": str(claim.origin),
        "quote": claim.quote,
        "verdict": str(checked.verdict),
        "source": checked.source,
        "specific_change": value if value is None or math.isfinite(value) else None,
        "pearson": checked.pearson,
        "drug_rank": checked.drug_rank,
        "n_drugs": checked.n_drugs,
        "gene_rank": checked.rank,
        "n_genes": checked.n_genes,
    }
