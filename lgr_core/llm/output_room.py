"""The output tokens for which a server says that it has room, in the words of many servers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lgr_core.llm.failures import Failure

MIN_OUTPUT_TOKENS = 200
"""Below this limit no ranking would be whole."""

_LIMITS = (
    r"at most (\d{2,7}) (?:completion|output|new) ?tokens",
    r"(?:less than or equal to|<=|\u2264|must be at most|not exceed|cannot exceed)\W{0,3}(\d{2,7})",
    r"> ?(\d{2,7}), which is the maximum",
    r"range\D{0,40}\[\d{1,3}, ?(\d{2,7})\]",
    r"maximum (?:allowed )?(?:number of )?(?:output|completion) tokens\D{0,20}(\d{2,7})",
)
_ROOMS = (
    r"context (?:length|window|size)(?: is| of|:)?\D{0,10}(\d{3,8})",
    r"(\d{3,8}) (?:tokens )?(?:maximum )?context",
    r"max_new_tokens\W{0,3} must be <= (\d{3,8})",
)
_INPUTS = (
    r"(\d{1,8}) (?:`inputs`|input|prompt) tokens",
    r"(\d{1,8})(?: tokens)? (?:in|from) (?:the|your) (?:messages|prompt|input)",
    r"prompt contains (?:at least )?(\d{1,8})",
    r"given: (\d{1,8})",
)
_TOTALS = (r"(?:requested|total of)(?: at least| about)? (\d{1,8}) tokens",)


def output_room(failure: Failure, asked: int, prompt_tokens: int) -> int | None:
    """The output tokens for which a refusal says there is room; None where it names none.

    ``asked`` is the limit that was refused, ``prompt_tokens`` an estimate for where the server
    gives a lower bound only.
    """
    text = failure.message
    cap = _number(_LIMITS, text)
    context = _number(_ROOMS, text)
    if cap is not None and context is None:
        room = cap
    elif context is not None:
        room = context - _prompt(text, asked, prompt_tokens)
    else:
        return None
    return room if MIN_OUTPUT_TOKENS <= room < asked else None


def _prompt(text: str, asked: int, estimated: int) -> int:
    """The tokens of the prompt: as told, as the rest of a total, or estimated."""
    told = _number(_INPUTS, text)
    if told is None:
        total = _number(_TOTALS, text)
        told = total - asked if total is not None and total > asked else None
    if told is None or "at least" in text.lower():
        return max(estimated, told or 0)
    return told


def _number(patterns: Iterable[str], text: str) -> int | None:
    plain = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    found = (re.search(pattern, plain, re.IGNORECASE) for pattern in patterns)
    return next((int(hit[1]) for hit in found if hit is not None), None)
