"""The words of the question: the paper's template, and what each option changes in it.

All options off is the paper's prompt, byte for byte: its appendix A with the candidates one a line
in the order given, ``k`` written as a number ("top 10 molecules", "exactly 10 molecules"; the size
of the pool where that is smaller), no blank line before, one newline at the end. The words added
by an option are ours, and the prompt's version names the option.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from lgr_core.errors import UsageError

PAPER_TEMPLATE = """\
Candidate Molecules
You are given the following list of candidate molecules:
{candidate_molecules}

Task
Given an anchor molecule and a cell line, your task is to identify the
top k molecules from the candidate list that are most likely to
induce similar transcriptomic effects in the specified cell line.

Your reasoning should explicitly consider:
* known or inferred mechanisms of action,
* affected signaling pathways or transcriptional programs,
* pathway adjacency or mechanistic overlap,
* whether these programs are expected to be active or dominant in the
given cell line.

Do not rely on chemical similarity alone.
Do not introduce molecules outside the provided candidate list.
Your goal is to select molecules whose biological perturbation
programs are most likely to resemble those of the anchor molecule
in the given cellular context.

Output Format
Return exactly k molecules, ranked from most to least similar.
Use the following format:

<Final Answer>
1. MOLECULE 1: One-sentence biological justification.
2. MOLECULE 2: One-sentence biological justification.
...
</Final Answer>

Query
Anchor molecule: {molecule}
Cell line: {cell_type}
"""
"""Verbatim: Xiong, Huetter, Scalia, Biancalani and Maleki, "LLM-Guided Retrieval for Prediction of
Molecular Perturbation Responses", appendix A, "LLM Selector Prompt for Molecular Selection"."""

TEMPLATE_VERSION = MappingProxyType(
    {"text": "paper-A/1", "reasoned": "reasoned/1", "structured": "structured/2"}
)
"""The template of each mode; a change of its words is a new number."""

STRUCTURED = "structured"
"""The mode that is answered in JSON under a strict schema; the others are answered in text."""

_OURS_JSON = """\
Output Format
Return exactly {k} different molecules, ranked from most to least similar, as one JSON object:

{{"neighbors": [{{"molecule": "MOLECULE 1", "justification": "One-sentence biological \
justification.", %s}}]}}

Copy every molecule exactly as it is written in the candidate list.
%s
"""
_OURS_NUMBERS = """\
Output Format
Return exactly {k} different molecules, ranked from most to least similar, as one JSON object:

{{"neighbors": [{{"candidate": 1, "justification": "One-sentence biological justification.", \
%s}}]}}

"candidate" is the number before the molecule in the candidate list.
%s
"""
_OURS_FIELDS = (
    '"shared_targets": ["GENE"], "shared_pathway": "Pathway or program.", '
    '"expected_direction": "same", "why_in_this_line": "One sentence.", "stated_confidence": 0.5'
)
_OURS_MEANING = """\
"shared_targets" are the gene symbols of targets of both molecules; an empty list if there is none.
"shared_pathway" is a signaling pathway or transcriptional program that both affect.
"expected_direction" says how the effect of the molecule relates to that of the anchor: "same",
"opposite" or "partial".
"why_in_this_line" says why this holds in the given cell line.
"stated_confidence" is a number from 0 to 1: how sure you are that the two effects are similar.
"""
_OURS_REASONED = """\
1. MOLECULE 1: One-sentence biological justification. | Shared targets: gene symbols, or none | \
Shared pathway: pathway or program | Expected direction: same, opposite or partial | \
Why in this line: one sentence | Stated confidence: a number from 0 to 1
"""
_PAPER_ITEM = "1. MOLECULE 1: One-sentence biological justification.\n"
_PAPER_SECOND = "2. MOLECULE 2: One-sentence biological justification.\n"
_OURS_FACTS = (
    "You are given the following list of candidate molecules, with what is known of\n"
    "them (mechanism; targets) in brackets at the end. Answer with the name alone:\n"
)
_OURS_ANCHOR = "The anchor molecule is itself in the candidate list: never return it"
_PAPER_LIST = "You are given the following list of candidate molecules:\n"


@dataclass(frozen=True, slots=True)
class PromptOptions:
    """How the question departs from the paper's; the default does not.

    Attributes
    ----------
    mode
        ``text``: the paper's ``<Final Answer>`` block. ``reasoned``: the same with what is shared,
        the expected direction, why in this line and a stated confidence on each line.
        ``structured``: these as fields of JSON under a strict schema.
    facts
        Shows what is known of each molecule and of the cell line, in brackets.
    masked
        Blind: candidates are ``D001``, ``D002``, …, the anchor is ``A000``. What is answered so
        was not known from the names; facts must not hold names either.
    cache_friendly
        The anchor and its twins stay in the list, so that everything before the Query section is
        the same for all queries of a line and dose and a provider can reuse it; the Query section
        forbids them. An anchor that was not measured there makes the list one name longer.
    """

    mode: Literal["text", "reasoned", "structured"] = "text"
    facts: bool = False
    masked: bool = False
    cache_friendly: bool = False

    def __post_init__(self) -> None:
        if self.mode not in TEMPLATE_VERSION:
            do = f"Take one of: {', '.join(TEMPLATE_VERSION)}."
            raise UsageError(f"prompt mode {self.mode!r}", "unknown", do)


PAPER = PromptOptions()


def template(options: PromptOptions, *, numbered: bool) -> str:
    """The paper's template with ``{k}`` in place of k, and what the options change."""
    text = PAPER_TEMPLATE.replace("top k mol", "top {k} mol").replace("exactly k", "exactly {k}")
    if options.mode == STRUCTURED:
        head, rest = text.split("Output Format\n")
        ours = (_OURS_NUMBERS if numbered else _OURS_JSON) % (_OURS_FIELDS, _OURS_MEANING)
        text = head + ours + rest[rest.index("Query\n") :]
    elif options.mode == "reasoned":
        second = _OURS_REASONED.replace("1. MOLECULE 1", "2. MOLECULE 2")
        text = text.replace(_PAPER_ITEM, _OURS_REASONED).replace(_PAPER_SECOND, second)
    if options.facts:
        text = text.replace(_PAPER_LIST, _OURS_FACTS)
    return text + (_OURS_ANCHOR + "{never}.\n" if options.cache_friendly else "")


def version(options: PromptOptions, *, numbered: bool) -> str:
    """``paper-A/1``, or what was asked of it: ``structured/1+facts+numbered``."""
    flags = {
        "facts": options.facts,
        "masked": options.masked,
        "cache": options.cache_friendly,
        "numbered": numbered,
    }
    return "+".join([TEMPLATE_VERSION[options.mode], *(flag for flag, on in flags.items() if on)])
