"""Mechanism tags inferred by a language model, as in the paper: cached, and labelled as such.

The paper lets its model infer each drug's mechanism at run time. Here drugs are asked for in lists,
answers come from a closed list of tags, and every tag carries its source: who wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lgr_core.domain import LLMClient, LLMReply, LLMRequest
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.drugs.normalise import normalise_name
from lgr_core.errors import (
    AccessError,
    BadReplyError,
    BudgetError,
    LgrError,
    NotFoundError,
    ServiceError,
    StoppedError,
)
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.parsing.reply_parser import parse_reply
from lgr_core.llm.prompt import sanitise
from lgr_core.retrieval.answer_provider import STOP

CHUNK = 25
"""Drugs asked for at a time."""

TEMPLATE = "tags/1"

PROMPT = """\
For each molecule below, name its mechanisms of action.

Use only tags from this list, up to three a molecule, the main one first. Write "none" where no
mechanism is known or none of the tags fits.
Tags: {tags}

Molecules:
{molecules}

Answer with one line a molecule, in the same order:

<Final Answer>
1. MOLECULE 1: tag, tag
2. MOLECULE 2: none
...
</Final Answer>
"""


@dataclass(frozen=True, slots=True)
class TagReport:
    """Annotations by drug, the words in the answers that are no tags, and drugs without an answer.

    ``stopped_by`` is the first error for which the model did not answer.
    """

    annotations: dict[str, Annotation]
    unknown: tuple[str, ...]
    unanswered: tuple[str, ...]
    stopped_by: LgrError | None = None


@dataclass(frozen=True, slots=True)
class TagInference:
    """Asks for tags, or remembers them; without a client it only remembers."""

    book: MechanismAnnotations
    cache: AnswerCache
    model: str
    provider: str
    client: LLMClient | None = None

    def infer(self, drugs: Sequence[str]) -> TagReport:
        """Tags of every drug, their source naming the model.

        Where the service fails or the budget is spent, the drugs concerned have no answer; after
        errors that no further request avoids, nothing more is asked. An answer without a line that
        can be read goes to the log.

        Raises
        ------
        NotFoundError
            If an answer is not remembered and no model may be asked.
        """
        found: dict[str, Annotation] = {}
        unknown: list[str] = []
        stop: LgrError | None = None
        for chunk in _chunks(drugs):
            try:
                reply = self._reply(self._request(chunk), len(chunk))
            except (BudgetError, ServiceError) as err:
                stop = err if stop is None else stop
                if isinstance(err, BudgetError | AccessError | StoppedError):
                    break
            else:
                self._read(chunk, reply, found, unknown)
        missing = tuple(drug for drug in drugs if drug not in found)
        return TagReport(found, tuple(sorted(set(unknown))), missing, stop)

    def _request(self, chunk: Sequence[str]) -> LLMRequest:
        tags = ", ".join(sorted(self.book.mechanisms))
        prompt = PROMPT.format(tags=tags, molecules="\n".join(map(sanitise, chunk)))
        return LLMRequest(prompt, self.model)

    def _reply(self, request: LLMRequest, drugs: int) -> LLMReply:
        key = request.key(self.provider)
        known = self.cache.reply(key)
        if known is not None:
            return known
        if self.client is None:
            found = "they were not inferred before, and there is no model to ask"
            raise NotFoundError("inferred mechanism tags", found, "Run lgr tags with a key first.")
        reply = self.client.complete(request)
        lines = len(parse_reply(reply.text, ()).proposals)
        whole = reply.provenance.get("finish_reason", STOP) == STOP
        if not lines or (lines < drugs and not whole):
            found = f"{len(reply.text):,} characters with {lines} of {drugs} lines of tags"
            self.cache.log_bad(key, reply.text, found)
            raise BadReplyError("inferred mechanism tags", found, "Try again.", reply.text)
        asked = {"provider": self.provider, "model": self.model, "template": TEMPLATE}
        record = {"raw": reply.text, "reply": dict(reply.provenance), "request": asked}
        self.cache.put(key, record)
        return reply

    def _read(
        self,
        chunk: Sequence[str],
        reply: LLMReply,
        found: dict[str, Annotation],
        unknown: list[str],
    ) -> None:
        catalog, source = DrugCatalog(chunk), f"inferred by a language model ({self.model})"
        labels = {normalise_name(m.label): tag for tag, m in self.book.mechanisms.items()}
        for item in parse_reply(reply.text, chunk).proposals:
            drug = catalog.find(item.text).drug
            if drug is None or drug in found:
                continue
            words = [w for w in re.split(r"[,;]", item.rationale.strip(" .")) if w.strip()]
            tags = [_tag(word, self.book, labels) for word in words]
            pairs = zip(words, tags, strict=True)
            unknown += [
                w.strip() for w, tag in pairs if tag is None and normalise_name(w) != "none"
            ]
            targets = self.book.annotate(drug).targets
            kept = tuple(dict.fromkeys(tag for tag in tags if tag is not None))
            found[drug] = Annotation(drug, kept, targets, source)


def _tag(word: str, book: MechanismAnnotations, labels: dict[str, str]) -> str | None:
    """The tag that a word means: the tag itself, or its label."""
    tag = "_".join(normalise_name(word).replace("-", " ").split())
    return tag if tag in book.mechanisms else labels.get(normalise_name(word))


def _chunks(drugs: Sequence[str]) -> Iterator[Sequence[str]]:
    ordered = sorted(drugs)
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]
