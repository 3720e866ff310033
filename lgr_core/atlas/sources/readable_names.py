"""Names that a file may not have: what is printed, linked and asked about must be readable."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from lgr_core.errors import InputError

LONGEST = 300
"""Letters of the longest name that is taken; systematic names of compounds stay below."""

_CONTROLS = frozenset({"Cc", "Cs"})
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset({"Cf", "Mn", "Me", "Zs", "Zl", "Zp"})
_SHOWN = 40


def check_readable_names(names: Iterable[str], what: str) -> None:
    """Refuse names with control characters, without any visible one, or of over 300 letters.

    Raises
    ------
    InputError
        With the first such name, escaped, and what is wrong with it.
    """
    for name in names:
        wrong = _wrong(name)
        if wrong is not None:
            shown = ascii(name[:_SHOWN]) + ("..." if len(name) > _SHOWN else "")
            raise InputError(f"{what} {shown}", wrong, "Rename it in the file.")


def _wrong(name: str) -> str | None:
    """What is wrong with a name; None: nothing."""
    if len(name) > LONGEST:
        return f"its name has {len(name):,} letters, more than {LONGEST}"
    if name.isascii() and name.isprintable():
        return None
    kinds = [unicodedata.category(letter) for letter in name]
    if not _CONTROLS.isdisjoint(kinds) or not _DIRECTIONS.isdisjoint(name):
        return "its name holds control characters"
    if name and _INVISIBLE.issuperset(kinds):
        return "its name has no visible character"
    return None
