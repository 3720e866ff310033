"""Requests that got no answer: what servers say about it, and what it means for the user.

The words of a message decide (:mod:`lgr_core.llm.causes`), then the status.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lgr_core.errors import AccessError, BadReplyError, NoAnswerError, ServiceError, StoppedError
from lgr_core.llm.causes import CAUSES, Cause, words

_OK = 200
PAYMENT_REQUIRED, NOT_FOUND, TOO_MANY, SERVER_FAULT = 402, 404, 429, 500

LONGEST = 300
"""Characters of a server's message that are shown."""

Kind = Literal["answered", "late", "cut", "unreachable", "stopped", "large", "redirected"]


_CREDIT = words(
    r"insufficient_quota",
    r"exceeded your current quota",
    r"credit balance",
    r"insufficient (?:balance|credits?|funds)",
    r"billing[ _](?:hard[ _])?limit",
    r"out of credits?",
    r"not enough credits?",
)
_SOON = words(
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
        return self._says(words("model", "deployment", "no endpoints found"))

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

    def _says(self, pattern: re.Pattern[str]) -> bool:
        return pattern.search(f"{self.code} {self.message} {self.details}") is not None

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
