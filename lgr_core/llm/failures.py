"""Requests that got no answer: what servers say about it, and what it means for the user.

Servers word the same cause in many ways, and some causes under a status that says otherwise (a bad
key as 400, a rate limit as a quota). ``CAUSES`` is the table of them; the status decides the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from lgr_core.errors import AccessError, BadReplyError, NoAnswerError, ServiceError, StoppedError

_OK = 200
PAYMENT_REQUIRED, NOT_FOUND, TOO_MANY, SERVER_FAULT = 402, 404, 429, 500

LONGEST = 300
"""Characters of a server's message that are shown."""

MIN_OUTPUT_TOKENS = 200
"""Below this limit no ranking would be whole."""

Kind = Literal["answered", "late", "cut", "unreachable", "stopped", "large", "redirected"]


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


def _words(*patterns: str) -> re.Pattern[str]:
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
        _words(r"no connected db"),
        AccessError,
        "the proxy knows no such key: it has no database of keys",
        "Give the proxy's master key (OPENAI_API_KEY).",
    ),
    Cause(
        "region",
        _words(
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
        _words(r"per[ _-]?day", r"daily (?:limit|quota)", r"\bRPD\b", r"\bTPD\b"),
        AccessError,
        "the quota of the day is used up",
        "Run the same command again tomorrow, or use another key (OPENAI_API_KEY).",
        frozenset({TOO_MANY}),
    ),
    Cause(
        "key",
        _words(
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
        _words(
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
        _words(
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
        _words(
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

_CREDIT = _words(
    r"insufficient_quota",
    r"exceeded your current quota",
    r"credit balance",
    r"insufficient (?:balance|credits?|funds)",
    r"billing[ _](?:hard[ _])?limit",
    r"out of credits?",
    r"not enough credits?",
)
_SOON = _words(
    r"retrydelay",
    r"(?:try again|retry) (?:in|after)",
    r"per[ _-]?(?:minute|second|hour)",
    r"rate.?limit",
)
_WAIT = re.compile(
    r"(?:retryDelay\W{1,6}|(?:try again|retry) (?:in|after) )(?P<m>\d{1,4}m(?!s))? ?"
    r"(?P<s>\d{1,6}(?:\.\d{1,9})?)? ?(?P<ms>ms)?",
    re.IGNORECASE,
)
_TITLE = re.compile(r"<title[^>]{0,100}>([^<]{0,200})", re.IGNORECASE)
_PAGE = re.compile(r"\s{0,99}(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that got no answer: what was said about it, already free of secrets.

    ``status`` is None where no HTTP answer came at all; then ``kind`` says why. ``details`` is what
    else the error object holds, ``wait`` the seconds that the server asks to wait.
    """

    message: str
    kind: Kind = "answered"
    status: int | None = None
    code: str = ""
    param: str = ""
    wait: str = ""
    details: str = ""

    @property
    def cause(self) -> Cause | None:
        """The cause that the words tell, if any does."""
        fitting = (c for c in CAUSES if not c.statuses or self.status in c.statuses)
        return next((cause for cause in fitting if self._says(cause.words)), None)

    @property
    def about_model(self) -> bool:
        """Whether a 404 speaks of the model rather than of the address."""
        return self._says(_words("model", "deployment", "no endpoints found"))

    @property
    def about_this_schema(self) -> bool:
        """Whether one schema is refused, not schemas as such."""
        return self.code == "invalid_json_schema" or "invalid schema" in self.message.lower()

    @property
    def no_credit(self) -> bool:
        """Whether the account has nothing left; a rate limit worded so says when it ends."""
        if self.status == PAYMENT_REQUIRED or self.code == "insufficient_quota":
            return True
        return self._says(_CREDIT) and not (self.wait or self._says(_SOON))

    @property
    def is_page(self) -> bool:
        """Whether a web page came: of a log-in, a proxy, or another program."""
        return _PAGE.match(self.message) is not None

    @property
    def is_final(self) -> bool:
        """Whether no further request fares better."""
        return isinstance(self.error(""), AccessError)

    def _says(self, words: re.Pattern[str]) -> bool:
        return words.search(f"{self.code} {self.message} {self.details}") is not None

    @property
    def said(self) -> str:
        """The message, shortened for people."""
        title = _TITLE.search(self.message) if self.is_page else None
        text = f"page {title[1].strip()!r}" if title and title[1].strip() else self.message
        return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."

    def error(self, asked: str) -> ServiceError:
        """The failure as one of our errors."""
        if self.status is None:
            return _unanswered(self, asked)
        if self.status == TOO_MANY and not self.no_credit and self.cause is None:
            return _overloaded(self, asked)
        if self.is_page and self.status < SERVER_FAULT:
            return _page(self, asked)
        cause = self.cause
        if cause is not None:
            return self._caused(cause, asked)
        if self.no_credit:
            do = "Add credit or use another key (OPENAI_API_KEY)."
            return self._access(asked, "the account has no credit left", do)
        return _by_status(self, asked)

    def _caused(self, cause: Cause, asked: str) -> ServiceError:
        found = f"{cause.found} ({self.status}: {self.said})"
        if cause.error is BadReplyError:
            return BadReplyError(asked, found, cause.do, found)
        return cause.error(asked, found, cause.do)

    def _access(self, asked: str, found: str, do: str) -> AccessError:
        return AccessError(asked, f"{found} ({self.status}: {self.said})", do)


def failure_of(status: int, text: str, headers: Mapping[str, str]) -> Failure:
    """A failed answer, read: an error object in any of the usual shapes, or plain text."""
    body = _loaded(text)
    error = _error_object(body)
    message = error.get("message") or error.get("detail") or error.get("error")
    if not isinstance(message, str):
        message = text if body is None else json.dumps(body, ensure_ascii=False)
    named = ("type", "status", "details", "metadata")
    details = json.dumps({k: error[k] for k in named if error.get(k)}, ensure_ascii=False)
    code = error.get("code")
    return Failure(
        " ".join(message.split()),
        status=status,
        code="" if code is None else str(code),
        param=str(error.get("param") or ""),
        wait=headers.get("retry-after") or _wait(f"{details} {message}"),
        details=details,
    )


def page_instead(text: str) -> Failure | None:
    """The failure of an answer that is a web page though its status is good; None for others."""
    return failure_of(_OK, text, {}) if _PAGE.match(text) else None


def _loaded(text: str) -> Any:  # noqa: ANN401 - JSON
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _error_object(body: object) -> Mapping[str, Any]:
    """The object that tells the error: in ``error``, in a list of one, or the body itself."""
    if isinstance(body, list):
        body = next(iter(body), None)
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error")
    return error if isinstance(error, Mapping) else body


def _wait(text: str) -> str:
    """The seconds to wait that a message names, e.g. ``27.5``; empty where it names none."""
    found = _WAIT.search(text)
    if found is None or not (found["m"] or found["s"]):
        return ""
    seconds = float(found["s"] or 0) / (1000 if found["ms"] else 1)
    return f"{60 * int(found['m'][:-1]) + seconds:g}" if found["m"] else f"{seconds:g}"


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


def _overloaded(failure: Failure, asked: str) -> ServiceError:
    wait = f", it asks to wait {failure.wait} s" if failure.wait else ""
    found = f"too many requests at this time{wait} ({failure.status}: {failure.said})"
    return ServiceError(asked, found, "Wait a little, or send fewer at a time (--concurrency 1).")


def _by_status(failure: Failure, asked: str) -> ServiceError:
    status = failure.status or 0
    said = f"({status}: {failure.said})"
    by_status = {
        401: ("the key is refused", "Check the key (OPENAI_API_KEY)."),
        403: ("the key may not do this", "Check the rights of the key (OPENAI_API_KEY)."),
    }
    if status in by_status:
        found, do = by_status[status]
        return AccessError(asked, f"{found} {said}", do)
    if status == NOT_FOUND and not failure.about_model:
        do = "Check LGR_LLM_BASE_URL; most addresses end in /v1."
        return ServiceError(asked, f"nothing answers at that address ({failure.said})", do)
    if status == NOT_FOUND:
        found = f"no such model there, or not for this key ({failure.said})"
        return AccessError(asked, found, "Choose another model (LGR_LLM_MODEL, --model).")
    if status >= SERVER_FAULT:
        return ServiceError(asked, f"the server fails {said}", "Try again later.")
    do = "Check the model and its options (--model, --effort, --temperature, --mode)."
    return ServiceError(asked, f"the request is refused {said}", do)


def _page(failure: Failure, asked: str) -> AccessError:
    found = f"a web page came instead of an answer ({failure.status}: {failure.said})"
    do = "Check LGR_LLM_BASE_URL (most addresses end in /v1), and whether a log-in or a proxy "
    return AccessError(asked, found, f"{do}stands before the server.")


_LOST = {"late": "no whole answer in time", "cut": "the answer was cut off"}
_LOST_DO = {
    "late": "Try again later, or give it more time (LGR_LLM_DEADLINE, in seconds).",
    "cut": "Try again later.",
}


def _unanswered(failure: Failure, asked: str) -> ServiceError:
    kind, said = failure.kind, failure.said
    if kind == "stopped":
        return StoppedError(asked, "stopped before it was sent", "Start again when you like.")
    if kind in _LOST:
        return NoAnswerError(asked, f"{_LOST[kind]} ({said})", _LOST_DO[kind])
    if kind == "large":
        do = "Check LGR_LLM_BASE_URL: no ranking is that long."
        return BadReplyError(asked, f"the answer is too large ({said})", do)
    if kind == "redirected":
        do = "Set LGR_LLM_BASE_URL to that address, or allow its host (LGR_LLM_REDIRECT_HOSTS)."
        return AccessError(asked, f"the server sends requests on to {said}", do)
    do = "Check the network and the address (LGR_LLM_BASE_URL); is the server running?"
    return ServiceError(asked, f"the service cannot be reached ({said})", do)
