"""How a name is read: letters, spaces and signs that mean the same become the same."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

_DASHES = "\u00ad\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u2e3a\u2e3b"
_PRIMES = "`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201a\u201b\u2032\u2035"
_QUOTES = "\u02ba\u201c\u201d\u201e\u201f\u2033\u2036"
_DOTS = "\u00b7\u2022\u2219\u22c5\u2027"
_MARKS = "\u00a9\u00ae\u2117\u2120\u2122"
_SIGNS = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_PRIMES, "'")
    | dict.fromkeys(_QUOTES, '"')
    | dict.fromkeys(_DOTS, " ")
    | dict.fromkeys(_MARKS, "")
)
_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
    "sigma tau upsilon phi chi psi omega"
)
_GREEK = str.maketrans(dict(zip("αβγδεζηθικλμνξοπρστυφχψω", _GREEK_NAMES.split(), strict=True)))
_INVISIBLE = {"Mn", "Cf"}


def fold(name: str) -> str:
    """The name without case, Unicode form or superfluous spaces.

    Compatibility forms and accents are resolved (NFKC), all dashes, primes, quotes and middle
    dots are one, trade marks vanish, Greek letters are spelled out: ``18β-…`` is ``18beta-…``.
    Folding twice changes nothing more.
    """
    lowered = name.lower() if name.isascii() else _spelled_out(name)
    return " ".join(lowered.replace("`", "'").split())


def joined(folded: str) -> str:
    """A folded name without spaces and hyphens: ``gsk-1120212`` is ``gsk 1120212``.

    A name of nothing but those stays as it is, so that no name becomes empty.
    """
    return folded.replace(" ", "").replace("-", "") or folded


def safe_name(name: str) -> str:
    """The name escaped for one part of a file path or URL: ``HepG2%2FC3A``.

    ``urllib.parse.unquote`` gives the name back. A leading dot is escaped too, so that no name
    is ``..`` or a hidden file.
    """
    escaped = quote(name, safe="")
    return "%2E" + escaped[1:] if escaped.startswith(".") else escaped


def _spelled_out(name: str) -> str:
    text = unicodedata.normalize("NFKD", name.translate(_SIGNS)).casefold()
    text = unicodedata.normalize("NFKD", text).casefold().translate(_SIGNS)
    kept = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    return unicodedata.normalize("NFKC", kept.translate(_GREEK))
