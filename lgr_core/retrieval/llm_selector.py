"""LLM-guided retrieval: a language model ranks neighbours from a closed list, with reasons.

Where an answer comes from is the policy's to say: the exact cache, neighbour files, or the model
itself. Every selection records which it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import (
    CandidatePool,
    DeltaReader,
    Evidence,
    LLMClient,
    LLMReply,
    LLMUsage,
    Proposal,
    Reason,
    Selection,
)
from lgr_core.errors import BadReplyError, NotFoundError, UsageError
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.parsing.reply_parser import ParsedReply
from lgr_core.llm.prices import Prices
from lgr_core.retrieval.answer_comparison import reciprocal_rank_fusion
from lgr_core.retrieval.answer_provider import (
    CUT_PROMPT,
    AnswerProvider,
    cut_prompt,
    from_cache,
    parsed_reply,
    validate,
)
from lgr_core.retrieval.answer_source import AnsweredBy
from lgr_core.retrieval.llm_question import (
    LLMOptions,
    Policy,
    Question,
    QuestionBuilder,
    Scope,
    Shortlist,
)
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.recorded import find_recorded, recorded_selection
from lgr_core.retrieval.resolve import resolve


def _remarks(heard: Sequence[_Heard], parsed: Sequence[ParsedReply]) -> list[str]:
    """What else is to be said: fewer names than were asked for, a prompt that was cut."""
    notes = []
    for h, reply in zip(heard, parsed, strict=True):
        wanted = min(h.question.k, len(h.question.pool.drugs))
        if len(reply.proposals) < wanted:
            notes.append(f"{len(reply.proposals)} names of the {wanted} that were asked for")
        notes += filter(None, [cut_prompt(h.reply)])
    return notes


def _offline(store: AtlasStore) -> Shortlist:
    """What chooses the candidates that are shown where a context is too small for all."""
    # The offline selectors' module imports this one.
    from lgr_core.retrieval.shortlist import OfflineShortlist  # noqa: PLC0415

    return OfflineShortlist(store)


@dataclass(frozen=True, slots=True)
class _Heard:
    """The answer that counts for one question, and every reply that led to it."""

    question: Question
    reply: LLMReply
    replies: tuple[LLMReply, ...]


class LLMSelector:
    """Asks a language model, the cache or neighbour files, as ``options.policy`` says.

    ``provider`` names the service in cache keys; it is the client's where there is one.
    ``facts`` and ``line_facts`` go into the prompt with ``options.prompt.facts``. With
    ``any_line``, neighbour files of scope ``drug`` may answer for any line, not that of the scope
    alone.
    """

    name = "llm"
    evidence: frozenset[Evidence] = frozenset()

    def __init__(  # noqa: PLR0913 - all but the atlas is optional
        self,
        store: AtlasStore,
        options: LLMOptions | None = None,
        *,
        cache: AnswerCache | None = None,
        book: NeighborBook | None = None,
        client: LLMClient | None = None,
        provider: str = "openai",
        facts: Mapping[str, str] | None = None,
        line_facts: Mapping[str, str] | None = None,
        any_line: bool = False,
    ) -> None:
        self.options = LLMOptions() if options is None else options
        if self.options.policy is not Policy.REPLAY and client is None:
            found = "there is no language model to ask"
            raise UsageError(f"--cache {self.options.policy}", found, "Set a key, or use replay.")
        name = provider if client is None else client.provider
        self.atlas, self.catalog, self._book = store.name, store.drug_catalog, book
        self._any_line = any_line
        self._shortlist = None if self.options.max_candidates is None else _offline(store)
        self._question_builder = QuestionBuilder(
            store, self.options, name, facts, line_facts, self._shortlist
        )
        policy, prices = self.options.policy, Prices.load(service=name)
        self.answers = AnswerProvider(policy, name, self.catalog, cache, client, prices)

    @property
    def scope_line(self) -> str:
        """The line in which scope ``drug`` asks."""
        return self._question_builder.scope_line

    def questions(self, pool: CandidatePool, k: int) -> list[Question]:
        """What is asked for a query: one question a sample, with their cache keys.

        Raises
        ------
        UsageError
            If ``k`` is not positive.
        NotFoundError
            If the line of scope ``drug`` is not in the atlas.
        """
        return self._question_builder.questions(pool, k)

    def select(self, pool: CandidatePool, k: int, view: DeltaReader | None = None) -> Selection:  # noqa: ARG002 - reads no delta
        """The ranking for ``pool.query`` as it came; ``resolve`` judges it.

        Raises
        ------
        NotFoundError
            If nobody answered this question before and the model may not be asked, or it is to
            be asked in a line that neither the atlas nor a file knows.
        ServiceError
            If the model was asked and gave no usable answer.
        """
        if self.options.policy is Policy.REPLAY and self.answers.nothing_kept:
            recorded = self._recorded(pool)  # no question need be made to look it up
            if recorded is not None:
                return recorded
            if self.options.scope is Scope.LINE:
                raise self._unanswered(pool)
        try:
            questions = self.questions(pool, k)
        except NotFoundError:  # a recorded ranking may be of a line that the atlas lacks
            recorded = self._recorded(pool)
            if recorded is None:
                raise
            return recorded
        remembered = [self.answers.remembered(question) for question in questions]
        recorded = None if None not in remembered else self._recorded(pool)
        if recorded is not None:
            return recorded
        heard = [
            self._hear(question, known)
            for question, known in zip(questions, remembered, strict=True)
        ]
        if not all(heard):
            raise self._unanswered(pool)
        return self._selection(pool, [h for h in heard if h is not None])

    def _hear(self, question: Question, known: LLMReply | None) -> _Heard | None:
        reply = self.answers.asked(question) if known is None else known
        if reply is None:
            return None
        heard = _Heard(question, reply, (reply,))
        return self._repaired(heard) if self.options.repair else heard

    def _repaired(self, heard: _Heard) -> _Heard:
        """With one more question where too few names stood; the fuller answer counts."""
        found = validate(heard.question, heard.reply, self.catalog)
        if found.k_used >= min(found.k, found.pool_size):
            return heard
        again = self._question_builder.repair(heard.question, heard.reply.text, found)
        second = self.answers.remembered(again)
        try:
            second = self.answers.asked(again) if second is None else second
        except BadReplyError:
            return heard
        if second is None:
            return heard
        fuller = validate(heard.question, second, self.catalog).k_used >= found.k_used
        reply = second if fuller else heard.reply
        return _Heard(heard.question, reply, (*heard.replies, second))

    def _selection(self, pool: CandidatePool, heard: Sequence[_Heard]) -> Selection:
        proposals, agreement = self._merged(heard)
        provenance = self._provenance(heard)
        question = heard[0].question
        if question.left_out and self._shortlist is not None:
            proposals, unlisted = self._as_listed(proposals, question)
            size, left = len(question.pool.drugs), question.left_out
            provenance["shortlist"] = f"{size} of {size + left}, by {self._shortlist.label}"
            provenance["not_shown"] = unlisted
        if agreement:
            provenance["agreement"] = agreement
        cut = next(filter(None, (cut_prompt(h.reply) for h in heard)), "")
        if cut:
            provenance[CUT_PROMPT] = cut
        raw = "\n\n".join(h.reply.text for h in heard)
        shown = frozenset(question.pool.drugs) - set(pool.drugs)
        return Selection(proposals, raw=raw, shown=shown, provenance=provenance)

    def _as_listed(
        self, proposals: tuple[Proposal, ...], question: Question
    ) -> tuple[tuple[Proposal, ...], list[str]]:
        """The proposals without those of the pool that the model was not shown, and these."""
        found = resolve(
            Selection(proposals),
            question.pool,
            self.catalog,
            max(1, len(proposals)),
            selector=self.name,
        )
        unlisted = [r.text for r in found.rejected if r.reason is Reason.NOT_IN_SPLIT]
        return tuple(p for p in proposals if p.text not in unlisted), unlisted

    def _merged(self, heard: Sequence[_Heard]) -> tuple[tuple[Proposal, ...], dict[str, float]]:
        """One ranking of several by mean reciprocal rank, and each drug's share of the samples.

        A drug keeps the reason of the sample that ranked it best.
        """
        if len(heard) == 1:
            return parsed_reply(heard[0].question, heard[0].reply).proposals, {}
        places: dict[str, list[int]] = defaultdict(list)
        best: dict[str, Proposal] = {}
        samples = [validate(h.question, h.reply, self.catalog) for h in heard]
        for n in chain.from_iterable(sample.neighbors for sample in samples):
            if not places[n.drug] or n.rank < min(places[n.drug]):
                best[n.drug] = Proposal(n.drug, n.rationale, structured=n.structured)
            places[n.drug].append(n.rank)
        fused = reciprocal_rank_fusion([sample.drugs for sample in samples], constant=0)
        score = {drug: value / len(heard) for drug, value in fused.items()}
        ranked = sorted(score, key=lambda drug: (-score[drug], drug))
        proposals = tuple(replace(best[drug], score=score[drug]) for drug in ranked)
        return proposals, {drug: len(places[drug]) / len(heard) for drug in ranked}

    def _provenance(self, heard: Sequence[_Heard]) -> dict[str, Any]:
        replies = [reply for h in heard for reply in h.replies]
        parsed = [parsed_reply(h.question, h.reply) for h in heard]
        used = sum((reply.usage for reply in replies), LLMUsage())
        costs = [self.answers.cost(reply, self.options.model) for reply in replies]
        return {
            "answered_by": str(
                AnsweredBy.CACHE if all(map(from_cache, replies)) else AnsweredBy.MODEL
            ),
            "scope": str(self.options.scope),
            "asked_in_line": heard[0].question.pool.query.cell_line,
            "model": self.options.model,
            "temperature": self.options.temperature,
            "effort": self.options.effort,
            "provider": self.answers.provider,
            "template": heard[0].question.prompt.version,
            "key": heard[0].question.key,
            "samples": len(heard),
            "repairs": len(replies) - len(heard),
            "form": ", ".join(sorted({reply.form for reply in parsed})),
            "truncated": any(reply.truncated for reply in parsed),
            "reading": [note for reply in parsed for note in reply.notes] + _remarks(heard, parsed),
            "input_tokens": used.input,
            "cached_tokens": used.cached,
            "output_tokens": used.output,
            "cost_usd": None if None in costs else sum(costs),
            "reply": dict(heard[-1].reply.provenance),
        }

    def _recorded(self, pool: CandidatePool) -> Selection | None:
        """What a neighbour file answers in a line of the scope, if one may."""
        if self._book is None:
            return None
        lines = self._recorded_lines(self._book, pool)
        found = find_recorded(self._book, pool, lines, self.options, self.atlas)
        if found is None:
            return None
        return recorded_selection(found, pool, self.options, self.catalog)

    def _recorded_lines(self, book: NeighborBook, pool: CandidatePool) -> tuple[str, ...]:
        """The lines whose records may answer, the preferred one first."""
        if self.options.scope is Scope.LINE:
            return (pool.query.cell_line,)
        others = book.lines(pool.query.drug) if self._any_line else ()
        return (self.scope_line, *others)

    def _unanswered(self, pool: CandidatePool) -> NotFoundError:
        in_line = self.options.scope is Scope.LINE
        where = pool.query.cell_line if in_line else f"{self.options.scope_line} (scope drug)"
        do = "Ask the model (--cache fill, with a key), give --neighbors FILE"
        hint = ", or reuse one line's ranking (--scope drug)." if in_line else "."
        found = "neither the cache nor a neighbour file holds it"
        return NotFoundError(f"LLM answer for {pool.query.drug} in {where}", found, do + hint)
