"""Where the answer to a question comes from: the exact cache, or the model, as the policy says."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

from lgr_core.domain import LLMClient, LLMReply, LLMUsage, Retrieval, Selection
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import BadReplyError
from lgr_core.llm.budget import BYTES_PER_TOKEN
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.locks import claimed
from lgr_core.llm.parsing.reason_fields import as_fields
from lgr_core.llm.parsing.reply_parser import ParsedReply, parse_reply
from lgr_core.llm.prices import Prices
from lgr_core.llm.response import MORE_TOKENS
from lgr_core.retrieval.llm_question import Policy, Question
from lgr_core.retrieval.resolve import resolve

log = logging.getLogger(__name__)

STOP = "stop"
"""The finish reason of an answer that came to its end."""

CUT_PROMPT = "prompt_cut"
"""Where a reply's provenance says that the server read only a part of the prompt."""

SHORT_PROMPT = 200
"""Estimated tokens below which a count says nothing about a cut."""

LEAST_SHARE = 0.5
"""The share of the estimate that a whole prompt has at least: 6 bytes a token."""

SMALLEST_CONTEXT = 32
"""Tokens below which a count is made up (proxies with mock answers): no context is so small."""


def from_cache(reply: LLMReply) -> bool:
    """Whether a reply was given before and cost nothing now."""
    return "answered" in reply.provenance


def parsed_reply(question: Question, reply: LLMReply) -> ParsedReply:
    """A reply read with the names that were shown, and with what the service says of its end."""
    finished = reply.provenance.get("finish_reason") == STOP
    return parse_reply(reply.text, question.prompt.labels, finished=finished)


def validate(question: Question, reply: LLMReply, catalog: DrugCatalog) -> Retrieval:
    """What of an answer stands against the list that was shown."""
    selection = Selection(parsed_reply(question, reply).proposals, raw=reply.text)
    return resolve(selection, question.pool, catalog, question.k, selector="llm")


def cut_prompt(reply: LLMReply) -> str:
    """The warning that a server read only a part of its prompt; empty where it read all."""
    return str(reply.provenance.get(CUT_PROMPT, ""))


def _cut_warning(question: Question, usage: LLMUsage) -> str:
    """Why the prompt must have been cut: fewer tokens were read than it can have.

    Some servers cut the front of a long prompt without a word; only their count tells. Cached
    tokens are added, as some count them apart.
    """
    estimated = len(question.request.prompt.encode()) // BYTES_PER_TOKEN
    read = usage.input + usage.cached
    made_up = usage.input < SMALLEST_CONTEXT
    if made_up or estimated < SHORT_PROMPT or read >= estimated * LEAST_SHARE:
        return ""
    found = (
        f"the server read {usage.input:,} tokens of a prompt of about {estimated:,}, so it cut it"
    )
    do = "give it a larger context (Ollama: OLLAMA_CONTEXT_LENGTH) or show fewer candidates "
    return f"{found}; {do}(--max-candidates)"


def _useless(question: Question, reply: LLMReply, found: Retrieval) -> str | None:
    """Why an answer is none, or None if it is one."""
    parsed = parsed_reply(question, reply)
    if not parsed.proposals:
        where = " of reasoning" if reply.provenance.get("read_from") == "reasoning" else ""
        return f"{len(reply.text):,} characters{where} without a ranked name"
    if not found.neighbors:
        return f"none of the {len(parsed.proposals)} names in it is a candidate"
    finish = reply.provenance.get("finish_reason", STOP)
    if finish == STOP:
        return None
    how = "it was cut off" if finish == "length" else f"it ended with {finish!r}"
    if parsed.form == "list" and finish == "length":
        return f"{how} before its final answer"
    wanted = min(found.k, found.pool_size)
    return f"{how} after {found.k_used} of {wanted}" if found.k_used < wanted else None


def _remedy(reply: LLMReply) -> str:
    """What to do about an answer that is none."""
    logged = "It is in the log of bad replies (bad_replies.jsonl)."
    if reply.provenance.get("finish_reason") == "length":
        return f"{logged} {MORE_TOKENS}"
    return f"{logged} Try another model (--model) or mode (--mode)."


@dataclass(frozen=True, slots=True)
class AnswerProvider:
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
        """The cached answer, unless the policy is to ask anew.

        An answer that did not come to its end counts as none without all its names: earlier
        versions kept some.
        """
        if self.cache is None or self.policy is Policy.REFRESH:
            return None
        reply = self.cache.reply(question.key)
        if reply is None or reply.provenance.get("finish_reason", STOP) == STOP:
            return reply
        found = validate(question, reply, self.catalog)
        return reply if _useless(question, reply, found) is None else None

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
        return self.keep(question, reply)

    def keep(self, question: Question, reply: LLMReply) -> LLMReply:
        """Cache an answer, with what stands of it; the answer, with a warning where it has one.

        An answer to a prompt that the server cut is logged, not cached.

        Raises
        ------
        BadReplyError
            If no candidate is named in it, or it was cut off before its end; it goes to the log.
        """
        found = validate(question, reply, self.catalog)
        why = _useless(question, reply, found)
        if why is not None:
            self._log_bad(question, reply.text, why)
            asked, do = f"answer for {question.pool.query}", _remedy(reply)
            raise BadReplyError(asked, why, do, reply.text, reply.usage)
        warning = _cut_warning(question, reply.usage)
        if warning:
            log.warning("%s: %s; the answer is not kept", question.pool.query, warning)
            self._log_bad(question, reply.text, warning)
            return replace(reply, provenance={**reply.provenance, CUT_PROMPT: warning})
        if self.cache is not None:
            self.cache.put(question.key, self._record(question, reply, found))
        return reply

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
                {"molecule": n.drug, "justification": n.rationale, **as_fields(n.structured)}
                for n in found.neighbors
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
