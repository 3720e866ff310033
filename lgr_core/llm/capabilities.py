"""How each server is spoken to: which API, which parameters, and what it was found to refuse.

Servers that call themselves OpenAI-compatible differ in what they accept. A :class:`Plan` says how
one request is put to a service; where the service refuses a part of it, that is a lesson, and the
next plan goes without that part. Lessons of requests that succeeded are kept for the process.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lgr_core.domain import LLMRequest
from lgr_core.llm.endpoint import NEW_TOKENS, OLD_TOKENS, Api, Service
from lgr_core.llm.failures import Failure
from lgr_core.llm.output_room import output_room


class Structure(StrEnum):
    """How firmly JSON is asked for, the firmest first; an answer is checked in any case."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    TEXT = "text"


Lesson = tuple[str, Any]
"""A part of a plan, and the value of it that was refused."""

ROUTE_MISSING = frozenset({404, 405})
REFUSED = frozenset({400, 413, 422})

PART_WORDS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "effort": ("reasoning", "effort", "thinking"),
    "tokens": (NEW_TOKENS, OLD_TOKENS, "max_output_tokens"),
    "structure": ("response_format", "text.format", "json_", "schema", "grammar", "structured"),
}
"""What servers call the parts of a plan when they refuse them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How one request is put: every part as it will be sent, None where it will not.

    ``tokens`` are the names left for the output limit: the first is sent, and the last is never
    given up, for an answer without limit has no price that could be foreseen. ``limit`` is the
    output limit; it is lowered once where a server names the room that it has.
    """

    api: Api
    structure: Structure
    tokens: tuple[str, ...]
    temperature: float | None
    effort: str | None
    store: bool | None
    limit: int
    lowered: bool = False

    @classmethod
    def make(cls, service: Service, request: LLMRequest, refused: Iterable[Lesson] = ()) -> Plan:
        """The plan nearest to the request that leaves out what was refused."""
        known = frozenset(refused)
        api = Api.CHAT if ("api", service.api) in known else service.api
        ladder = Structure if request.schema is not None else (Structure.TEXT,)
        effort = None if ("effort", request.effort) in known else request.effort
        warmth = request.temperature
        names = service.token_names(api)
        rooms = [value for part, value in known if part == "limit"]
        return cls(
            api=api,
            structure=next(step for step in ladder if ("structure", step) not in known),
            tokens=tuple(name for name in names if ("tokens", name) not in known),
            temperature=None if ("temperature", (warmth, effort)) in known else warmth,
            effort=effort,
            store=False if service.is_openai or api is Api.RESPONSES else None,
            limit=min([request.max_output_tokens, *rooms]),
            lowered=bool(rooms),
        )

    def body(self, request: LLMRequest) -> dict[str, Any]:
        """The JSON body to send: the same for the SDK and for a batch file."""
        prompt = request.prompt + self._schema_in_words(request)
        if self.api is Api.RESPONSES:
            body = {"input": prompt, "reasoning": _unless_none({"effort": self.effort})}
            body["text"] = _unless_none({"format": self._format(request)})
        else:
            body = {"messages": [{"role": "user", "content": prompt}]}
            body |= {"reasoning_effort": self.effort, "response_format": self._format(request)}
        body |= {"model": request.model, "temperature": self.temperature, "store": self.store}
        body[self.tokens[0]] = self.limit
        return {name: value for name, value in body.items() if value is not None}

    def departures(self, request: LLMRequest) -> dict[str, str | int]:
        """Each part of the request that is not sent as asked."""
        away = {
            "temperature": request.temperature is not None and self.temperature is None,
            "effort": request.effort is not None and self.effort is None,
        }
        departures: dict[str, str | int] = {p: "not sent" for p, missing in away.items() if missing}
        if self.limit < request.max_output_tokens:
            departures["max_output_tokens"] = self.limit
        if self._schema_in_words(request):
            departures["schema"] = "in the prompt"
        return departures

    def learn(self, failure: Failure, prompt_tokens: int = 0) -> Lesson | None:
        """What the failure says is refused of this plan; None where that would change nothing.

        ``prompt_tokens`` is an estimate, for servers that name their room but not what fills it.
        """
        if failure.status in ROUTE_MISSING and self.api is Api.RESPONSES:
            return None if failure.about_model else ("api", self.api)
        if failure.status not in REFUSED:
            return None
        room = None if self.lowered else output_room(failure, self.limit, prompt_tokens)
        if room is not None:
            return "limit", room
        if failure.cause is not None:
            return None
        sent = {
            "temperature": (self.temperature, self.effort)
            if self.temperature is not None
            else None,
            "effort": self.effort,
            "tokens": self.tokens[0] if len(self.tokens) > 1 else None,
            "structure": self.structure if self.structure is not Structure.TEXT else None,
        }
        part = _named(failure, [part for part, value in sent.items() if value is not None])
        return None if part is None else (part, sent[part])

    def _format(self, request: LLMRequest) -> dict[str, Any] | None:
        if self.structure is Structure.TEXT:
            return None
        if self.structure is Structure.JSON_OBJECT:
            return {"type": "json_object"}
        schema = {"name": "answer", "schema": request.schema, "strict": True}
        if self.api is Api.RESPONSES:
            return {"type": "json_schema", **schema}
        return {"type": "json_schema", "json_schema": schema}

    def _schema_in_words(self, request: LLMRequest) -> str:
        if request.schema is None or self.structure is Structure.JSON_SCHEMA:
            return ""
        schema = json.dumps(request.schema, ensure_ascii=False)
        return f"\n\nAnswer with one JSON object only, valid for this JSON schema:\n{schema}"


def _unless_none(part: dict[str, Any]) -> dict[str, Any] | None:
    return None if None in part.values() else part


def _named(failure: Failure, parts: Iterable[str]) -> str | None:
    """The part that a refusal is about: named as its parameter, else first in its message."""
    for text in (failure.param, failure.message):
        places = {part: _first(text.lower(), PART_WORDS[part]) for part in parts}
        found = [part for part, place in places.items() if place >= 0]
        if found:
            return min(found, key=lambda part: places[part])
    return None


def _first(text: str, words: Iterable[str]) -> int:
    places = [place for place in map(text.find, words) if place >= 0]
    return min(places, default=-1)


class Memory:
    """What each (service, model) was found to refuse; safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lessons: dict[tuple[str, str], frozenset[Lesson]] = {}

    def recall(self, service: Service, model: str) -> frozenset[Lesson]:
        """The lessons learned so far."""
        with self._lock:
            return self._lessons.get((service.url, model), frozenset())

    def keep(self, service: Service, model: str, lessons: Iterable[Lesson]) -> None:
        """Add lessons of a request that then succeeded."""
        key = service.url, model
        with self._lock:
            self._lessons[key] = self._lessons.get(key, frozenset()) | frozenset(lessons)


PROCESS_MEMORY = Memory()
"""Shared by every client of the process."""
