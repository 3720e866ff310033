"""Causes of failures by the words of servers, as the status often says something else.

A bad key comes as 400, a rate limit is worded as a quota, moderation as a lack of rights. Patterns
were collected from the messages of real servers.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lgr_core.errors import AccessError, BadReplyError, ServiceError


class Cause(NamedTuple):
    """A cause by the words of its message: which error it is, what was found, what to do.

    ``statuses`` are those under which it occurs; empty: under any.
    """

    name: str
    words: re.Pattern[str]
    error: type[ServiceError]
    found: str
    do: str
    statuses: frozenset[int] = frozenset()


def words(*patterns: str) -> re.Pattern[str]:
    """Any of these patterns, in capitals or not."""
    return re.compile("|".join(patterns), re.IGNORECASE)


_KEY = r"(?:api|access|auth\w*|secret|proxy|virtual)[ _-]?(?:key|token|credentials?|header)s?"
_BAD = (
    r"\b(?:invalid|not valid|incorrect|wrong|expired|missing|required|revoked|disabled|not found"
    r"|unknown|no)"
)
_MODEL = r"(?:model|deployment)\b[^.]{0,80}"

CAUSES: tuple[Cause, ...] = (
    Cause(
        "proxy database",
        words(r"no connected db"),
        AccessError,
        "the proxy knows no such key: it has no database of keys",
        "Give the proxy's master key (OPENAI_API_KEY).",
    ),
    Cause(
        "region",
        words(
            r"unsupported_country",
            r"(?:country|region|territory|location)\b.{0,40}\bnot (?:supported|available|allowed)",
            r"not (?:supported|available|offered|allowed) in (?:your|this) (?:country|region|loc)",
        ),
        AccessError,
        "the service is not offered where you are",
        "Use one that is, or a server of your own (LGR_LLM_BASE_URL).",
    ),
    Cause(
        "quota of the day",
        words(r"per[ _-]?day", r"daily (?:limit|quota)", r"\bRPD\b", r"\bTPD\b"),
        AccessError,
        "the quota of the day is used up",
        "Run the same command again tomorrow, or use another key (OPENAI_API_KEY).",
        frozenset({429}),
    ),
    Cause(
        "key",
        words(
            rf"{_BAD}\W{{1,3}}(?:\w+\W{{1,3}}){{0,2}}{_KEY}",
            rf"{_KEY}\b.{{0,40}}\b{_BAD}\b",
            r"api_key_invalid",
            r"authentication_error",
            r"invalid authentication",
        ),
        AccessError,
        "the key is refused",
        "Check the key (OPENAI_API_KEY).",
        frozenset({400, 401, 403, 422, 500}),
    ),
    Cause(
        "filter",
        words(
            r"content_filter",
            r"content management policy",
            r"content[ _]policy",
            r"moderation",
            r"\bflagged\b",
            r"safety (?:system|filter|policy|settings)",
            r"responsible ai",
        ),
        BadReplyError,
        "a content filter refuses the prompt",
        "Ask about another drug or line, or use another model (--model).",
        frozenset({400, 403, 422, 451}),
    ),
    Cause(
        "no such model",
        words(
            r"model_not_found",
            r"model_decommissioned",
            rf"{_MODEL}(?:not found|not exist|not available|decommissioned|deprecated|retired)",
            r"(?:no such|unknown|invalid) (?:model|deployment)",
            r"no endpoints found",
            r"not a valid model",
        ),
        AccessError,
        "no such model there, or not for this key",
        "Choose another model (LGR_LLM_MODEL, --model).",
        frozenset({400, 403, 404, 410, 422}),
    ),
    Cause(
        "too long",
        words(
            r"context_length_exceeded",
            r"context[ _](?:length|size|window)",
            r"prompt is too long",
            r"too many (?:input )?tokens",
            r"maximum (?:prompt|input) length",
            r"max_model_len",
            r"exceed_context_size",
        ),
        ServiceError,
        "prompt and answer do not fit the model",
        "Show fewer candidates (--max-candidates 60), ask for a shorter answer "
        "(--max-output-tokens, LGR_LLM_MAX_TOKENS), or take a larger model (--model).",
        frozenset({400, 413, 422, 500}),
    ),
)
"""What is recognised by its words, the first that fits; a status alone decides the rest."""
