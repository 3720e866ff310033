"""The first item of a list where it stands on the line of something else.

Models begin a list behind a heading or a sentence ("Here are the top 5: 1. Cobimetinib: ..."). The
item is put on a line of its own where the next line shows that a list began there.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from lgr_core.llm.parsing.name_parser import Labels

NUMBER = re.compile(
    r"[ \t>#]{0,40}(?:[-*+\u2022] {1,4})?(?P<bold>\*\*|__)?[(\[]?(?:#|no\.? ?|rank )?"
    r"(?P<number>\d{1,4})(?P<bare>\ufe0f?\u20e3|\\?[.\uff0e](?!\d)|[)\]\u3001]|[:\uff1a](?=\s|$)"
    r"| (?=[-\u2013\u2014] ))(?:\*\*|__)?[:.]?[ \t]*(?:[-\u2013\u2014][ \t]+)?(?P<rest>.*)",
    re.IGNORECASE,
)
"""A numbered line: its number, and what follows it."""

_INNER = re.compile(
    r"(?<![\w.,])(?:\*\*|__)?[(\[]?(?:#|no\.? ?|rank )?1(?=\ufe0f?\u20e3|\\?[.\uff0e](?!\d)"
    r"|[)\]\u3001:\uff1a]| [-\u2013\u2014] )",
    re.IGNORECASE,
)
_INNER_BULLET = re.compile(r"[:\uff1a>\]}](?:\*\*|__)?\s{0,3}(?=(?P<mark>[-*+\u2022]) +\S)")
_INNER_ROW = re.compile(r"[:\uff1a>\]}](?:\*\*|__)?\s{0,3}(?=\|.{3,}\|\s*$)")
_LEADS = tuple(":\uff1a>*_])}|-\u2013\u2014\u2192=.!")
_MOST_BACK = 30
_MOST_TRIED = 20
_MOST_SPLIT = 200
_MOST_STARTS = 20
_MOST_MARKS = 2_000


def first_item_apart(lines: Sequence[str], labels: Labels) -> list[str]:
    """The lines, with a first item that stands behind other text on a line of its own."""
    numbers = [NUMBER.fullmatch(line) for line in lines]
    cuts: dict[int, int] = {}
    if not any(number and int(number["number"]) > 1 for number in numbers):
        _cut_last(lines, numbers, labels, cuts)
    for place in deque(_second_items(numbers), _MOST_STARTS):
        _cut_before(lines, numbers, place, labels, cuts)
    for place in range(max(0, len(lines) - _MOST_MARKS), len(lines) - 1):
        if place not in cuts and numbers[place] is None:
            _cut_mark(lines, place, cuts)
    return list(_split(lines, cuts))


def _second_items(numbers: Sequence[re.Match[str] | None]) -> Iterator[int]:
    """Where an item 2 follows no item 1."""
    before = None
    for place, number in enumerate(numbers):
        if number is None:
            continue
        if number["number"] == "2" and before != "1":
            yield place
        before = number["number"]


def _cut_before(
    lines: Sequence[str],
    numbers: Sequence[re.Match[str] | None],
    place: int,
    labels: Labels,
    cuts: dict[int, int],
) -> None:
    """Find the item 1 on the nearest line above an item 2."""
    for above in range(place - 1, max(-1, place - 1 - _MOST_BACK), -1):
        if numbers[above] is not None and NUMBER.fullmatch(lines[above]):
            return
        cut = _inner(lines[above], labels)
        if cut is not None:
            cuts[above] = cut
            return


def _cut_last(
    lines: Sequence[str],
    numbers: Sequence[re.Match[str] | None],
    labels: Labels,
    cuts: dict[int, int],
) -> None:
    """The last line with an item 1 in it, where no line begins with a number above 1.

    Then the whole list stands on that line, or has one item.
    """
    if any(number is not None for number in numbers):
        return
    for place in range(len(lines) - 1, max(-1, len(lines) - 1 - _MOST_BACK), -1):
        cut = _inner(lines[place], labels, known_only=True)
        if cut is not None:
            cuts[place] = cut
            return


def _inner(line: str, labels: Labels, *, known_only: bool = False) -> int | None:
    """Where item 1 begins within a line: before a known name, else after a colon or a bracket."""
    weak = None
    for tried, mark in enumerate(_INNER.finditer(line)):
        if tried == _MOST_TRIED:
            break
        number = NUMBER.fullmatch(line, mark.start())
        if mark.start() == 0 or number is None:
            continue
        if _begins_known(number["rest"], labels):
            return mark.start()
        if weak is None and line[: mark.start()].rstrip().endswith(_LEADS):
            weak = mark.start()
    return None if known_only else weak


def _begins_known(rest: str, labels: Labels) -> bool:
    return labels.split(rest.split(" 2. ", 1)[0]).known


def _cut_mark(lines: Sequence[str], place: int, cuts: dict[int, int]) -> None:
    """A bullet or a table's row behind a heading, where the next line has its like."""
    following = next(filter(str.strip, lines[place + 1 : place + 4]), "").lstrip()
    bullet = _INNER_BULLET.search(lines[place]) if following[:1] in "-*+\u2022" else None
    if bullet and following.startswith(bullet["mark"]) and _is_lead(lines[place], bullet.end()):
        cuts[place] = bullet.end()
        return
    row = _INNER_ROW.search(lines[place]) if following.startswith("|") else None
    if row and "|" not in lines[place][: row.end()]:
        cuts[place] = row.end()


def _is_lead(line: str, end: int) -> bool:
    """Whether what stands before a bullet is no bullet itself."""
    return not line[:end].lstrip().startswith(("- ", "* ", "+ ", "\u2022"))


def _split(lines: Sequence[str], cuts: dict[int, int]) -> Iterator[str]:
    for place, line in enumerate(lines):
        if place in cuts:
            yield line[: cuts[place]]
            yield line[cuts[place] :]
        else:
            yield line


def list_on_one_line(lines: list[str], known: Callable[[str], bool]) -> list[str]:
    """The lines, with the only numbered one among them cut at ``2.``, ``3.``, ... within it.

    Where other text stands beside it, the item after ``2.`` must be known.
    """
    numbered = [place for place, line in enumerate(lines) if NUMBER.fullmatch(line)]
    if len(numbered) != 1:
        return lines
    (place,) = numbered
    rest, parts = lines[place], []
    for number in range(2, _MOST_SPLIT + 2):
        cut = rest.find(f" {number}. ")
        if cut < 0:
            break
        parts.append(rest[:cut])
        rest = rest[cut + 1 :]
    alone = sum(1 for line in lines if line.strip()) == 1
    if not parts or not (alone or known([*parts[1:], rest][0])):
        return lines
    return [*lines[:place], *parts, rest, *lines[place + 1 :]]
