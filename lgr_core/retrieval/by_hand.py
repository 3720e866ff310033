"""Answers that a person carries over from any chatbot."""

from __future__ import annotations

from dataclasses import dataclass

from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, DeltaReader, Evidence, Retrieval, Selection
from lgr_core.errors import InputError
from lgr_core.llm.parsing.reply_parser import parse_reply
from lgr_core.retrieval.answer_source import AnsweredBy
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_files import append_neighbors
from lgr_core.retrieval.resolve import resolve

BY_HAND = "by_hand.jsonl"

UNNAMED = "by hand"
"""The source that is kept of an answer of which nobody says whose it is."""


@dataclass(frozen=True, slots=True)
class PastedSelector:
    """Ranks by an answer that was carried over from a chatbot to the selector's own prompt."""

    asking: LLMSelector
    text: str
    source: str | None = None
    name: str = LLMSelector.name
    evidence: frozenset[Evidence] = frozenset()

    def select(self, pool: CandidatePool, k: int, view: DeltaReader | None = None) -> Selection:  # noqa: ARG002 - reads no delta
        """The pasted ranking.

        Raises
        ------
        InputError
            If there is no ranked name in the text.
        """
        question = self.asking.questions(pool, k)[0]
        parsed = parse_reply(self.text, question.prompt.labels)
        if not parsed.proposals:
            said = f"{len(self.text):,} characters without a ranked name"
            do = "Paste the model's whole answer, with its numbered list."
            raise InputError(f"pasted answer for {pool.query}", said, do)
        provenance = {
            "answered_by": str(AnsweredBy.HAND),
            **({} if self.source is None else {"source": self.source}),
            "scope": str(self.asking.options.scope),
            "asked_in_line": question.pool.query.cell_line,
            "template": question.prompt.version,
            "form": parsed.form,
            "truncated": parsed.truncated,
            "reading": list(parsed.notes),
        }
        shown = frozenset(question.pool.drugs) - set(pool.drugs)
        return Selection(parsed.proposals, raw=self.text, shown=shown, provenance=provenance)


def import_reply(
    selector: LLMSelector,
    pool: CandidatePool,
    k: int,
    text: str,
    settings: Settings,
    *,
    source: str | None = None,
) -> Retrieval:
    """Read a pasted answer and keep it as a neighbour file, where replay finds it.

    It is kept with all names that were shown, for the line that was asked for, and answers this
    atlas at this dose alone; of several the last counts.

    Raises
    ------
    InputError
        If there is no ranked name in it; nothing is kept then.
    """
    pasted = PastedSelector(selector, text, source)
    selection = pasted.select(pool, k)
    asked = selector.questions(pool, k)[0]
    kept = resolve(selection, asked.pool, selector.catalog, asked.k, selector=pasted.name)
    path = settings.neighbor_folders[0] / BY_HAND
    said = UNNAMED if source is None else source
    append_neighbors(path, kept, source=said, atlas=selector.atlas)
    return resolve(selection, pool, selector.catalog, k, selector=pasted.name)
