"""Reading what a service sent back: answers of either API, and failures in our own words.

Nothing is taken for granted: a body may be cut, be no JSON, lack its parts, or hold an error under
status 200. What cannot be used becomes a ``BadReplyError`` that carries the text as it came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lgr_core.domain import LLMReply, LLMUsage
from lgr_core.errors import AccessError, BadReplyError, NoAnswerError, ServiceError, StoppedError

UNAUTHORIZED, PAYMENT_REQUIRED, FORBIDDEN, NOT_FOUND = 401, 402, 403, 404
TOO_MANY, SERVER_FAULT = 429, 500

FINISHES = {
    "completed": "stop",
    "max_output_tokens": "length",
}
"""The finish reasons of the Responses API in the words of Chat Completions."""

LONGEST = 300
"""Signs of a server's message that are shown."""

EMPTY = "Ask again; if it stays so, take another model."


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that got no answer: what was said about it, already free of secrets.

    ``status`` is None where no HTTP answer came at all; then ``kind`` says why.
    """

    message: str
    kind: Literal["answered", "late", "cut", "unreachable", "stopped"] = "answered"
    status: int | None = None
    code: str = ""
    param: str = ""
    wait: str = ""

    @property
    def about_model(self) -> bool:
        """Whether a 404 speaks of the model rather than of the address."""
        return self._says(("model", "deployment"))

    @property
    def about_this_schema(self) -> bool:
        """Whether one schema is refused, not schemas as such."""
        return self.code == "invalid_json_schema" or "invalid schema" in self.message.lower()

    @property
    def no_credit(self) -> bool:
        """Whether the account has nothing left to spend."""
        words = ("insufficient_quota", "exceeded your current quota")
        return self.status == PAYMENT_REQUIRED or self._says(words)

    @property
    def too_long(self) -> bool:
        """Whether prompt and answer do not fit the model."""
        return self._says(("context_length_exceeded", "context length", "context size"))

    @property
    def filtered(self) -> bool:
        """Whether a content filter refused the prompt."""
        return self._says(("content_filter", "content management policy"))

    def _says(self, words: Iterable[str]) -> bool:
        said = f"{self.code} {self.message}".lower()
        return any(word in said for word in words)

    @property
    def said(self) -> str:
        """The message, shortened for people."""
        return self.message if len(self.message) <= LONGEST else f"{self.message[:LONGEST]} ..."

    def error(self, asked: str) -> ServiceError:
        """The failure as one of our errors."""
        if self.status is None:
            return _unanswered(self, asked)
        if self.no_credit or self.status in _DENIED:
            return _denied(self, asked)
        if self.status == NOT_FOUND:
            return _not_found(self, asked)
        if self.status == TOO_MANY or self.status >= SERVER_FAULT:
            return _overloaded(self, asked)
        return _refused(self, asked)


_DENIED: Mapping[int, tuple[str, str]] = {
    UNAUTHORIZED: ("the key is refused", "Check the key (OPENAI_API_KEY)."),
    FORBIDDEN: ("the key may not do this", "Check the rights of the key."),
}


def _denied(failure: Failure, asked: str) -> AccessError:
    no_credit = "the account has no credit left", "Add credit or use another key."
    found, do = no_credit if failure.no_credit else _DENIED[failure.status]
    return AccessError(asked, f"{found} ({failure.status}: {failure.said})", do)


def _overloaded(failure: Failure, asked: str) -> ServiceError:
    said = f"({failure.status}: {failure.said})"
    if failure.status != TOO_MANY:
        found = f"the server fails {said}"
        return ServiceError(asked, found, "Try again later.")
    wait = f", it asks to wait {failure.wait} s" if failure.wait else ""
    found = f"too many requests at this time{wait} {said}"
    return ServiceError(asked, found, "Wait a little, or send fewer at a time.")


_LOST = {"late": "no answer in time", "cut": "the answer was cut off"}


def _unanswered(failure: Failure, asked: str) -> ServiceError:
    if failure.kind == "stopped":
        return StoppedError(asked, "stopped before it was sent", "Start again when you like.")
    if failure.kind in _LOST:
        found = f"{_LOST[failure.kind]} ({failure.said})"
        return NoAnswerError(asked, found, "Try again later.")
    do = "Check the network and the address (LGR_LLM_BASE_URL); is the server running?"
    return ServiceError(asked, f"the service cannot be reached ({failure.said})", do)


def _not_found(failure: Failure, asked: str) -> ServiceError:
    if failure.about_model:
        found = f"no such model there, or not for this key ({failure.said})"
        return AccessError(asked, found, "Choose another model (LGR_LLM_MODEL).")
    do = "Check LGR_LLM_BASE_URL; most addresses end in /v1."
    return ServiceError(asked, f"nothing answers at that address ({failure.said})", do)


def _refused(failure: Failure, asked: str) -> ServiceError:
    found = f"the request is refused ({failure.status}: {failure.said})"
    if failure.filtered:
        return BadReplyError(asked, found, "A content filter stands there; rephrase.", found)
    if failure.too_long:
        return ServiceError(asked, found, "Show fewer candidates or take a larger model.")
    return ServiceError(asked, found, "Check the model and its options.")


def read_reply(text: str, asked: str) -> LLMReply:
    """The answer in a response body of either API, as it came, with its usage and provenance.

    A truncated answer is kept with ``finish_reason`` "length".

    Raises
    ------
    BadReplyError
        If there is no answer in it, or the model or a content filter refused to give one.
    """
    answer = _answer(text, asked)
    if answer.refusal:
        raise answer.bad(f"the model refuses: {answer.refusal}", "Take another model or prompt.")
    if answer.finish == "content_filter":
        raise answer.bad("a content filter stopped the answer", "Take another model or prompt.")
    if not answer.text.strip() and answer.finish == "length":
        raise answer.bad("the answer was cut before it began", "Raise max_output_tokens.")
    if not answer.text.strip():
        raise answer.bad("the answer is empty", EMPTY)
    reported = {} if answer.usage_reported else {"usage": "not reported"}
    return LLMReply(storable(answer.text), answer.usage, {**answer.provenance, **reported})


def storable(text: str) -> str:
    """The text with a question mark for every half of a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response body taken apart; ``raw`` is all of it."""

    asked: str
    raw: str
    data: Mapping[str, Any]
    text: str
    refusal: str
    finish: str

    def bad(self, found: str, do: str) -> BadReplyError:
        usage = self.usage if self.usage_reported else None
        return BadReplyError(self.asked, storable(found), do, self.raw, usage)

    @property
    def usage_reported(self) -> bool:
        return isinstance(self.data.get("usage"), Mapping)

    @property
    def usage(self) -> LLMUsage:
        usage = self.data["usage"] if self.usage_reported else {}
        details = usage.get("input_tokens_details") or usage.get("prompt_tokens_details")
        cached = details.get("cached_tokens") if isinstance(details, Mapping) else None
        shown = _count(usage.get("input_tokens", usage.get("prompt_tokens")))
        return LLMUsage(
            input=shown,
            cached=min(_count(cached), shown),
            output=_count(usage.get("output_tokens", usage.get("completion_tokens"))),
            requests=1,
        )

    @property
    def provenance(self) -> dict[str, Any]:
        known = {name: self.data.get(name) for name in ("model", "id", "system_fingerprint")}
        known["finish_reason"] = self.finish
        return {name: storable(str(value)) for name, value in known.items() if value is not None}


def _answer(text: str, asked: str) -> _Answer:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadReplyError(asked, "the answer is no JSON", EMPTY, text) from None
    error = data.get("error") if isinstance(data, Mapping) else None
    if error:
        said = error.get("message", error) if isinstance(error, Mapping) else error
        found = f"an error instead of an answer: {storable(str(said))[:LONGEST]}"
        raise BadReplyError(asked, found, EMPTY, text)
    try:
        read = _read_responses if "output" in data else _read_chat
        return _Answer(asked, text, data, *read(data))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        found = "the answer has not the form of the API"
        raise BadReplyError(asked, found, "Is this an OpenAI-compatible server?", text) from None


def _read_responses(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Text, refusal and finish reason of a Responses body."""
    messages = (item for item in data["output"] if item["type"] == "message")
    parts = [part for item in messages for part in item["content"]]
    text = "".join(part["text"] for part in parts if part["type"] == "output_text")
    refusal = "".join(part["refusal"] for part in parts if part["type"] == "refusal")
    status = data.get("status", "completed")
    if status == "incomplete":
        status = (data.get("incomplete_details") or {}).get("reason", status)
    return text, refusal, FINISHES.get(status, status)


def _read_chat(data: Mapping[str, Any]) -> tuple[str, str, str]:
    """Text, refusal and finish reason of a Chat Completions body."""
    choice = data["choices"][0]
    message = choice["message"]
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    return content, message.get("refusal") or "", choice.get("finish_reason") or "stop"


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
