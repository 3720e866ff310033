"""Where a name ends in a line of an answer, and which of the names shown it is."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from html import unescape
from itertools import islice

from lgr_core.domain import StructuredReason
from lgr_core.drugs.normalise import normalise_name
from lgr_core.drugs.salts import bracket, split_form
from lgr_core.llm.parsing.reason_fields import has_fields

NAME_LIMIT = 300
REASON_LIMIT = 600
_TEXT_LIMIT = 1_500
_HEAD_LIMIT = 400
_MOST_CUTS = 12

_HIDDEN = {"Cc", "Cf", "Cs", "Co"}
_MARKUP = re.compile(
    r"\*{2,}|</?(?:b|i|u|em|strong|code|br|li|p|td|tr|sub|sup) {0,2}/?>|<\|\w{1,30}\|>",
    re.IGNORECASE,
)
SEPARATOR = re.compile(
    r" ?[:\uff1a\ufe55\ufe13] ?| (?:-{1,3}|[\u2010-\u2015\u2212]|=)>? |\u2014| \u2192 "
)
_BOLD = re.compile(r"\s{0,8}(?:\*\*|__)([^*\n]{1,300}?)(?:\*\*|__)")
_AFTER_BOLD = re.compile(r" ?[(\[][^)\]]{0,100}[)\]]")
_ECHO = re.compile(r"(?:molecule|drug|name)(?: name)? ?#?\d{0,3} ?[:\uff1a] ?", re.IGNORECASE)
_REASON_WORD = re.compile(r"(?:justification|rationale|reason(?:ing)?) ?[:\uff1a] ?", re.IGNORECASE)
_EDGES = " \"'`\u00b4\u2018\u2019\u201c\u201d\u00ab\u00bb*_~.,;:\u00b7\u2022\u2013\u2014-"
_PAIRS = ("[]", "<>", "{}", "\u2039\u203a")


@dataclass(frozen=True, slots=True)
class Item:
    """A drug that an answer names: by its own name where known, else as it was written.

    ``whole`` is False where nothing shows that the name had come to its end, ``partial`` is True
    where all that was written is the beginning of a label. ``structured`` are the fields of the
    reason where the answer has them as such.
    """

    name: str
    reason: str = ""
    known: bool = False
    whole: bool = True
    partial: bool = False
    structured: StructuredReason | None = None


def one_line(text: str) -> str:
    """The text on one line, with single spaces; control and invisible characters are gone."""
    if not text.isprintable():
        kept = (" " if c.isspace() else c for c in text if c.isspace() or not _hidden(c))
        text = "".join(kept)
    return " ".join(text.split())


def plain(text: str) -> str:
    """The text on one line without bold, tags and HTML entities; at most 1,500 characters."""
    return one_line(_MARKUP.sub("", unescape(text[:_TEXT_LIMIT])))


def tidy_reason(text: str) -> str:
    """A reason without markup or a separator before it, at most 600 characters.

    With labelled fields, which are split from it later, as many as a line may have.
    """
    reason = _REASON_WORD.sub("", plain(text).lstrip(" :*_`|-\u2013\u2014\uff1a"), count=1)
    return _cut(reason.rstrip(" *_`|"), _TEXT_LIMIT if has_fields(reason) else REASON_LIMIT)


class Labels:
    """The names that were shown, each leading to its drug.

    Parameters
    ----------
    labels
        Drug by label, or labels that are the drugs' own names.
    """

    def __init__(self, labels: Mapping[str, str] | Collection[str]) -> None:
        self._exact = dict(labels) if isinstance(labels, Mapping) else {x: x for x in labels}
        self._loose: dict[str, str | None] = {}
        self._longest = 2 * max(map(len, self._exact), default=0) + 20
        for shown, drug in self._exact.items():
            for key in {
                normalise_name(shown),
                normalise_name(plain(shown)),
                normalise_name(_trim(plain(shown))),
            } - {""}:
                if self._loose.setdefault(key, drug) != drug:
                    self._loose[key] = None
        self._sorted = sorted(self._loose)

    def find(self, text: str) -> str | None:
        """The drug of the label that this is but for case, spaces, dashes and signs around it."""
        if len(text) > self._longest:
            return None
        drug = self._exact.get(text)
        if drug is None:
            drug = self._loose.get(normalise_name(text))
        return self._loose.get(normalise_name(_trim(text))) if drug is None else drug

    def meaning(self, text: str) -> str | None:
        """The drug that this names, a remark in brackets after it set aside.

        ``Trametinib (MEK inhibitor)`` is ``Trametinib``; but a form of a drug is part of its name:
        ``Cytarabine (hydrochloride)`` may be another one than ``Cytarabine``.
        """
        drug = self.find(text)
        if drug is not None or len(text) > self._longest + REASON_LIMIT:
            return drug
        outer, remark = bracket(normalise_name(_trim(text)))
        return self._loose.get(outer) if remark and not _has_more_forms(text, outer) else None

    def read(self, name: str, reason: str = "", *, whole: bool = True) -> Item:
        """The item of a name that stands alone."""
        text = plain(name)
        drug = self.meaning(text)
        shown = _cut(_trim(text), NAME_LIMIT) if drug is None else drug
        partial = not whole and self._goes_on(text)
        return Item(shown, tidy_reason(reason), drug is not None, whole, partial)

    def split(self, text: str) -> Item:
        """The name before its separator in one line of an answer, and the reason after it.

        The longest label that a separator follows, or that is the whole line; else what is bold;
        else all before the first colon or long dash outside brackets, the first colon, or a hyphen
        between spaces.
        """
        line = plain(text)
        if self.find(line) is not None:
            return self._last_word(line)
        cuts = list(islice(SEPARATOR.finditer(line, 0, _HEAD_LIMIT), _MOST_CUTS))
        known = self._known_cut(line, cuts)
        if known is None and self.meaning(line) is not None:
            return self._last_word(line)
        if known is None and (echo := _ECHO.match(line)) and self._says_more(line[echo.end() :]):
            return self.split(line[echo.end() :])
        bold = _bold(text, line) if known is None else None
        if bold is not None:
            return self.read(*bold)
        cut = _usual_cut(line, cuts) if known is None else known
        if cut is None:
            return self._last_word(line)
        head, partial = line[: cut.start()], self._goes_on(line)
        item = self.read(head, line[cut.end() :], whole=_balanced(head) and not partial)
        return replace(item, partial=partial)

    def _last_word(self, line: str) -> Item:
        """The item of a line that is all name."""
        return replace(self.read(line, whole=False), partial=self._goes_on(line))

    def _known_cut(self, line: str, cuts: list[re.Match[str]]) -> re.Match[str] | None:
        """The last separator after a label, else the first after a label and a remark."""
        heads = [(line[: cut.start()], cut) for cut in cuts]
        labels = [cut for head, cut in heads if self.find(head) is not None]
        if labels:
            return labels[-1]
        return next((cut for head, cut in heads if self.meaning(head) is not None), None)

    def _goes_on(self, line: str) -> bool:
        """Whether all of the line is the beginning of a label: its separator may be part of it."""
        start = normalise_name(line)
        place = bisect_right(self._sorted, start)
        return place < len(self._sorted) and self._sorted[place].startswith(start)

    def _says_more(self, rest: str) -> bool:
        """Whether an item follows an echoed ``MOLECULE 1:``, and not just its reason."""
        return self.find(rest) is not None or SEPARATOR.search(rest[:_HEAD_LIMIT]) is not None


def _usual_cut(line: str, cuts: list[re.Match[str]]) -> re.Match[str] | None:
    outside = [cut for cut in cuts if _balanced(line[: cut.start()])]
    strong = [cut for cut in outside if cut.group().strip()[0] not in "-=\u2010\u2011\u2212\u2192"]
    colons = [cut for cut in cuts if cut.group().strip()[0] in ":\uff1a\ufe55\ufe13"]
    return next(iter([*strong[:1], *colons[:1], *outside[:1]]), None)


def _bold(text: str, line: str) -> tuple[str, str] | None:
    """The bold name at the start of a line and what follows, if the bold is all of the name."""
    bold = _BOLD.match(text)
    name = plain(bold[1]).rstrip(" :\uff1a") if bold else ""
    rest = line[len(name) :]
    if not (name and line.startswith(name)) or rest[:1].isalnum() or SEPARATOR.search(name):
        return None
    remark = _AFTER_BOLD.match(rest)
    if remark and _has_more_forms(name + remark.group(), name):
        return None
    ends = SEPARATOR.match(rest, remark.end()) if remark else None
    return name, rest[ends.end() :] if ends else rest


def _has_more_forms(longer: str, name: str) -> bool:
    """Whether the longer name is of a salt, hydrate or solvate that the name is not of."""
    return not split_form(longer).words <= split_form(name).words


def _balanced(text: str) -> bool:
    return sum(map(text.count, "([")) <= sum(map(text.count, ")]"))


def _trim(name: str) -> str:
    """The name without quotes, emphasis, brackets around it all, and punctuation at its end."""
    trimmed = name.strip(_EDGES)
    for first, last in _PAIRS:
        if trimmed.startswith(first) and trimmed.find(last) == len(trimmed) - 1:
            return trimmed[1:-1].strip(_EDGES)
    return trimmed


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _hidden(char: str) -> bool:
    return unicodedata.category(char) in _HIDDEN
