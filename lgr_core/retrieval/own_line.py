"""A line's own answers where it has them, another line's where it has none."""

from __future__ import annotations

from lgr_core.domain import CandidatePool, DeltaReader, Evidence, Selection
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.llm_selector import LLMSelector


class OwnLineFirst:
    """Asks the selector of scope ``line``; where nobody answered there, that of scope ``drug``.

    A selection's provenance says in which line it was asked for.
    """

    name = LLMSelector.name
    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, own: LLMSelector, other: LLMSelector) -> None:
        self._own, self._other = own, other

    def select(self, pool: CandidatePool, k: int, view: DeltaReader) -> Selection:
        """The ranking of the query's line, else that of the other's scope line.

        Raises
        ------
        NotFoundError
            If neither is there.
        """
        try:
            return self._own.select(pool, k, view)
        except NotFoundError:
            return self._other.select(pool, k, view)
