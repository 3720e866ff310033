"""Answers that a person carries over from any chatbot."""

from __future__ import annotations

from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Retrieval
from lgr_core.errors import InputError
from lgr_core.retrieval.answers import judge
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_files import append_neighbors

BY_HAND = "by_hand.jsonl"


def read_reply_by_hand(selector: LLMSelector, pool: CandidatePool, k: int, text: str) -> Retrieval:
    """What stands of a pasted answer to the selector's prompt.

    Raises
    ------
    InputError
        If there is no ranked name in it.
    """
    question = selector.questions(pool, k)[0]
    found = judge(question, text, selector.catalog)
    if not found.neighbors and not found.rejected:
        said = f"{len(text):,} characters without a ranked name"
        do = "Paste the model's whole answer, with its numbered list."
        raise InputError(f"pasted answer for {pool.query}", said, do)
    return found


def import_reply(
    selector: LLMSelector,
    pool: CandidatePool,
    k: int,
    text: str,
    settings: Settings,
    *,
    source: str,
) -> Retrieval:
    """Read a pasted answer and keep it as a neighbour file, where replay finds it.

    Raises
    ------
    InputError
        If there is no ranked name in it; nothing is kept then.
    """
    found = read_reply_by_hand(selector, pool, k, text)
    provenance = {"answered_by": source, "imported": "by hand"}
    kept = Retrieval(
        found.query,
        found.selector,
        found.k,
        found.pool_size,
        found.neighbors,
        found.rejected,
        found.raw,
        provenance,
    )
    append_neighbors(settings.neighbor_folders[0] / BY_HAND, kept)
    return kept
