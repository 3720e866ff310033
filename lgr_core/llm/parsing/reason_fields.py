"""The fields of a reason: shared targets, pathway, direction, cell line, stated confidence.

A structured answer has them as keys, an answer to the ``reasoned`` template as labelled parts of
its line. Whatever cannot be read is left out, never an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lgr_core.domain import ExpectedDirection, StructuredReason

KEYS = (
    "shared_targets",
    "shared_pathway",
    "expected_direction",
    "why_in_this_line",
    "stated_confidence",
)
"""The keys of the fields in answers, caches and neighbour files."""

TARGET_LIMIT = 40
TEXT_LIMIT = 400
_MOST_TARGETS = 20
_PERCENT = 100.0

_LABEL = re.compile(
    r"[\s|;,*_(-]*\b(?:"
    r"(?P<shared_targets>shared targets?)|"
    r"(?P<shared_pathway>shared (?:pathways?|program(?:me)?s?)(?: or (?:pathway|program(?:me)?))?)|"
    r"(?P<expected_direction>expected direction)|"
    r"(?P<why_in_this_line>why in this (?:cell )?line)|"
    r"(?P<stated_confidence>stated confidence)"
    r")[\s*_]*[:=\uff1a][\s*_]*",
    re.IGNORECASE,
)
_EDGES = " |;,*_\t"
_NOTHING = {"", "-", "n/a", "na", "none", "none known", "not known", "null", "unknown"}
_NUMBER = re.compile(r"(\d{1,3}(?:\.\d{1,6})?|\.\d{1,6})\s{0,2}(%?)")


def fields_of(entry: Mapping[str, Any]) -> StructuredReason | None:
    """The fields in a JSON object; None where it has none that can be read."""
    values = {str(key).casefold(): value for key, value in entry.items()}
    reason = StructuredReason(
        shared_targets=_targets(values.get("shared_targets")),
        shared_pathway=_text(values.get("shared_pathway")),
        expected_direction=_direction(values.get("expected_direction")),
        why_in_line=_text(values.get("why_in_this_line")),
        stated_confidence=_confidence(values.get("stated_confidence")),
    )
    return None if reason == StructuredReason() else reason


def as_fields(reason: StructuredReason | None) -> dict[str, Any]:
    """The fields as an object has them, by :data:`KEYS`; empty for none."""
    if reason is None:
        return {}
    direction = reason.expected_direction
    values = (
        list(reason.shared_targets),
        reason.shared_pathway,
        None if direction is None else str(direction),
        reason.why_in_line,
        reason.stated_confidence,
    )
    return dict(zip(KEYS, values, strict=True))


def has_fields(text: str) -> bool:
    """Whether a reason in words has a labelled field."""
    return _LABEL.search(text) is not None


def split_fields(text: str) -> tuple[str, StructuredReason | None]:
    """The sentence before the first labelled field, and the fields; of two alike the first counts.

    ``Both block MEK. | Shared targets: MAP2K1 | Expected direction: same`` is the sentence
    ``Both block MEK.`` with a target and a direction.
    """
    labels = list(_LABEL.finditer(text))
    if not labels:
        return text, None
    ends = [*(label.start() for label in labels[1:]), len(text)]
    found: dict[str, str] = {}
    for label, end in zip(labels, ends, strict=True):
        found.setdefault(str(label.lastgroup), text[label.end() : end].strip(_EDGES))
    return text[: labels[0].start()].strip(_EDGES), fields_of(found)


def _targets(value: object) -> tuple[str, ...]:
    """Gene symbols or names, each once, in their order."""
    parts = re.split(r"[,;/]| and ", value) if isinstance(value, str) else value
    if not isinstance(parts, list):
        return ()
    names = (_text(part, TARGET_LIMIT) for part in parts)
    return tuple(dict.fromkeys(filter(None, names)))[:_MOST_TARGETS]


def _text(value: object, limit: int = TEXT_LIMIT) -> str:
    if not isinstance(value, str):
        return ""
    text = " ".join("".join(c if c.isprintable() else " " for c in value).split()).strip(_EDGES)
    if text.rstrip(".").casefold() in _NOTHING:
        return ""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _direction(value: object) -> ExpectedDirection | None:
    """The one direction that is named; none where two are."""
    words = set(re.findall(r"[a-z]+", value.lower())) if isinstance(value, str) else set()
    named = [direction for direction in ExpectedDirection if str(direction) in words]
    return named[0] if len(named) == 1 else None


def _confidence(value: object) -> float | None:
    """A share from 0 to 1; ``80 %`` is 0.8, and 80 without a sign is none."""
    if isinstance(value, str):
        number = _NUMBER.match(value.strip())
        if number is None:
            return None
        value = float(number[1]) / (_PERCENT if number[2] else 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= 1 else None
