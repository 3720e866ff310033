"""Search by any word that is known of a drug or a cell line."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"\w+")


def matching(text: str, known: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The names of whom all words of the text are known, those named so first.

    Parameters
    ----------
    text
        Words in any order, each the beginning of a known word: ``lung KRAS``, ``MEK inhib``.
    known
        What is known of each name beside the name itself: synonyms, targets, organ, ids.
    """
    asked = _words(text)
    if not asked:
        return ()
    found = []
    for place, (name, facts) in enumerate(known.items()):
        own = _words(name)
        every = own + [word for fact in facts for word in _words(fact)]
        if all(_begins(word, every) for word in asked):
            in_name = all(_begins(word, own) for word in asked)
            found.append((not in_name, place, name))
    return tuple(name for *_, name in sorted(found))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _begins(word: str, words: Sequence[str]) -> bool:
    return any(other.startswith(word) for other in words)
