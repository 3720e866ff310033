"""Reading what a service sent back: answers of either API, and what stands in for them.

Nothing is taken for granted: a body may be cut, be no JSON, lack its parts, or hold an error under
status 200. What cannot be used becomes a ``BadReplyError`` that carries the text as it came.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lgr_core.domain import LLMReply, LLMUsage
from lgr_core.errors import BadReplyError

LONGEST = 300
"""Characters of an error in a body that are shown."""

_FINISHES: Mapping[str, frozenset[str]] = {
    "stop": frozenset({"stop", "completed", "complete", "end_turn", "eos", "eos_token"}),
    "length": frozenset({"length", "max_tokens", "max_output_tokens", "model_length"}),
    "content_filter": frozenset(
        {"content_filter", "content_filtered", "safety", "recitation", "prohibited_content"}
    ),
}
"""Finish reasons of several services in the words of Chat Completions, in lower case."""

MORE_TOKENS = "Allow longer answers (--max-output-tokens, LGR_LLM_MAX_TOKENS) or less --effort."
OTHER_MODEL = "Take another model (--model) or prompt (--mode)."
EMPTY = "Ask again; if it stays so, take another model (--model)."


def read_reply(text: str, asked: str) -> LLMReply:
    """The answer in a response body of either API, as it came, with its usage and provenance.

    Where the text is empty, the arguments of a tool call or, of a finished answer, the reasoning
    stand for it (``read_from`` in the provenance). A truncated answer is kept with its
    ``finish_reason``.

    Raises
    ------
    BadReplyError
        If there is no answer in it, or the model or a content filter refused to give one.
    """
    answer = _answer(text, asked)
    if answer.refusal:
        raise answer.bad(f"the model refuses: {answer.refusal}", OTHER_MODEL)
    if answer.finish == "content_filter":
        raise answer.bad("a content filter stopped the answer", OTHER_MODEL)
    said, source = answer.said
    if not said.strip():
        raise answer.bad(*answer.why_empty)
    extra = {} if answer.usage_reported else {"usage": "not reported"}
    extra |= {"read_from": source} if source else {}
    return LLMReply(to_utf8(said), answer.usage, {**answer.provenance, **extra})


def to_utf8(text: str) -> str:
    """The text with a question mark for every half of a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode()


class _Parts(NamedTuple):
    """What a model gave back; ``tools`` are the arguments of its calls, ``error`` what failed."""

    text: str
    refusal: str
    finish: str
    tools: str = ""
    reasoning: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A response body taken apart; ``raw`` is all of it."""

    asked: str
    raw: str
    data: Mapping[str, Any]
    parts: _Parts

    @property
    def refusal(self) -> str:
        return self.parts.refusal

    @property
    def finish(self) -> str:
        return self.parts.finish

    @property
    def said(self) -> tuple[str, str]:
        """What counts as the answer, and in which field it stood; "" for the usual one."""
        parts = self.parts
        if parts.text.strip():
            return parts.text, ""
        if parts.tools.strip():
            return parts.tools, "tool_calls"
        return (parts.reasoning, "reasoning") if self.finish == "stop" else ("", "")

    @property
    def why_empty(self) -> tuple[str, str]:
        """Why there is nothing to read, and what to do."""
        thought = len(self.parts.reasoning)
        beside = f"; {thought:,} characters of reasoning came" if thought else ""
        if self.finish == "length":
            return f"the answer was cut before it began{beside}", MORE_TOKENS
        ended = "" if self.finish == "stop" else f" (it ended with {self.finish!r})"
        return f"the answer is empty{ended}{beside}", EMPTY

    def bad(self, found: str, do: str) -> BadReplyError:
        usage = self.usage if self.usage_reported else None
        return BadReplyError(self.asked, to_utf8(found), do, self.raw, usage)

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
        return {name: to_utf8(str(value)) for name, value in known.items() if value is not None}


def _answer(text: str, asked: str) -> _Answer:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise BadReplyError(asked, "the answer is no JSON", EMPTY, text) from None
    error = data.get("error") if isinstance(data, Mapping) else None
    if error:
        found = f"an error instead of an answer: {to_utf8(_error_text(error))[:LONGEST]}"
        raise BadReplyError(asked, found, EMPTY, text)
    try:
        read = _read_responses if "output" in data else _read_chat
        answer = _Answer(asked, text, data, read(data))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        found = "the answer has not the form of the API"
        raise BadReplyError(asked, found, "Is this an OpenAI-compatible server?", text) from None
    if answer.parts.error:
        found = f"an error instead of an answer: {to_utf8(answer.parts.error)[:LONGEST]}"
        raise answer.bad(found, EMPTY)
    return answer


def _read_responses(data: Mapping[str, Any]) -> _Parts:
    """The parts of a Responses body."""
    items = {kind: [i for i in data["output"] if i["type"] == kind] for kind in _ITEMS}
    parts = [part for item in items["message"] for part in item["content"]]
    thoughts = [p for i in items["reasoning"] for p in _listed(i.get("content"), i.get("summary"))]
    status = data.get("status", "completed")
    if status == "incomplete":
        status = (data.get("incomplete_details") or {}).get("reason", status)
    return _Parts(
        text="".join(part["text"] for part in parts if part["type"] == "output_text"),
        refusal="".join(part["refusal"] for part in parts if part["type"] == "refusal"),
        finish=_finish(status),
        tools="\n".join(_text(item.get("arguments")) for item in items["function_call"]),
        reasoning="".join(_text(part.get("text")) for part in thoughts),
    )


_ITEMS = ("message", "reasoning", "function_call")


def _read_chat(data: Mapping[str, Any]) -> _Parts:
    """The parts of a Chat Completions body."""
    choice = data["choices"][0]
    error = choice.get("error")
    if error and not choice.get("message"):
        return _Parts("", "", "error", error=_error_text(error))
    message = choice["message"]
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join(part["text"] for part in content if part["type"] == "text")
    calls = [call.get("function", call) for call in _listed(message.get("tool_calls"))]
    calls += _listed([message.get("function_call")])
    details = _listed(message.get("reasoning_details"))
    thoughts = [message.get(name) for name in ("reasoning_content", "reasoning", "thinking")]
    thoughts += ["".join(_text(part.get("text", part.get("summary"))) for part in details)]
    return _Parts(
        text=content,
        refusal=message.get("refusal") or "",
        finish=_finish(choice.get("finish_reason")),
        tools="\n".join(_text(call.get("arguments")) for call in calls),
        reasoning=next((_text(thought) for thought in thoughts if _text(thought).strip()), ""),
        error=_error_text(error) if error else "",
    )


def _finish(reason: object) -> str:
    """A finish reason in the words of Chat Completions where it has one there; none is a stop."""
    said = str(reason or "stop")
    words = said.casefold().removeprefix("finish_reason_")
    return next((name for name, same in _FINISHES.items() if words in same), said)


def _listed(*lists: object) -> list[Mapping[str, Any]]:
    """The objects of the first list that has any."""
    found = (
        [item for item in part if isinstance(item, Mapping)]
        for part in lists
        if isinstance(part, list)
    )
    return next(filter(None, found), [])


def _text(value: object) -> str:
    """A text as it is, an object as JSON, nothing as nothing."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _error_text(error: object) -> str:
    said = error.get("message", error) if isinstance(error, Mapping) else error
    return str(said)


def _count(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0
