"""A language model's answers that are kept already, wherever they are: nobody is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from lgr_core.domain import CandidatePool, Retrieval
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.answer_source import AnsweredBy
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.resolve import resolve


class Remembered(NamedTuple):
    """Who has an answer, and what of it stands."""

    selector: LLMSelector
    found: Retrieval


def recall(selectors: Iterable[LLMSelector], pool: CandidatePool, k: int) -> Remembered | None:
    """The first of the replaying selectors with an answer that is enough; None if none has one."""
    for selector in selectors:
        try:
            selection = selector.select(pool, k)
        except NotFoundError:
            continue
        found = resolve(selection, pool, selector.catalog, k, selector=selector.name)
        if _is_enough(found):
            return Remembered(selector, found)
    return None


def _is_enough(found: Retrieval) -> bool:
    """Whether a file's ranking, made for another list perhaps, fills half of this one."""
    of_file = found.provenance["answered_by"] == AnsweredBy.FILE
    return not of_file or 2 * found.k_used >= min(found.k, found.pool_size)
