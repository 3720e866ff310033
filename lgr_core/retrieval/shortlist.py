"""Which candidates a language model is shown where its context is too small for all of them."""

from __future__ import annotations

from dataclasses import replace

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool
from lgr_core.retrieval.checked_reader import NoDeltas
from lgr_core.retrieval.selectors import ChemistrySelector, MechanismSelector


class OfflineShortlist:
    """The candidates that share mechanisms with the query, then those like it in structure.

    What places remain go to other candidates by name. No measured response is read.
    """

    label = "mechanism, then structure, then name"

    def __init__(self, store: AtlasStore) -> None:
        self._selectors = (MechanismSelector(store), ChemistrySelector(store))

    def __call__(self, pool: CandidatePool, most: int) -> CandidatePool:
        """The pool with at most ``most`` drugs; the others count as withheld."""
        if len(pool.drugs) <= most:
            return pool
        chosen: dict[str, None] = {}
        for selector in self._selectors:
            chosen |= dict.fromkeys(
                p.text for p in selector.select(pool, most, NoDeltas()).proposals
            )
        kept = list(chosen | dict.fromkeys(pool.drugs))[:most]
        left = set(pool.drugs) - set(kept)
        return replace(
            pool, drugs=tuple(sorted(kept)), withheld=tuple(sorted({*pool.withheld, *left}))
        )
