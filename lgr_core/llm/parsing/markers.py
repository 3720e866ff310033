"""Markers that models and servers leave in an answer: thoughts, channels, special tokens, tags.

They decide where the answer begins and end a line wherever they stand. Spellings were collected
from chat templates and from answers of real servers; a name in a prompt never holds such a marker.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_MIND = r"(?:think(?:ing)?|thoughts?|reasoning|analysis|reflections?|scratchpad)"
_THOUGHT = re.compile(
    rf"""
      <\s{{0,3}}(?P<close>[/\\]?)\s{{0,3}}(?:[a-z]{{1,20}}[:_])?{_MIND}\s{{0,3}}>
    | \[\s{{0,3}}(?P<square>/?)\s{{0,3}}(?-i:THINK(?:ING)?|THOUGHTS?|REASONING)\s{{0,3}}\]
    | \u25c1\s{{0,3}}(?P<triangle>/?)\s{{0,3}}{_MIND}\s{{0,3}}\u25b7
    | <[|\uff5c](?P<token>[^|\uff5c<>\n]{{0,40}}{_MIND}[^|\uff5c<>\n]{{0,20}})[|\uff5c]>
    | <[|\uff5c]channel[|\uff5c]?>\s{{0,3}}(?P<channel>[a-z]{{1,20}})
      (?P<to>(?:[ \t](?:(?!<[|\uff5c]message)[^\n]){{1,100}})?)(?:<[|\uff5c]message[|\uff5c]>)?
    | (?P<ends><[|\uff5c]end[|\uff5c]>|<channel[|\uff5c]>)
    | (?P<glued>(?-i:assistantfinal(?![a-z])))
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TOKEN = re.compile(
    r"(?:<[|\uff5c][^|\uff5c<>\n]{1,60}[|\uff5c]>|</?s>|<(?:start|end)_of_turn>|</?[be]os>"
    r"|\[/?(?:INST|TOOL_CALLS?|ANSWER|FINAL|OUTPUT|RESULTS?|RESPONSE|SOLUTION|RANKING)\]"
    r"|\[/[A-Za-z_ ]{2,30}\])[ \t]{0,9}"
)
_TAG = re.compile(
    r"(?:<|&lt;)(?P<close>/?)(?!/?(?:b|i|u|em|strong|code|br|li|p|td|th|tr|sub|sup|ol|ul|a)\b)"
    r"(?!final[\s_-]?answers?\b)[a-z][a-z0-9_:=.-]{0,40}\s{0,3}(?:>|&gt;)[ \t]{0,9}",
    re.IGNORECASE,
)
_ITEM = re.compile(r"\s{0,9}(?:[(\[#*_]{0,4}\d{1,3}[.):\]]|[-*+\u2022|\[{'\"]|$)")
_TAG_NEXT = re.compile(r"\s{0,9}(?:<|&lt;|$)", re.MULTILINE)


class Parts(NamedTuple):
    """An answer without its thoughts, the last closed thought, and whether one never closes."""

    answer: str
    thought: str
    unfinished: bool


def without_thoughts(text: str) -> Parts:
    """The text after the last closed thought and before one that is opened and never closed.

    A channel called final ends all others, as does a call of a tool in any channel.
    """
    start, thought = 0, ""
    opened: re.Match[str] | None = None
    for mark in _THOUGHT.finditer(text):
        if mark["ends"] and (opened is None or opened["channel"] is None):
            continue
        if _closes(mark):
            if opened is not None or not thought:
                thought = text[start if opened is None else opened.end() : mark.start()]
            start, opened = mark.end(), None
        elif opened is None:
            opened = mark
    return Parts(text[start : None if opened is None else opened.start()], thought, bool(opened))


def _closes(mark: re.Match[str]) -> bool:
    if mark["channel"] is not None:
        return mark["channel"].casefold().startswith("final") or " to=" in (mark["to"] or "")
    if mark["token"] is not None:
        return mark["token"].startswith("/") or "end" in mark["token"].casefold()
    return bool(
        mark["close"] or mark["square"] or mark["triangle"] or mark["ends"] or mark["glued"]
    )


def one_marker_a_line(text: str) -> str:
    """The text with a line's end in place of every special token, and of tags around an item.

    A tag of no known meaning is one of those if an item or nothing follows where it opens, or
    nothing but another tag where it closes; within an item it is left alone.
    """
    return _TAG.sub(_tag_end, _TOKEN.sub("\n", text)).lstrip(" \t")


def _tag_end(tag: re.Match[str]) -> str:
    follows = _TAG_NEXT if tag["close"] else _ITEM
    return "\n" if follows.match(tag.string, tag.end()) else tag.group()
