"""What a selector recorded of itself, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from lgr_core.retrieval.answer_source import source_words
from pages.shared import pieces

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "answered_by": "answer",
        "source": "who ranked",
        "model": "language model",
        "provider": "service",
        "temperature": "temperature",
        "effort": "reasoning effort",
        "asked_in_line": "asked for cell line",
        "names_in_file": "drugs that the file names",
        "not_honoured": "settings that it does not honour",
        "template": "version of the prompt",
        "samples": "times asked",
        "repairs": "questions asked once more",
        "form": "form of the answer",
        "truncated": "answer cut off",
        "reading": "remarks on reading it",
        "prompt_cut": "warning: the prompt was cut",
        "shortlist": "candidates shown to the model",
        "not_shown": "drugs named that were not shown",
        "input_tokens": "tokens sent",
        "cached_tokens": "of these from a cache",
        "output_tokens": "tokens received",
        "cost_usd": "cost in US dollars",
        "with_known_mechanism": "drugs here with a known mechanism",
        "tags_of_query": "who told the drug's mechanism",
        "query_has_structure": "structure of the drug known",
        "without_structure": "drugs here without a structure",
        "seed": "seed of the draw",
    }
)
"""Words by what is recorded; the rest is read in the record itself."""


def selector_facts(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values of a selector's record, in the order of :data:`LABELS`."""
    shown = {**said, "answered_by": source_words(said)} if "answered_by" in said else said
    return [(label, _words(shown[key])) for key, label in LABELS.items() if key in shown]


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not recorded" if value is None else pieces.plain(value)
