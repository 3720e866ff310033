"""Answers in lines: numbered, bulleted, in a table, or one name a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lgr_core.retrieval.labels import Item, Labels, plain, tidy_reason

MOST_ITEMS = 200
_MOST_RUNS = 20
_LINE_LIMIT = 4_000
_REASON_LINES = 20

_NUMBER = re.compile(
    r"[ \t>#]{0,40}(?:[-*+\u2022] {1,4})?(?P<bold>\*\*|__)?[(\[]?(?:#|no\.? ?|rank )?"
    r"(?P<number>\d{1,4})(?P<bare>\ufe0f?\u20e3|\\?[.\uff0e](?!\d)|[)\]\u3001]|[:\uff1a](?=\s|$)"
    r"| (?=[-\u2013\u2014] ))(?:\*\*|__)?[:.]?[ \t]*(?:[-\u2013\u2014][ \t]+)?(?P<rest>.*)",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?P<indent>[ \t>]{0,40})[-*+\u2022\u00b7\u25aa\u25e6\u2023\u2013\u2014] +")
_RULER = re.compile(r"[\s|:+=*_-]{3,}")
_END = re.compile(r"\s{0,3}(?:[-=*_]{3,}\s*$|#{1,6} )")
_HEADINGS = frozenset(
    "# anchor candidate compound drug justification mechanism molecule name no no. rank "
    "rationale reason".split()
)
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
        self.last = False
        if not line.strip():
            self._blank = True
            self.last = not self.more
            return
        prose = self._blank and not line[:1].isspace() and (self.more or ":" in self.head)
        self._closed = self._closed or bool(prose or _END.match(line))
        if not self._closed and len(self.more) < _REASON_LINES and _RULER.fullmatch(line) is None:
            self.more.append(_BULLET.sub("", line.strip(), count=1))

    def item(self, labels: Labels) -> Item:
        """Name and reason; a name with something after it is whole."""
        head, more = self.head, self.more
        if not head and more:
            head, more = more[0], more[1:]
        item = labels.split(head)
        reason = tidy_reason(" ".join([item.reason, *more]))
        return Item(item.name, reason, item.known, item.whole or not self.last)


def best_items(text: str, labels: Labels, *, tagged: bool) -> list[Item]:
    """The items of a text in the layout that names most labels; among equals the first of these.

    Numbered lines (in an answer block all of them; else a list that starts over is another list,
    and the last counts), a table, bullets, and lines of a known name and its reason. ``tagged`` is
    whether the text is an answer block, where unknown names need no number.
    """
    lines = [line[:_LINE_LIMIT] for line in text.splitlines() if not line.lstrip()[:3] == "```"]
    layouts: list[Sequence[Item]] = [
        [draft.item(labels) for draft in run[:MOST_ITEMS]]
        for run in _numbered(lines, tagged=tagged)
    ]
    layouts += [_table(lines, labels), _bullets(lines, labels), _names(lines, labels, tagged)]
    named = [[item for item in items if _is_name(item)] for items in layouts]
    return max(named, key=lambda items: (sum(item.known for item in items), bool(items)))


def strip_number(text: str) -> str:
    """A line without its number: ``3. Name`` is ``Name``."""
    numbered = _NUMBER.fullmatch(text)
    return numbered["rest"] if numbered else text


def _is_name(item: Item) -> bool:
    """Whether it names anything; ``MOLECULE 1`` and ``...`` echo the form that was asked for."""
    return item.known or _NAMELESS.fullmatch(item.name) is None


def _numbered(lines: Iterable[str], *, tagged: bool) -> list[list[Draft]]:
    """Numbered lists, the last first."""
    drafts = _gather(lines, _numbered_head)
    runs: list[list[Draft]] = [[]]
    for draft in drafts:
        if not tagged and runs[-1] and draft.number < runs[-1][-1].number:
            runs.append([])
        runs[-1].append(draft)
    return runs[: -_MOST_RUNS - 1 : -1]


def _numbered_head(line: str) -> Draft | None:
    found = _NUMBER.fullmatch(line)
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

    drafts = _gather([line for line in lines if not _NUMBER.fullmatch(line)], head)
    return [draft.item(labels) for draft in drafts[:MOST_ITEMS]]


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
    for row in rows[: MOST_ITEMS + 2]:
        if _RULER.fullmatch(row):
            continue
        cells = [plain(cell) for cell in row.strip().strip("|").split("|")]
        if len(cells) > 1 and cells[0].strip("#.) *").isdigit():
            cells = cells[1:]
        if cells[0].casefold() in _HEADINGS:
            continue
        whole = len(cells) > 1 or row.rstrip().endswith("|")
        items.append(labels.read(cells[0], "; ".join(filter(None, cells[1:])), whole=whole))
    return items


def _names(lines: Sequence[str], labels: Labels, tagged: bool) -> list[Item]:  # noqa: FBT001
    """Lines without any mark: a known name, or in an answer block any name with a reason."""
    items: list[Item] = []
    for line in lines:
        if len(items) == MOST_ITEMS:
            break
        item = labels.split(strip_number(line))
        if item.known or (tagged and item.whole and item.reason):
            items.append(item)
    return items
