"""Which known names a misspelt one may stand for: the one rule for errors, links and pickers.

A name is offered only where it differs by a typing error. Names that merely look alike are not:
``Dasatinib`` and ``Afatinib`` share the ending of a class of drugs and nothing else. The first
letter is seldom mistyped, and often all that tells two names apart (``Apatinib``, ``Lapatinib``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from rapidfuzz.distance import OSA

LIMIT = 3
"""Names offered at most."""

_SHORT, _MIDDLE, _LONG = 4, 6, 12
"""Letters from which one slip may be forgiven, from which it may be a wrong letter, and two."""

_MOST_EDITS = 2
_SIGNS = re.compile(r"[\W_]+")


def nearest(
    name: str,
    known: Iterable[str],
    *,
    limit: int = LIMIT,
    keys: Callable[[str], Collection[str]] | None = None,
    endings: Collection[str] = (),
    longer: bool = True,
) -> tuple[str, ...]:
    """The known names that ``name`` may be a misspelling of, the likeliest first.

    Parameters
    ----------
    name, known
        The name that was not found, and those that it may have meant.
    limit
        Names returned at most.
    keys
        The spellings under which a name is compared; without it, its letters and digits alone.
    endings
        Endings that many names share. Where both names have one, the rest must match by itself.
    longer
        Whether a name that goes on after the other with further words is offered too, last.
    """
    spellings = _plain if keys is None else keys
    asked, folded = spellings(name), name.casefold()
    found = []
    for place, candidate in enumerate(known):
        slips = [_slips(a, b, endings) for a in asked for b in spellings(candidate)]
        grades = [grade for grade in slips if grade is not None]
        if grades:
            found.append(
                (min(grades), OSA.distance(folded, candidate.casefold()), place, candidate)
            )
        elif longer and _goes_on(name, candidate):
            found.append((_MOST_EDITS + 1, len(candidate), place, candidate))
    return tuple(candidate for *_, candidate in sorted(found)[:limit])


def _plain(name: str) -> tuple[str, ...]:
    """The letters and digits of a name, without case; the folded name where it has none."""
    return (_SIGNS.sub("", name.casefold()) or name.casefold(),)


def _slips(a: str, b: str, endings: Collection[str]) -> int | None:
    """The typing errors between two spellings; None where these are two names."""
    edits = OSA.distance(a, b, score_cutoff=_MOST_EDITS)
    if edits == 0:
        return 0
    alike = a[:1] == b[:1] and _digits(a) == _digits(b)
    if edits > _MOST_EDITS or not alike or not _are_slips(a, b, edits):
        return None
    shared = max((e for e in endings if a.endswith(e) and b.endswith(e)), key=len, default="")
    if shared:
        a, b = a.removesuffix(shared), b.removesuffix(shared)
        if not _are_slips(a, b, OSA.distance(a, b)):
            return None
    return edits


def _are_slips(a: str, b: str, edits: int) -> bool:
    """Whether so many edits are few for names of that length.

    In a short name a wrong letter makes another name (``KRAS``, ``HRAS``); letters that are
    swapped, doubled or left out do not.
    """
    length = max(len(a), len(b))
    if edits > 1:
        return length >= _LONG and edits <= _MOST_EDITS
    wrong_letter = len(a) == len(b) and sorted(a) != sorted(b)
    return edits == 0 or length >= (_MIDDLE if wrong_letter else _SHORT)


def _digits(name: str) -> list[str]:
    """The digits, in whatever order: a number that differs is another compound, gene or line."""
    return sorted(sign for sign in name if sign.isdigit())


def _goes_on(name: str, candidate: str) -> bool:
    """Whether one of the names begins with all words of the other: ``DMSO`` and ``DMSO_TF``."""
    a, b = ([word for word in _SIGNS.split(text.casefold()) if word] for text in (name, candidate))
    return bool(a and b) and (a == b[: len(a)] or b == a[: len(b)])
