"""The strict JSON schema of a structured answer, within what providers accept.

Limits of OpenAI's Structured Outputs (guide "Supported schemas", read in 2026): an object at the
root, every property required, nothing additional, at most 1,000 enum values, one enum of more than
250 values at most 15,000 characters, all names and values together at most 120,000, no newline in
a value, no ``uniqueItems``. Repeats are therefore possible; ``resolve`` drops them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from lgr_core.domain import ExpectedDirection
from lgr_core.llm.parsing.reason_fields import KEYS

ENUM_VALUES = 1_000
LONG_ENUM_VALUES = 250
LONG_ENUM_CHARACTERS = 15_000
SCHEMA_CHARACTERS = 120_000
_PROPERTIES = ("neighbors", "molecule", "justification", *KEYS)


def fits_enum(names: Collection[str]) -> bool:
    """Whether a schema may list these names as the only values of ``molecule``."""
    characters = sum(len(name) for name in names)
    if len(names) > ENUM_VALUES or any(len(name.splitlines()) > 1 for name in names):
        return False
    if len(names) > LONG_ENUM_VALUES and characters > LONG_ENUM_CHARACTERS:
        return False
    return characters + sum(map(len, _PROPERTIES)) <= SCHEMA_CHARACTERS


def reply_schema(k: int, candidates: Sequence[str] | int) -> dict[str, Any]:
    """``{"neighbors": [k times {molecule, justification, and the fields}]}`` for these names.

    For a number of candidates instead of names, each item has ``candidate``, 1 to that number.
    """
    if isinstance(candidates, int):
        drug = {"candidate": {"type": "integer", "minimum": 1, "maximum": candidates}}
    else:
        drug = {"molecule": {"type": "string", "enum": list(candidates)}}
    item = _strict({**drug, "justification": {"type": "string"}, **_fields()})
    neighbors = {"type": "array", "items": item, "minItems": k, "maxItems": k}
    return _strict({"neighbors": neighbors})


def _fields() -> dict[str, Any]:
    """The fields of a reason, by :data:`KEYS`."""
    text = {"type": "string"}
    directions = [str(direction) for direction in ExpectedDirection]
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "array", "items": text},
        text,
        {"type": "string", "enum": directions},
        text,
        {"type": "number", "minimum": 0, "maximum": 1},
    )
    return dict(zip(KEYS, kinds, strict=True))


def _strict(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
