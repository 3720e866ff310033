"""Where the answer to a question comes from: the exact cache, or the model, as the policy says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lgr_core.domain import LLMClient, LLMReply, Retrieval, Selection
from lgr_core.drugs.identity import DrugCatalog
from lgr_core.errors import BadReplyError
from lgr_core.retrieval.cache import AnswerCache
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


def _useless(question: Question, reply: LLMReply) -> str | None:
    """Why an answer is none, or None if it is one."""
    parsed = parse_reply(reply.text, question.prompt.labels)
    if not parsed.proposals:
        return f"{len(reply.text):,} characters without a ranked name"
    if parsed.form == "list" and reply.provenance.get("finish_reason") == "length":
        return "it was cut off before its final answer"
    return None


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers questions and keeps what was answered; without a client it only remembers."""

    policy: Policy
    provider: str
    catalog: DrugCatalog
    cache: AnswerCache | None = None
    client: LLMClient | None = None
    prices: Prices | None = None

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
            If no usable answer can be had. An answer without a single name is logged, not cached.
        """
        if self.client is None or self.policy is Policy.REPLAY:
            return None
        try:
            reply = self.client.complete(question.request)
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
            If there is no name in it, or it was cut off while still reasoning; it goes to the log.
        """
        why = _useless(question, reply)
        if why is not None:
            self._log_bad(question, reply.text, why)
            do = "It is in the log of bad replies. Try another model or mode."
            raise BadReplyError(f"answer for {question.pool.query}", why, do, reply.text)
        found = judge(question, reply.text, self.catalog)
        if self.cache is not None:
            self.cache.put(question.key, self._record(question, reply, found))
        return found

    def _log_bad(self, question: Question, raw: str, why: str) -> None:
        if self.cache is not None:
            self.cache.log_bad(question.key, raw, why)

    def _record(self, question: Question, reply: LLMReply, found: Retrieval) -> dict[str, Any]:
        request, usage, query = question.request, reply.usage, question.pool.query
        cost = None if self.prices is None else self.prices.cost(usage, request.model)
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
            "cost_usd": cost,
        }
