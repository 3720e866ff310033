"""Tooltips: every term of the glossary is explained where a page uses it, in the same words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import escape

from lgr_core.glossary import glossary

EVERYDAY = frozenset(
    {
        *("answer", "audit", "cell line", "change", "claim", "collapse", "control", "coverage"),
        *("dose", "drug", "evidence", "fold", "k", "method", "metric", "noise", "plate", "policy"),
        *("prediction", "query", "refused", "resolve", "review", "scope", "shard", "source"),
        *("split", "target", "truth", "verdict"),
    }
)
"""Terms that a reader knows, or that pages also use in their everyday sense: not marked."""

_CLOSED = frozenset(
    {"a", "abbr", "button", "code", "h1", "pre", "script", "style", "summary", "svg", "title"}
)
"""Elements whose text is left as it is."""

_TAG = re.compile(r"(<[^>]*>)")
_NAME = re.compile(r"</?\s*([a-zA-Z0-9]+)")
_VOID = frozenset({"br", "hr", "img", "input", "path", "wbr"})


def meaning(term: str) -> str:
    """What a term means, as the help of a widget or of a table's column.

    Raises
    ------
    KeyError
        If the glossary has no such term.
    """
    return _meanings()[term.casefold()]


def explained(html: str) -> str:
    """A piece of a page with its terms marked: each once, with its meaning as a tooltip.

    The tooltip opens under the pointer and by keyboard. Attributes, links, buttons, code, drawings
    and titles are left as they are.
    """
    return _explained(html) if "<" in html else html


@lru_cache(maxsize=512)
def _explained(html: str) -> str:
    return "".join(_parts(html))


def _parts(html: str) -> Iterator[str]:
    seen: set[str] = set()
    closed: list[str] = []

    def mark(match: re.Match[str]) -> str:
        words = match.group()
        term = _meanings()[_singular(words)]
        if term in seen:
            return words
        seen.add(term)
        return f'<span class="lgr-tip" tabindex="0" data-tip="{escape(term)}">{words}</span>'

    for part in _TAG.split(html):
        if part.startswith("<"):
            _step(part, closed)
            yield part
        else:
            yield part if closed else _pattern().sub(mark, part)


def _step(tag: str, closed: list[str]) -> None:
    """Keep account of the elements that are open and left as they are."""
    found = _NAME.match(tag)
    if found is None:
        return
    name = found.group(1).lower()
    leaves_text = name in _CLOSED or 'class="lgr-tip"' in tag
    if tag.startswith("</"):
        if closed and closed[-1] == name:
            closed.pop()
    elif not tag.endswith("/>") and name not in _VOID and (leaves_text or name in closed):
        closed.append(name)


@lru_cache(maxsize=1)
def _meanings() -> Mapping[str, str]:
    """Meaning by term, by its short form and by its plural, in lower case."""
    found: dict[str, str] = {}
    for entry in glossary():
        for name in filter(None, (entry.term, entry.short)):
            found[name.casefold()] = f"{entry.words[0].upper()}{entry.words[1:]}"
    return found


def _singular(words: str) -> str:
    """The key of a term as it was met: without the ending of a plural."""
    plain = " ".join(words.casefold().split())
    forms = (plain, plain.removesuffix("s"), plain.removesuffix("es"))
    return next(form for form in forms if form in _meanings())


@lru_cache(maxsize=1)
def _pattern() -> re.Pattern[str]:
    names = sorted((name for name in _meanings() if name not in EVERYDAY), key=len, reverse=True)
    choices = "|".join(re.escape(name).replace(r"\ ", r"\s+") for name in names)
    return re.compile(rf"(?<![\w&-])(?:{choices})(?:e?s)?(?![\w-])", re.IGNORECASE)
