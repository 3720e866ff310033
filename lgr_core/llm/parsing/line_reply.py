"""Answers in lines: numbered, bulleted, in a table, or one name a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import NamedTuple

from lgr_core.llm.parsing.list_start import NUMBER, first_item_apart, list_on_one_line
from lgr_core.llm.parsing.name_parser import SEPARATOR, Item, Labels, plain, tidy_reason

MOST_ITEMS = 200
"""Proposals that are taken from one answer; one more is read, to know that there are more."""

_MOST_READ = MOST_ITEMS + 1
_MOST_RUNS = 10
_MOST_PLAIN_LINES = 500
_LINE_LIMIT = 4_000
_REASON_LINES = 20
_LEAD_LIMIT = 200
_MOST_LEADS = 3

_BULLET = re.compile(r"(?P<indent>[ \t>]{0,40})[-*+\u2022\u00b7\u25aa\u25e6\u2023\u2013\u2014] +")
_RULER = re.compile(r"[\s|:+=*_.\u2026-]+")
_END = re.compile(r"\s{0,3}(?:[-=*_]{3,}\s*$|#{1,6} )")
_HEADINGS = {"#", "candidate", "compound", "drug", "molecule", "name", "no", "no.", "rank"}
_NAMELESS = re.compile(r"[\W_]*|\[?molecule[ _]?(?:name|\d{1,3})\]?", re.IGNORECASE)


@dataclass(slots=True)
class Draft:
    """An item as its lines are gathered: what stands on the first, and what follows."""

    head: str
    number: int = 0
    more: list[str] = field(default_factory=list)
    last: bool = True
    _blank: bool = False
    _closed: bool = False

    def add(self, line: str) -> None:
        """Take a line after the first; prose after a blank line is not part of a finished item."""
        if not line.strip():
            self._blank = True
            return
        self.last = False
        prose = (
            self._blank and not line[:1].isspace() and (self.more or SEPARATOR.search(self.head))
        )
        self._closed = self._closed or bool(prose or _END.match(line))
        if not self._closed and len(self.more) < _REASON_LINES and _RULER.fullmatch(line) is None:
            bullet = _BULLET.match(line)
            if bullet and self.more and self.more[-1][-1] not in ".;:,!?":
                self.more[-1] += ";"
            self.more.append(line[bullet.end() if bullet else 0 :].strip())

    def item(self, labels: Labels) -> Item:
        """Name and reason; a name with something after it is whole."""
        head, more = self.head, self.more
        if not head and more:
            head, more = more[0], more[1:]
        item = labels.split(head)
        reason = tidy_reason(" ".join([item.reason, *more]))
        return replace(item, reason=reason, whole=item.whole or not self.last)


class ListRead(NamedTuple):
    """The items of a list, and the number that its first line bears."""

    items: list[Item]
    start: int = 1


def best_items(text: str, labels: Labels, *, tagged: bool) -> ListRead:
    """The items of a text, in the first of four layouts that names a label, else any drug.

    Numbered lines, a table, bullets, and lines of a name and its reason. ``tagged`` is whether the
    text is an answer block: there all numbered lines are one list, elsewhere a list that starts
    over is another one; there unknown names need no number, elsewhere they do.
    """
    lines = _lines(text, labels)
    numbered = _numbered(lines, labels, tagged=tagged)
    layouts = [
        numbered,
        ListRead(_table(lines, labels)),
        ListRead(_bullets(lines, labels)),
        ListRead(_names(lines, labels, tagged=tagged)),
    ]
    named = [
        ListRead([i for i in read.items if names_something(i)], read.start) for read in layouts
    ]
    filled = [read for read in named if read.items]
    return next((read for read in filled if _known(read.items)), next(iter(filled), ListRead([])))


def _lines(text: str, labels: Labels) -> list[str]:
    """The lines without code fences, each item on a line of its own."""
    lines = [line[:_LINE_LIMIT] for line in text.splitlines() if line.lstrip()[:3] != "```"]
    apart = first_item_apart(lines, labels)
    return list_on_one_line(apart, lambda line: labels.split(strip_number(line)).known)


def strip_number(text: str) -> str:
    """A line without its number: ``3. Name`` is ``Name``."""
    numbered = NUMBER.fullmatch(text)
    return numbered["rest"] if numbered else text


def names_something(item: Item) -> bool:
    """Whether it names a drug; ``MOLECULE 1`` and ``...`` echo the form that was asked for."""
    return item.known or _NAMELESS.fullmatch(item.name) is None


def _known(items: Iterable[Item]) -> int:
    return len({item.name for item in items if item.known})


def _numbered(lines: Iterable[str], labels: Labels, *, tagged: bool) -> ListRead:
    """The last numbered list that names at least half as many labels as the best one does."""
    runs: list[list[Draft]] = [[]]
    for draft in _gather(lines, _numbered_head):
        if not tagged and runs[-1] and draft.number < runs[-1][-1].number:
            runs.append([])
        runs[-1].append(draft)
    lists = [
        ListRead([draft.item(labels) for draft in run[:_MOST_READ]], run[0].number if run else 1)
        for run in runs[-_MOST_RUNS:]
    ]
    best = max(_known(read.items) for read in lists)
    return next(read for read in reversed(lists) if 2 * _known(read.items) >= best)


def _numbered_head(line: str) -> Draft | None:
    found = NUMBER.fullmatch(line)
    if found is None:
        return None
    opened = found["bold"] if found["bold"] and found["bold"] in found["rest"] else ""
    return Draft(opened + found["rest"], int(found["number"]))


def _bullets(lines: Sequence[str], labels: Labels) -> list[Item]:
    """Bulleted items of the outermost level; a numbered line between them ends an item."""
    found = [bullet for line in lines if (bullet := _BULLET.match(line))]
    outer = min((len(bullet["indent"]) for bullet in found), default=0)

    def head(line: str) -> Draft | None:
        bullet = _BULLET.match(line)
        if bullet is not None and len(bullet["indent"]) == outer:
            return Draft(line[bullet.end() :])
        return None

    drafts = _gather([line for line in lines if not NUMBER.fullmatch(line)], head)
    return [draft.item(labels) for draft in drafts[:_MOST_READ]]


def _gather(lines: Iterable[str], head: Callable[[str], Draft | None]) -> list[Draft]:
    drafts: list[Draft] = []
    for line in lines:
        draft = head(line)
        if draft is not None:
            if drafts:
                drafts[-1].last = False
            drafts.append(draft)
        elif drafts:
            drafts[-1].add(line)
    return drafts


def _table(lines: Sequence[str], labels: Labels) -> list[Item]:
    """Rows of a Markdown table: an optional rank, the name, and reasons in what columns remain."""
    rows = [line for line in lines if line.count("|") > 1]
    items: list[Item] = []
    for row in rows[: _MOST_READ + 2]:
        if _RULER.fullmatch(row):
            continue
        cells = [plain(cell) for cell in row.strip().strip("|").split("|")]
        if len(cells) > 1 and cells[0].strip("#.) *").isdigit():
            cells = cells[1:]
        if cells[0].casefold() in _HEADINGS or (len(cells) == 1 and cells[0].isdigit()):
            continue
        whole = len(cells) > 1 or row.rstrip().endswith("|")
        items.append(labels.read(cells[0], "; ".join(filter(None, cells[1:])), whole=whole))
    return items


def _names(lines: Sequence[str], labels: Labels, *, tagged: bool) -> list[Item]:
    """Lines without any mark: a known name, or in an answer block any name with a reason."""
    items: list[Item] = []
    before = ""
    for line in filter(str.strip, lines[-_MOST_PLAIN_LINES:]):
        item = labels.split(line)
        item = item if item.known else labels.split(strip_number(line))
        if item.known or (tagged and item.whole and item.reason):
            items += [] if items else _behind_heading(before, labels)
            items.append(item)
        before = line
    return items[:_MOST_READ]


def _behind_heading(line: str, labels: Labels) -> list[Item]:
    """The first item, where a heading stands on its line: ``Answer: Talc: inert``."""
    cuts = islice(SEPARATOR.finditer(line, 0, _LEAD_LIMIT), _MOST_LEADS)
    behind = (labels.split(line[cut.end() :]) for cut in cuts)
    return list(islice((item for item in behind if item.known), 1))
