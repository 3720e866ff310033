"""Where the answer to a question comes from: the exact cache, or the model, as the policy says."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from lgr_core.domain import LLMClient, LLMReply, Retrieval, Selection
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import BadReplyError
from lgr_core.retrieval.cache import AnswerCache
from lgr_core.retrieval.claims import claimed
from lgr_core.retrieval.prices import Prices
from lgr_core.retrieval.question import Policy, Question
from lgr_core.retrieval.reply import parse_reply
from lgr_core.retrieval.resolve import resolve


def from_cache(reply: LLMReply) -> bool:
    """Whether a reply was given before and cost nothing now."""
    return "answered" in reply.provenance


def judge(question: Question, text: str, catalog: DrugCatalog) -> Retrieval:
    """What of an answer stands against the list that was shown."""
    parsed = parse_reply(text, question.prompt.labels)
    selection = Selection(parsed.proposals, raw=text)
    return resolve(selection, question.pool, catalog, question.k, selector="llm")


def _useless(question: Question, reply: LLMReply, found: Retrieval) -> str | None:
    """Why an answer is none, or None if it is one."""
    parsed = parse_reply(reply.text, question.prompt.labels)
    if not parsed.proposals:
        return f"{len(reply.text):,} characters without a ranked name"
    if not found.neighbors:
        return f"none of the {len(parsed.proposals)} names in it is a candidate"
    if reply.provenance.get("finish_reason") != "length":
        return None
    if parsed.form == "list":
        return "it was cut off before its final answer"
    wanted = min(found.k, found.pool_size)
    return f"it was cut off after {found.k_used} of {wanted}" if found.k_used < wanted else None


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers questions and keeps what was answered; without a client it only remembers."""

    policy: Policy
    provider: str
    catalog: DrugCatalog
    cache: AnswerCache | None = None
    client: LLMClient | None = None
    prices: Prices | None = None

    @property
    def nothing_kept(self) -> bool:
        """Whether no answer at all is kept."""
        return self.cache is None or not len(self.cache)

    def remembered(self, question: Question) -> LLMReply | None:
        """The cached answer, unless the policy is to ask anew."""
        if self.cache is None or self.policy is Policy.REFRESH:
            return None
        return self.cache.reply(question.key)

    def asked(self, question: Question) -> LLMReply | None:
        """The model's answer, put into the cache; None where the model may not be asked.

        Raises
        ------
        ServiceError
            If no usable answer can be had; it is logged, not cached.
        BudgetError
            If the budget does not cover the question; nothing was sent.
        """
        if self.client is None or self.policy is Policy.REPLAY:
            return None
        with self._claimed(question):
            known = self.remembered(question)
            return self._complete(self.client, question) if known is None else known

    def _claimed(self, question: Question) -> AbstractContextManager[None]:
        """Keeps others who share the cache from paying for the same answer meanwhile."""
        if self.cache is None:
            return nullcontext()
        return claimed(self.cache.path.parent / "claims" / question.key)

    def _complete(self, client: LLMClient, question: Question) -> LLMReply:
        try:
            reply = client.complete(question.request)
        except BadReplyError as err:
            self._log_bad(question, err.raw, str(err))
            raise
        self.keep(question, reply)
        return reply

    def keep(self, question: Question, reply: LLMReply) -> Retrieval:
        """Cache an answer, with what stands of it.

        Raises
        ------
        BadReplyError
            If no candidate is named in it, or it was cut off before its end; it goes to the log.
        """
        found = judge(question, reply.text, self.catalog)
        why = _useless(question, reply, found)
        if why is not None:
            self._log_bad(question, reply.text, why)
            do = "It is in the log of bad replies. Try another model or mode."
            asked = f"answer for {question.pool.query}"
            raise BadReplyError(asked, why, do, reply.text, reply.usage)
        if self.cache is not None:
            self.cache.put(question.key, self._record(question, reply, found))
        return found

    def cost(self, reply: LLMReply, model: str) -> float | None:
        """US dollars that a reply cost now; None where its tokens or their price are not known."""
        if from_cache(reply):
            return 0.0
        counted = reply.usage.input + reply.usage.output > 0
        listed = counted and reply.provenance.get("api") != "batch"  # it has prices of its own
        return self.prices.cost(reply.usage, model) if listed and self.prices is not None else None

    def _log_bad(self, question: Question, raw: str, why: str) -> None:
        if self.cache is not None:
            self.cache.log_bad(question.key, raw, why)

    def _record(self, question: Question, reply: LLMReply, found: Retrieval) -> dict[str, Any]:
        request, usage, query = question.request, reply.usage, question.pool.query
        return {
            "target_cell_type": query.cell_line,
            "target_molecule": query.drug,
            "dose_um": query.dose_um,
            "neighbors": [
                {"molecule": n.drug, "justification": n.rationale} for n in found.neighbors
            ],
            "k": found.k,
            "k_used": found.k_used,
            "pool_size": found.pool_size,
            "rejected": [{"text": r.text, "reason": str(r.reason)} for r in found.rejected],
            "raw": reply.text,
            "request": {
                "provider": self.provider,
                "model": request.model,
                "temperature": request.temperature,
                "effort": request.effort,
                "max_output_tokens": request.max_output_tokens,
                "template": question.prompt.version,
            },
            "reply": dict(reply.provenance),
            "usage": {"input": usage.input, "cached": usage.cached, "output": usage.output},
            "cost_usd": self.cost(reply, request.model),
        }
