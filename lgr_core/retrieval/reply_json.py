"""Answers in JSON: whole, in a fence, with text around them, or cut off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from lgr_core.retrieval.labels import Item, Labels
from lgr_core.retrieval.reply_lines import MOST_ITEMS, names_something, strip_number

_NAME_KEYS = ("molecule", "drug", "candidate", "name", "compound")
_REASON_KEYS = ("justification", "reason", "rationale", "explanation")
_LIST_KEYS = ("neighbors", "neighbours")
_MARK = re.compile(rf'"(?:{"|".join(_NAME_KEYS + _LIST_KEYS)})"\s{{0,9}}:', re.IGNORECASE)
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.?)*+"?|[{}\[\]]', re.DOTALL)
_TRAILING_COMMA = re.compile(r",\s{0,99}\}$")
_MOST_FENCES = 5
_MOST_READ = MOST_ITEMS + 1
_DEPTH = 3


def json_items(text: str, labels: Labels) -> tuple[list[Item], bool]:
    """The items of the last JSON answer in the text, and whether it was cut off.

    A document that does not parse is salvaged object by object; an unfinished one is left out, as
    a cut name could be another drug's.
    """
    for document in _documents(text):
        items = _known_kind(_entries(_load(document)), labels)
        if items:
            return items, False
    if not _MARK.search(text):
        return [], False
    objects, cut = _salvaged(text)
    return _known_kind(objects, labels), cut


def _documents(text: str) -> Iterator[str]:
    """What may be one JSON document: the text, its last fenced blocks, its outermost braces."""
    whole = text.strip()
    if whole[:1] in ("{", "["):
        yield whole
    fenced = text.split("```")[1::2]
    yield from (block[block.find("\n") + 1 :] for block in fenced[: -_MOST_FENCES - 1 : -1])
    if _MARK.search(text):
        yield text[text.find("{") : text.rfind("}") + 1]


def _load(document: str) -> Any:  # noqa: ANN401
    """The document's value, or None where it is none; line breaks in strings are let pass."""
    if document.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(document, strict=False)
    except (ValueError, RecursionError):
        return None


def _entries(value: Any, depth: int = 0) -> list[Any]:  # noqa: ANN401
    """The list that holds the answer: a list of objects in the value, else any list in it."""
    if depth > _DEPTH:
        return []
    if isinstance(value, list):
        return value[:_MOST_READ]
    if not isinstance(value, dict):
        return []
    fields = [value[key] for key in value if key.casefold() in _LIST_KEYS]
    if not fields and _named(value) is not None:
        return [value]
    if value and all(key.isdigit() for key in value):
        return list(value.values())[:_MOST_READ]
    found = [_entries(child, depth + 1) for child in fields or list(value.values())[:_MOST_READ]]
    objects = (entries for entries in found if any(isinstance(entry, dict) for entry in entries))
    return next(objects, next(filter(None, found), []))


def _known_kind(entries: list[Any], labels: Labels) -> list[Item]:
    items = (_item(entry, labels) for entry in entries)
    return [item for item in items if item is not None and names_something(item)]


def _item(entry: Any, labels: Labels) -> Item | None:  # noqa: ANN401
    """One item: an object with a name, a bare name, or the number of a candidate."""
    if isinstance(entry, str):
        return labels.split(strip_number(entry))
    if not isinstance(entry, dict):
        number = _number(entry)
        return None if number is None else labels.read(number)
    name = _named(entry)
    if name is None:
        return None
    fields = {str(key).casefold(): value for key, value in entry.items()}
    reason = next((fields[key] for key in _REASON_KEYS if isinstance(fields.get(key), str)), "")
    item = labels.read(name, reason)
    return item if item.known else labels.read(strip_number(name), reason)


def _named(entry: dict[str, Any]) -> str | None:
    """The name or number under the first key that holds one."""
    fields = {str(key).casefold(): value for key, value in entry.items()}
    for key in _NAME_KEYS:
        value = fields.get(key)
        name = value if isinstance(value, str) else _number(value)
        if name is not None:
            return name
    return None


def _number(value: Any) -> str | None:  # noqa: ANN401
    """``12`` for 12 and 12.0; None for anything that is not a small whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    whole = abs(value) < 1e9 and value == int(value)  # noqa: PLR2004
    return str(int(value)) if whole else None


def _salvaged(text: str) -> tuple[list[Any], bool]:
    """Complete objects without objects in them, of the last answer that has any; one pass.

    The answer starts over where ``"neighbors"`` does. True where a bracket is never closed.
    """
    answers: list[list[Any]] = [[]]
    opened: list[int] = []
    leaf = False
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign in ("{", "["):
            opened.append(token.start())
            leaf = sign == "{"
        elif sign in ("}", "]"):
            start = opened.pop() if opened else None
            if leaf and sign == "}" and start is not None and len(answers[-1]) < _MOST_READ:
                entry = _load(_TRAILING_COMMA.sub("}", text[start : token.end()]))
                answers[-1] += [entry] if isinstance(entry, dict) and _named(entry) else []
            leaf = False
        elif sign.strip('"').casefold() in _LIST_KEYS:
            answers.append([])
    full = [answer for answer in answers if answer]
    return (full[-1] if full else []), bool(opened)
