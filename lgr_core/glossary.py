"""The terms of the project with their definitions, one line each: the source of every tooltip."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lgr_core.config import SHIPPED

SOURCE = SHIPPED / "glossary.md"
"""The terms as they are written; the documentation's glossary repeats them."""

_TERM = re.compile(r"- \*\*(?P<term>.+?)\*\*: (?P<words>.+)")
_CODE = re.compile(r"\s*\((?:`[^`]+`(?:, )?)+\)")
_SHORT = re.compile(r"; short: (?P<short>[^;.(]+)")


@dataclass(frozen=True, slots=True)
class GlossaryTerm:
    """A term, what it means in one line of plain words, the section it is in, and a short form."""

    term: str
    words: str
    section: str
    short: str = ""


@lru_cache(maxsize=1)
def glossary() -> tuple[GlossaryTerm, ...]:
    """Every term in the order of the glossary; names of code are left out of the definitions."""
    found, section = [], ""
    for line in SOURCE.read_text(encoding="utf-8").splitlines():
        if line.startswith("### "):
            section = line.removeprefix("### ").strip()
        match = _TERM.fullmatch(line.strip())
        if match is not None:
            found.append(_term(match["term"], match["words"], section))
    return tuple(found)


def _term(term: str, words: str, section: str) -> GlossaryTerm:
    plain = _CODE.sub("", words)
    short = _SHORT.search(plain)
    plain = _SHORT.sub("", plain).replace("`", "")
    return GlossaryTerm(term, plain, section, "" if short is None else short["short"].strip())
