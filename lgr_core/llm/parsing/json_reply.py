"""Answers in JSON: whole, in a fence, with text around them, or cut off."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from lgr_core.llm.parsing.line_reply import MOST_ITEMS, names_something, strip_number
from lgr_core.llm.parsing.name_parser import Item, Labels
from lgr_core.llm.parsing.reason_fields import fields_of

_NAME_KEYS = ("molecule", "drug", "candidate", "name", "compound")
_REASON_KEYS = ("justification", "reason", "rationale", "explanation")
_LIST_KEYS = ("neighbors", "neighbours")
_CALL_KEYS = ("arguments", "parameters", "input", "args")
_MARK = re.compile(
    rf"""["'](?:{"|".join(_NAME_KEYS + _LIST_KEYS)})\\?["']\s{{0,9}}:""", re.IGNORECASE
)
_SINGLE = re.compile(
    r"(?<=[\s{\[,:(=])'((?:[^'\\\n]|\\.|'(?!\s{0,9}[,:}\])])){0,1000})'(?=\s{0,9}[,:}\])])"
)
_PYTHON_WORDS = re.compile(r"(?<=[\s:,\[])(?:None|True|False)(?=\s{0,9}[,}\]])")
_IN_JSON = {"None": "null", "True": "true", "False": "false"}
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.?)*+"?|[{}\[\]]', re.DOTALL)
_TRAILING_COMMA = re.compile(r",\s{0,99}\}$")
_MOST_FENCES = 5
_MOST_READ = MOST_ITEMS + 1
_DEPTH = 3
_DEEPEST = 8
_MOST_INNER = 1_000
_LONGEST_QUOTED = 200_000


def json_items(text: str, labels: Labels) -> tuple[list[Item], bool]:
    """The items of the last JSON answer in the text, and whether it was cut off.

    JSON may stand in a string of other JSON (calls of tools) and may be written with single quotes.
    A document that does not parse is salvaged object by object; an unfinished one is left out, as
    a cut name could be another drug's.
    """
    found = _parsed_items(text, labels)
    if found is not None:
        return found, False
    if not _MARK.search(text):
        return [], False
    if '\\"' in text and not any(item.known for item in _salvaged_items(text, labels)[0]):
        text = text.replace('\\"', '"')
    items, cut = _salvaged_items(text, labels)
    if items or "'" not in text or len(text) > _LONGEST_QUOTED:
        return items, cut
    double = _double_quoted(text)
    found = _parsed_items(double, labels)
    return _salvaged_items(double, labels) if found is None else (found, False)


def _parsed_items(text: str, labels: Labels) -> list[Item] | None:
    """The items of the first document that parses and has any."""
    for document in _documents(text):
        items = _best_entries(_load(document), labels)
        if items:
            return items
    return None


def _salvaged_items(text: str, labels: Labels) -> tuple[list[Item], bool]:
    objects, cut = _salvaged(text)
    return _known_kind(objects, labels), cut


def _double_quoted(text: str) -> str:
    """Python's way of writing the same: single quotes, None, True, False."""
    double = _SINGLE.sub(lambda quoted: json.dumps(_unescaped(quoted[1])), text)
    return _PYTHON_WORDS.sub(lambda word: _IN_JSON[word.group()], double)


def _unescaped(text: str) -> str:
    return text.replace("\\'", "'").replace('\\"', '"').replace("\\\\", "\\")


def _documents(text: str) -> Iterator[str]:
    """What may be one JSON document: the text, its last fenced blocks, its outermost braces."""
    whole = text.strip()
    if whole[:1] in ("{", "[", '"'):
        yield whole
    fenced = text.split("```")[1::2]
    yield from (block[block.find("\n") + 1 :] for block in fenced[: -_MOST_FENCES - 1 : -1])
    if _MARK.search(text):
        brace, bracket = text.find("{"), text.find("[")
        yield text[brace : text.rfind("}") + 1]
        if 0 <= bracket < brace:
            yield text[bracket : text.rfind("]") + 1]


def _load(document: str) -> Any:  # noqa: ANN401
    """The document's value, or None where it is none; line breaks in strings are let pass."""
    if document.lstrip()[:1] not in ("{", "[", '"'):
        return None
    try:
        return json.loads(document, strict=False)
    except (ValueError, RecursionError):
        return None


def unquoted(text: str) -> str:
    """The text in a text that is one JSON string, or a JSON string of one."""
    for _ in range(_DEPTH):
        whole = text.strip()
        inside = _load(whole) if whole[:1] == whole[-1:] == '"' else None
        if not isinstance(inside, str):
            break
        text = inside
    return text


def texts_in_json(text: str) -> list[str]:
    """Texts of several lines, or with tags, that stand as strings in a JSON document."""
    for document in _documents(text):
        strings = (part for part in _parts(_load(document)) if isinstance(part, str))
        found = [part for part in strings if "\n" in part or "<" in part]
        if found:
            return found
    return []


def _best_entries(value: Any, labels: Labels) -> list[Item]:  # noqa: ANN401
    """The items of the list that holds the answer; of others only where that names no label."""
    first = _known_kind(_entries(value), labels)
    if any(item.known for item in first):
        return first
    others = (_known_kind(entries, labels) for entries in _inner_lists(value))
    named = [items for items in others if any(item.known for item in items)]
    return max(named, key=lambda items: sum(item.known for item in items), default=first)


def _inner_lists(value: Any) -> Iterator[list[Any]]:  # noqa: ANN401
    """Lists anywhere in the value, and in JSON in its strings, the outermost first."""
    for part in _parts(value):
        if isinstance(part, list):
            yield part[:_MOST_READ]
        elif isinstance(part, dict):
            yield _entries(part)


def _parts(value: Any) -> Iterator[Any]:  # noqa: ANN401
    """The value and all in it but lists of lists, breadth first, at most a thousand parts.

    A string that is JSON stands for what is in it.
    """
    queue = deque([(value, 0)])
    for _ in range(_MOST_INNER):
        if not queue:
            return
        part, depth = queue.popleft()
        if isinstance(part, str):
            inside = _load(part)
            part = part if inside is None else inside
        yield part
        flat = isinstance(part, list)
        children = part if flat else getattr(part, "values", list)()
        if depth < _DEEPEST:
            nested = (child for child in children if not (flat and isinstance(child, list)))
            queue.extend((child, depth + 1) for child in islice(nested, _MOST_READ))


def _entries(value: Any, depth: int = 0) -> list[Any]:  # noqa: ANN401
    """The list that holds the answer: a list of objects in the value, else any list in it."""
    if isinstance(value, str):
        value = _load(value)
    if isinstance(value, list):
        return value[:_MOST_READ]
    if depth > _DEPTH or not isinstance(value, dict):
        return []
    fields = [value[key] for key in value if key.casefold() in _LIST_KEYS]
    fields = fields or [value[key] for key in value if key.casefold() in _CALL_KEYS]
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
    item = item if item.known else labels.read(strip_number(name), reason)
    return replace(item, structured=fields_of(fields))


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
