"""Drugs of the pool with the query's mechanism that a selector left out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lgr_core.domain import CandidatePool
from lgr_core.drugs.mechanism_tables import Annotation


@dataclass(frozen=True, slots=True)
class ExpectedDrug:
    """A candidate that shares mechanism tags with the query; ``source`` says who annotated it."""

    drug: str
    mechanisms: tuple[str, ...]
    source: str


def expected_not_chosen(
    pool: CandidatePool, chosen: Collection[str], annotations: Mapping[str, Annotation]
) -> tuple[ExpectedDrug, ...]:
    """The drugs of a pool that share a mechanism tag with the query and were not chosen.

    The tags shared are listed; most shared first, ties by name. Empty where the query's mechanism
    is not annotated: then none can be expected.
    """
    tags = annotations[pool.query.drug].tags
    left_out = (annotations[drug] for drug in pool.drugs if drug not in chosen)
    found = [
        ExpectedDrug(other.drug, tuple(tag for tag in tags if tag in other.tags), other.source)
        for other in left_out
        if set(tags) & set(other.tags)
    ]
    return tuple(sorted(found, key=lambda one: (-len(one.mechanisms), one.drug)))
