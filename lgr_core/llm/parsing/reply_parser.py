"""An answer of a language model, read as ranked proposals.

The paper reads the ``<Final Answer>`` block: on each numbered line, the molecule before the first
colon. So do we, and we read what real models write instead: no block, two blocks (the last
counts), bold names, bullets, tables, reasoning first, JSON, an answer that was cut off. No string
raises, the work grows with its length, and what comes out is bounded. Nothing is judged here:
an unknown name comes out as it was written, and ``resolve`` decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lgr_core.domain import Proposal
from lgr_core.llm.parsing.json_reply import json_items, texts_in_json, unquoted
from lgr_core.llm.parsing.line_reply import MOST_ITEMS, best_items
from lgr_core.llm.parsing.markers import one_marker_a_line, without_thoughts
from lgr_core.llm.parsing.name_parser import Item, Labels, tidy_reason
from lgr_core.llm.parsing.reason_fields import split_fields

Form = Literal["final_answer", "list", "json", "none"]

_TAG = re.compile(
    r"(?:<|&lt;|\[)\s{0,3}(?P<close>[/\\]?)\s{0,3}final[\s_-]{0,3}answers?\s{0,3}(?:>|&gt;|\])",
    re.IGNORECASE,
)
_HEADING = re.compile(
    r"^[ \t*_#>=-]{0,12}final answer[ \t\r*_#:=-]{0,12}$", re.IGNORECASE | re.MULTILINE
)
_MOST_BLOCKS = 10
_SENTENCE_ENDS = tuple(".!?)\"'\u201d\u2019*`|")


@dataclass(frozen=True, slots=True)
class ParsedReply:
    """What an answer proposes, best first, and how it was read.

    Attributes
    ----------
    form
        ``final_answer`` (the paper's block), ``list`` (lines without a block), ``json`` or
        ``none``.
    truncated
        The answer shows that it was cut off: its block, its JSON or its thinking never closes and
        it stops short of a sentence's end. A name that could be cut short is not proposed.
    notes
        What was unusual, in words.
    """

    proposals: tuple[Proposal, ...]
    form: Form = "none"
    truncated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    text: str
    closed: bool
    opened: bool = True


@dataclass(frozen=True, slots=True)
class _Reading:
    items: tuple[Item, ...] = ()
    form: Form = "none"
    truncated: bool = False
    notes: tuple[str, ...] = ()


def parse_reply(
    text: str, labels: Mapping[str, str] | Collection[str], *, finished: bool = False
) -> ParsedReply:
    """The proposals of an answer; never an exception, whatever the text.

    Parameters
    ----------
    labels
        What was shown: ``Prompt.labels`` or drug names. They tell where a name with a colon ends
        and lead masked names and numbers to their drugs; they refuse nothing.
    finished
        The service says that the answer came to its end: its last name is whole.
    """
    known = Labels(labels)
    said, thought, thinking = without_thoughts(unquoted(text))
    body = one_marker_a_line(unquoted(said))
    reading = _read(body, known, finished=finished)
    notes = ["the answer stops while still thinking"] if thinking else []
    if not (reading.items or body.strip()) and thought:
        reading = _in_blocks(list(_blocks(one_marker_a_line(thought))), known, finished=True)
        notes += ["the answer stands within the thoughts"] if reading.items else []
    if len(reading.items) > MOST_ITEMS:
        notes.append(f"only the first {MOST_ITEMS} items are taken")
    return ParsedReply(
        proposals=tuple(_proposal(item) for item in reading.items[:MOST_ITEMS]),
        form=reading.form,
        truncated=reading.truncated or thinking,
        notes=(*notes, *reading.notes),
    )


def _proposal(item: Item) -> Proposal:
    """The proposal of an item, with the fields of its reason where it has any."""
    if item.structured is not None:
        return Proposal(item.name, item.reason, structured=item.structured)
    sentence, structured = split_fields(item.reason)
    reason = item.reason if structured is None else tidy_reason(sentence)
    return Proposal(item.name, reason, structured=structured)


def _read(body: str, labels: Labels, *, finished: bool) -> _Reading:
    """The first reading that finds anything: plain JSON, a block, JSON in text, a list."""
    if body.lstrip()[:1] in ("{", "[", '"'):
        reading = _as_json(body, labels)
        if reading.items:
            return reading
    blocks = list(_blocks(body))
    reading = _in_blocks(blocks, labels, finished=finished)
    if reading.items or reading.truncated:
        return reading
    reading = _as_json(body, labels)
    if reading.items:
        return reading
    inside = (one_marker_a_line(text) for text in texts_in_json(body))
    wrapped = [_as_text(text, labels, finished=finished) for text in inside]
    known = (reading for reading in wrapped if any(item.known for item in reading.items))
    return next(known, None) or _as_list(body, labels, reading, finished=finished)


def _as_text(text: str, labels: Labels, *, finished: bool) -> _Reading:
    """A text that stood in a string of JSON."""
    reading = _in_blocks(list(_blocks(text)), labels, finished=finished)
    return reading if reading.items else _as_list(text, labels, reading, finished=finished)


def _blocks(body: str) -> Iterator[_Block]:
    """Answer blocks, the last first; one that only closes begins with the text."""
    tags = list(_TAG.finditer(body))[-2 * _MOST_BLOCKS :]
    for i in range(len(tags) - 1, -1, -1):
        follower = tags[i + 1] if i + 1 < len(tags) else None
        if not tags[i]["close"]:
            end = len(body) if follower is None else follower.start()
            yield _Block(body[tags[i].end() : end], bool(follower and follower["close"]))
        elif i == 0:
            yield _Block(body[: tags[i].start()], closed=True, opened=False)


def _in_blocks(blocks: list[_Block], labels: Labels, *, finished: bool) -> _Reading:
    """The last block with a known name, else the last with any, else one cut in its first name."""
    readings = [_block(block, labels, finished=finished) for block in blocks]
    named = [reading for reading in readings if reading.items]
    known = [reading for reading in named if any(item.known for item in reading.items)]
    cut = [reading for reading in readings if reading.truncated]
    reading = next(iter([*known, *named, *cut]), _Reading())
    if len(named) > 1:
        note = f"{len(named)} answer blocks; the last with names is read"
        return replace(reading, notes=(note, *reading.notes))
    return reading


def _block(block: _Block, labels: Labels, *, finished: bool) -> _Reading:
    reading = _as_json(block.text, labels)
    if reading.items or reading.truncated:
        return reading
    items, start = best_items(block.text, labels, tagged=block.opened)
    lost = _lost(items, start)
    if block.closed:
        return _Reading(tuple(items), "final_answer", notes=lost)
    items, note = (items, ()) if finished else _without_cut_name(items)
    open_end = bool(items) and not block.text.rstrip().endswith(_SENTENCE_ENDS)
    cut = bool(note) or (open_end and not finished)
    form: Form = "final_answer" if items else "none"
    return _Reading(tuple(items), form, cut, ("the answer block never closes", *note, *lost))


def _lost(items: list[Item], start: int) -> tuple[str, ...]:
    """A note where a list does not begin at 1: its best names may be lost."""
    return (
        (f"the list begins at {start}: nothing before it was found",) if items and start > 1 else ()
    )


def _as_json(text: str, labels: Labels) -> _Reading:
    items, cut = json_items(text, labels)
    notes = ("the JSON is cut off: its complete items are read",) if cut else ()
    return _Reading(tuple(items), "json" if items else "none", cut, notes)


def _as_list(body: str, labels: Labels, other: _Reading, *, finished: bool) -> _Reading:
    """A list without a block: after a heading "Final Answer" if there is one, else anywhere."""
    headings = list(_HEADING.finditer(body))
    parts = [body[headings[-1].end() :], body] if headings else [body]
    for part in parts:
        items, start = best_items(part, labels, tagged=False)
        note: tuple[str, ...] = ()
        if not finished and (any(i.whole for i in items) or (items and items[-1].partial)):
            items, note = _without_cut_name(items)
        if items or note:
            notes = ("no answer block: a list is read", *note, *_lost(items, start))
            return _Reading(tuple(items), "list" if items else "none", bool(note), notes)
    return other


def _without_cut_name(items: list[Item]) -> tuple[list[Item], tuple[str, ...]]:
    """The items without a last one that may be the beginning of a name, and a note of it.

    A label is whole unless it is the beginning of another one.
    """
    if not items or items[-1].whole or (items[-1].known and not items[-1].partial):
        return items, ()
    return items[:-1], (f"an unfinished last item is dropped: {items[-1].name!r}",)
