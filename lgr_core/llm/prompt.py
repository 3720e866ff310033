"""The question that is put to a language model, rendered for one query.

Names may come from an uploaded file, so they are made harmless before they are shown
(:func:`sanitise`), and ``Prompt.labels`` leads every name shown back to its drug.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import unescape
from types import MappingProxyType
from typing import Any

from lgr_core.domain import EMPTY, CandidatePool, require_k
from lgr_core.errors import UsageError
from lgr_core.llm.parsing.name_parser import one_line
from lgr_core.llm.prompt_templates import (
    PAPER,
    PAPER_TEMPLATE,
    STRUCTURED,
    TEMPLATE_VERSION,
    PromptOptions,
    template,
    version,
)
from lgr_core.llm.response_schema import fits_enum, reply_schema

__all__ = [
    "PAPER",
    "PAPER_TEMPLATE",
    "TEMPLATE_VERSION",
    "Prompt",
    "PromptOptions",
    "listed",
    "render",
    "sanitise",
]

NAME_LIMIT = 200
"""Characters of a name that are shown."""

_ANGLES = str.maketrans("<>", "\u2039\u203a")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A rendered question and how to read its answer.

    ``labels`` leads from what is shown to the drug; where candidates are numbered, from the
    numbers too. ``schema`` is the strict JSON schema of the answer, ``None`` in modes of
    text.
    """

    text: str
    version: str
    labels: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    schema: Mapping[str, Any] | None = None


def listed(pool: CandidatePool, options: PromptOptions = PAPER) -> tuple[str, ...]:
    """The drugs of the candidate list, sorted; ``order`` of :func:`render` permutes these."""
    if not options.cache_friendly:
        return pool.drugs
    return tuple(sorted({*pool.drugs, pool.query.drug, *pool.twins}))


def render(
    pool: CandidatePool,
    k: int,
    options: PromptOptions = PAPER,
    *,
    order: Sequence[int] | None = None,
    drug_facts: Mapping[str, str] | None = None,
    line_facts: str | None = None,
) -> Prompt:
    """The prompt for ``pool.query``: who of the pool acts most like it in its cell line.

    Parameters
    ----------
    order
        A permutation of ``range(len(listed(pool, options)))``: the list in another order, for
        self-consistency. ``None`` keeps it sorted.
    drug_facts, line_facts
        What is known by drug ("MEK inhibitor; MAP2K1, MAP2K2") and of the line; shown only with
        ``options.facts``. A drug without an entry is shown by its name.

    Raises
    ------
    UsageError
        If ``k`` is not positive, ``order`` is no permutation, or facts are asked for and none
        were given.
    """
    require_k(k)
    if options.facts and drug_facts is None and line_facts is None:
        raise UsageError("a prompt with facts", "no facts were given", "Give drug_facts.")
    drugs = _ordered(listed(pool, options), order)
    names = _masks(drugs) if options.masked else _distinct(pool, drugs)
    labels = {names[drug]: drug for drug in drugs}
    numbered = options.mode == STRUCTURED and not fits_enum(labels)
    facts = drug_facts if options.facts and drug_facts is not None else EMPTY
    lines = [_with_facts(shown, facts.get(drug)) for shown, drug in labels.items()]
    text = template(options, numbered=numbered).format(
        k=min(k, len(pool.drugs)),
        candidate_molecules="\n".join(_numbered(lines) if numbered else lines),
        molecule=_anchor(pool, names, facts, masked=options.masked),
        cell_type=_with_facts(sanitise(pool.query.cell_line), line_facts if options.facts else ""),
        never=_never(pool, names),
    )
    return Prompt(
        text=text,
        version=version(options, numbered=numbered),
        labels=MappingProxyType(_by_number(labels) if numbered else labels),
        schema=_schema(min(k, len(pool.drugs)), labels, options, numbered=numbered),
    )


@lru_cache(maxsize=16_384)
def sanitise(name: str, limit: int = NAME_LIMIT) -> str:
    """A name as it may stand in a prompt: one line of at most ``limit`` characters.

    Line breaks and control, invisible, private and broken characters go; angle brackets become
    guillemets and the ``&`` of an HTML entity is widened, so that no name opens or closes the
    answer block or anything else in tags. What it says is left as it is: a model may be talked
    into a foolish answer, but only drugs of the pool are believed.
    """
    text = one_line(name[: 4 * limit]).translate(_ANGLES)
    if unescape(text) != text:
        text = text.replace("&", "\uff06")
    cut = text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
    return cut or "unnamed"


def _ordered(drugs: Sequence[str], order: Sequence[int] | None) -> Sequence[str]:
    if order is None:
        return drugs
    if sorted(order) != list(range(len(drugs))):
        found = f"{len(order)} places that are no permutation of {len(drugs)} candidates"
        raise UsageError("order of the candidates", found, "Permute range(len(listed(...))).")
    return [drugs[i] for i in order]


def _masks(drugs: Sequence[str]) -> dict[str, str]:
    """``D001``, ``D002``, … by place in the list."""
    width = max(3, len(str(len(drugs))))
    return {drug: f"D{i:0{width}d}" for i, drug in enumerate(drugs, start=1)}


def _distinct(pool: CandidatePool, drugs: Sequence[str]) -> dict[str, str]:
    """What is shown for each drug and the anchor; names alike once harmless get ``#2``, ``#3``.

    Numbered in sorted order, an anchor that is not listed first: the list's order is no matter.
    """
    anchor = () if pool.query.drug in drugs else (pool.query.drug,)
    shown: dict[str, str] = {}
    taken: set[str] = set()
    for drug in (*anchor, *sorted(drugs)):
        name = base = sanitise(drug)
        count = 1
        while name in taken:
            count += 1
            name = f"{base} #{count}"
        shown[drug] = name
        taken.add(name)
    return shown


def _anchor(
    pool: CandidatePool, names: Mapping[str, str], facts: Mapping[str, str], *, masked: bool
) -> str:
    place = names.get(pool.query.drug)
    if masked:
        place = "the anchor compound A000" + (f", {place} in the list" if place else "")
    return _with_facts(str(place), facts.get(pool.query.drug))


def _never(pool: CandidatePool, names: Mapping[str, str]) -> str:
    """The end of the sentence that forbids the anchor: its twins, by the names they are shown."""
    twins = "; ".join(names[twin] for twin in pool.twins if twin in names)
    return f", nor its other forms: {twins}" if twins else ""


def _with_facts(shown: str, facts: str | None) -> str:
    return f"{shown} ({sanitise(facts)})" if facts and facts.strip() else shown


def _numbered(lines: Iterable[str]) -> list[str]:
    return [f"{i}. {line}" for i, line in enumerate(lines, start=1)]


def _by_number(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels and their numbers; where a drug is called ``12``, the number is meant."""
    return {**labels, **{str(i): drug for i, drug in enumerate(labels.values(), start=1)}}


def _schema(
    k: int, labels: Mapping[str, str], options: PromptOptions, *, numbered: bool
) -> dict[str, Any] | None:
    if options.mode != STRUCTURED:
        return None
    return reply_schema(k, len(labels) if numbered else list(labels))
