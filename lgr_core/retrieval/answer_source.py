"""Where an answer of a language model came from: as recorded, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class AnsweredBy(StrEnum):
    """What ``provenance["answered_by"]`` can be."""

    MODEL = "model"
    CACHE = "cache"
    FILE = "file"
    HAND = "hand"


NOT_STATED = "not stated"
"""The source of a recorded answer whose file does not name one."""


def source_words(provenance: Mapping[str, Any]) -> str | None:
    """The source of an answer in words; None where no language model's answer was used.

    ``answered_by`` decides; ``file``, ``source`` and ``model`` are named where they are recorded.
    """
    if "answered_by" not in provenance:
        return None
    source, model = provenance.get("source"), provenance.get("model")
    match AnsweredBy(provenance["answered_by"]):
        case AnsweredBy.MODEL:
            return f"answered by {model}"
        case AnsweredBy.CACHE:
            return f"answered by {model}, from the cache"
        case AnsweredBy.HAND:
            return "entered by hand" + ("" if source is None else f", source: {source}")
        case AnsweredBy.FILE:
            stated = "source not stated" if source == NOT_STATED else f"source: {source}"
            return f"recorded in file {provenance['file']}, {stated}"
