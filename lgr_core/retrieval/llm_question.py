"""What is put to a language model for a query: which list, how often, under which key."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import DEFAULT_MAX_TOKENS, DEFAULT_MODEL
from lgr_core.domain import CandidatePool, Condition, LLMRequest, Reason, Retrieval, require_k
from lgr_core.errors import UsageError
from lgr_core.llm.prompt import Prompt, PromptOptions, listed, render

DEFAULT_SCOPE_LINE = "A549"
SCOPE_LINE = "scope_line"
"""The setting in ``LLMOptions.chosen`` that names the one line whose answers count in others."""

MAX_TEMPERATURE = 2.0
"""The highest that the OpenAI API takes."""


class Policy(StrEnum):
    """Who is asked for an answer, in order.

    ``replay``: the exact cache, then neighbour files, never the model. ``fill``: the cache, then
    the model. ``only_missing``: cache, files that honour all settings, then the model. ``refresh``:
    the model. Neighbour files that the user names are read by all but ``refresh``.
    """

    FILL = "fill"
    ONLY_MISSING = "only_missing"
    REPLAY = "replay"
    REFRESH = "refresh"


class Scope(StrEnum):
    """Whether a drug is asked for in every line, or once for all lines."""

    LINE = "line"
    DRUG = "drug"


@dataclass(frozen=True, slots=True)
class LLMOptions:
    """How a language model is asked; every field is recorded with the answer.

    ``samples`` above 1 asks that often, with the list in another order each time, and merges the
    rankings. ``max_output_tokens`` limits each answer (None: as the settings say, else 4,000).
    ``max_candidates`` shows the model that many of a larger pool, chosen without it, for servers of
    a small context. ``ask_for`` is how many names are asked for (default: k; twice that in scope
    ``drug``, where some fall out of each line's pool). ``repair`` allows one more request that
    names what was wrong. ``chosen`` are the settings (``model``, ``temperature``, ``scope_line``,
    ...) that were named, though they may be the default.
    """

    policy: Policy = Policy.REPLAY
    scope: Scope = Scope.LINE
    scope_line: str = DEFAULT_SCOPE_LINE
    model: str = DEFAULT_MODEL
    temperature: float | None = 0.0
    effort: str | None = "none"
    max_output_tokens: int | None = None
    max_candidates: int | None = None
    prompt: PromptOptions = field(default_factory=PromptOptions)
    samples: int = 1
    ask_for: int | None = None
    repair: bool = False
    chosen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.samples < 1 or (self.ask_for is not None and self.ask_for < 1):
            raise UsageError("LLM options", "fewer than one is asked for", "Give 1 or more.")
        counts = {"output tokens": self.max_output_tokens, "candidates": self.max_candidates}
        for what, count in counts.items():
            if count is not None and count < 1:
                raise UsageError("LLM options", f"at most {count} {what}", "Give 1 or more.")
        temperature = self.temperature
        if temperature is not None and not 0 <= temperature <= MAX_TEMPERATURE:
            do = f"Give a number from 0 to {MAX_TEMPERATURE:g}, or none."
            raise UsageError(f"temperature {temperature}", "no model takes it", do)

    @property
    def output_limit(self) -> int:
        """Output tokens that an answer may have."""
        limit = self.max_output_tokens
        return DEFAULT_MAX_TOKENS if limit is None else limit


class Shortlist(Protocol):
    """Chooses the candidates that a language model is shown; ``label`` says by what."""

    label: str

    def __call__(self, pool: CandidatePool, most: int) -> CandidatePool:
        """The pool with at most ``most`` drugs; the others count as withheld."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """One request for one query, with what is needed to read its answer.

    ``pool`` holds the candidates that are shown; ``left_out`` is how many more there are.
    """

    pool: CandidatePool
    k: int
    prompt: Prompt
    request: LLMRequest
    key: str
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class QuestionBuilder:
    """Makes the questions of an atlas; ``provider`` names the service in their keys.

    ``facts`` and ``line_facts`` are what a prompt may tell of drugs and lines (only with
    ``options.prompt.facts``); ``shortlist`` is needed with ``options.max_candidates``.
    """

    store: AtlasStore
    options: LLMOptions
    provider: str
    facts: Mapping[str, str] | None = None
    line_facts: Mapping[str, str] | None = None
    shortlist: Shortlist | None = None

    @property
    def scope_line(self) -> str:
        """The line of scope ``drug`` as the atlas writes it; as it was given if it is not there."""
        known = self.store.cell_line_catalog.find(self.options.scope_line)
        return self.options.scope_line if known is None else known

    def questions(self, pool: CandidatePool, k: int) -> list[Question]:
        """What is asked for a query: one question a sample.

        Raises
        ------
        UsageError
            If ``k`` is not positive.
        NotFoundError
            If the line of scope ``drug`` is not in the atlas.
        """
        require_k(k)
        asked = pool if self.options.scope is Scope.LINE else self._union(pool.query)
        shown, count = self._shown(asked), self._count(k)
        questions = (self._question(shown, count, n) for n in range(self.options.samples))
        left_out = len(asked.drugs) - len(shown.drugs)
        return [replace(question, left_out=left_out) for question in questions]

    def _shown(self, pool: CandidatePool) -> CandidatePool:
        most = self.options.max_candidates
        if most is None or len(pool.drugs) <= most:
            return pool
        if self.shortlist is None:
            found = f"{len(pool.drugs):,} candidates, and nothing to choose {most:,} of them by"
            raise UsageError("a question with fewer candidates", found, "Give a shortlist.")
        return self.shortlist(pool, most)

    def repair(self, question: Question, answer: str, found: Retrieval) -> Question:
        """The question that shows an answer and says what of it could not be used."""
        wrong = [f"{r.text} ({_WRONG[r.reason]})" for r in found.rejected if r.reason in _WRONG]
        text = _REPAIR.format(
            prompt=question.prompt.text,
            answer=answer.strip(),
            valid=found.k_used,
            k=min(question.k, len(question.pool.drugs)),
            wrong="\n".join(wrong) if wrong else "(the list was too short)",
        )
        return self._put(question.pool, question.k, question.prompt, text)

    def _count(self, k: int) -> int:
        if self.options.ask_for is not None:
            return self.options.ask_for
        return 2 * k if self.options.scope is Scope.DRUG else k

    def _union(self, query: Condition) -> CandidatePool:
        """The drugs measured in any line at the query's dose, asked for in the scope's line."""
        measured = self.store.drugs_at(query.dose_um)
        twins = set(self.store.drug_catalog.related(query.drug))
        drugs = tuple(sorted(measured - twins - {query.drug}))
        line = self.store.cell_line_catalog.resolve(self.options.scope_line)
        asked = Condition(line, query.drug, query.dose_um)
        return CandidatePool(asked, drugs, tuple(sorted(twins & measured)))

    def _question(self, pool: CandidatePool, k: int, sample: int) -> Question:
        order = None
        if sample:
            size = len(listed(pool, self.options.prompt))
            seed = [sample, zlib.crc32(repr(pool.query).encode())]
            order = np.random.default_rng(seed).permutation(size).tolist()
        line = None if self.line_facts is None else self.line_facts.get(pool.query.cell_line)
        prompt = render(
            pool, k, self.options.prompt, order=order, drug_facts=self.facts, line_facts=line
        )
        return self._put(pool, k, prompt, prompt.text)

    def _put(self, pool: CandidatePool, k: int, prompt: Prompt, text: str) -> Question:
        request = LLMRequest(
            prompt=text,
            model=self.options.model,
            temperature=self.options.temperature,
            effort=self.options.effort,
            max_output_tokens=self.options.output_limit,
            schema=None if prompt.schema is None else dict(prompt.schema),
        )
        # An answer that is kept came to its end, so the limit did not change it.
        asked = replace(request, max_output_tokens=DEFAULT_MAX_TOKENS)
        return Question(pool, k, prompt, request, asked.key(self.provider))


def known_facts(
    tags: Mapping[str, Iterable[str]], targets: Mapping[str, Iterable[str]]
) -> dict[str, str]:
    """What a prompt may tell of each drug: mechanisms, then targets; the unknown are left out."""
    facts = {}
    for drug in tags:
        parts = [", ".join(tags[drug]), ", ".join(targets.get(drug, ()))]
        text = "; ".join(part for part in parts if part)
        if text:
            facts[drug] = text
    return facts


_WRONG = {
    Reason.OUT_OF_POOL: "not in the candidate list",
    Reason.NOT_IN_SPLIT: "not in the candidate list",
    Reason.SELF: "the anchor itself",
    Reason.TWIN: "another form of the anchor",
    Reason.DUPLICATE: "named twice",
    Reason.AMBIGUOUS: "it fits more than one candidate",
}

_REPAIR = """\
{prompt}
Your previous answer was:
{answer}

Only {valid} of the {k} molecules asked for could be used. These could not:
{wrong}

Answer again with the complete list of exactly {k} molecules, all taken letter by letter from the
candidate list, in the same output format.
"""
