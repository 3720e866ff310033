"""The one edge to language model services: OpenAI, and servers that speak its API.

Everything foreign ends here: SDK objects become ``LLMReply``, SDK exceptions become errors of our
tree, and the key never leaves by any of them. The SDK retries (pauses, Retry-After); what a server
does not accept is found out by :mod:`lgr_core.llm.capabilities`.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openai

from lgr_core.domain import LLMReply, LLMRequest
from lgr_core.errors import AccessError, BadReplyError, NoKeyError, UsageError
from lgr_core.llm.budget import estimate_usage
from lgr_core.llm.capabilities import PROCESS_MEMORY, Lesson, Memory, Plan
from lgr_core.llm.endpoint import Api, Service
from lgr_core.llm.failures import Failure, Kind, failure_of, page_instead
from lgr_core.llm.response import read_reply, to_utf8
from lgr_core.llm.transport import (
    BoundedClient,
    Bounds,
    LargeError,
    LateError,
    RedirectError,
)

log = logging.getLogger(__name__)

NO_KEY = "not-needed"
"""Sent to servers of one's own that ask for no key."""

CONNECT_SECONDS = 10.0

PLACEHOLDERS = frozenset({"empty", "none", "dummy", "ollama", "lm-studio", "test", NO_KEY})
"""Keys that are no secret: blotting these words out would spoil answers."""

SHORTEST_SECRET = 6

KEY_LIKE = re.compile(r"\bsk-[\w*-]{6,}")
"""What a key of OpenAI looks like, also where a server has starred a part of it."""


BOUNDS = Bounds()


class _Stopped(openai.OpenAIError):
    """The user stopped."""


class OpenAIClient:
    """Answers requests through the OpenAI API, or a server that is compatible with it.

    OpenAI itself is asked by Responses, others by Chat Completions (``api`` overrides). Sent is
    what the request says: temperature, effort and schema alike; what the server refuses is left
    out, noted in the reply's provenance, and remembered for its model while the process lives.
    ``cancel``, once set, stops every further request, retries too. ``bounds`` are on the time of
    each answer and on redirects. Safe for several threads.

    Raises
    ------
    NoKeyError
        If OpenAI itself is to be asked and there is no key.
    UsageError
        If the address is not plain http(s), or the key holds signs that no key holds.
    """

    def __init__(
        self,
        api_key: str | None,
        base_url: str | None = None,
        *,
        bounds: Bounds = BOUNDS,
        max_retries: int = 4,
        api: str | None = None,
        cancel: threading.Event | None = None,
        memory: Memory = PROCESS_MEMORY,
    ) -> None:
        self.service = Service.at(base_url, api)
        self.provider = self.service.name
        self._key = _checked_key(api_key, self.service)
        self._cancel, self._memory = cancel, memory
        self._sdk = openai.OpenAI(
            api_key=self._key,
            base_url=self.service.url,
            timeout=openai.Timeout(bounds.seconds, connect=min(bounds.seconds, CONNECT_SECONDS)),
            max_retries=max_retries,
            http_client=BoundedClient(bounds, self._check),
        )

    def __repr__(self) -> str:
        return f"OpenAIClient({self.provider!r})"

    def complete(self, request: LLMRequest) -> LLMReply:
        """The model's answer.

        Raises
        ------
        ServiceError
            If none can be had; its subclasses say why.
        """
        asked = f"{request.model} at {self.provider}"
        plan, raw, refused = self._negotiate(request, asked)
        page = page_instead(self._redact(raw.text[:_PAGE_HEAD]))
        if page is not None:
            raise page.error(asked)
        reply = self._read(raw.text, asked)
        self._memory.keep(self.service, request.model, refused)
        how = {"api": str(plan.api), "structured": str(plan.structure)}
        if raw.retries_taken:
            how["retries"] = raw.retries_taken
        provenance = {**reply.provenance, **how, **plan.departures(request)}
        return LLMReply(reply.text, reply.usage, provenance)

    def start_batch(self, path: Path, endpoint: str) -> str:
        """Upload a Batch file and start it; the batch's id.

        Raises
        ------
        ServiceError
            If the service does not take it.
        """
        data = path.read_bytes()
        file = self._call(
            lambda: self._sdk.files.create(file=(path.name, data), purpose="batch"),
            f"batch {path.name}",
        )
        batch = self._call(
            lambda: self._sdk.batches.create(
                input_file_id=file.id, endpoint=endpoint, completion_window="24h"
            ),
            f"batch {path.name}",
        )
        return batch.id

    def batch(self, batch_id: str) -> dict[str, Any]:
        """The state of a batch, as the service tells it."""
        return self._call(
            lambda: self._sdk.batches.retrieve(batch_id), f"batch {batch_id}"
        ).model_dump()

    def file_text(self, file_id: str) -> str:
        """The text of a file that the service holds."""
        return self._redact(
            self._call(lambda: self._sdk.files.content(file_id), f"file {file_id}").text
        )

    def model_end(self, model: str) -> str | None:
        """When the service says that a model ends, as a date; None where it announces no end.

        Raises
        ------
        ServiceError
            If it cannot be asked, or does not list the model.
        """
        listed = self._call(self._sdk.models.with_raw_response.list, "list of models")
        rows = _models(listed.text)
        if model not in rows:
            do = "Choose one that is listed (LGR_LLM_MODEL)."
            found = f"{self.provider} lists {len(rows):,} models, this one not"
            raise AccessError(f"model {model}", found, do)
        return _date(rows[model].get("shutdown_date"))

    def _call(self, call: Callable[[], Any], what: str) -> Any:  # noqa: ANN401 - the SDK's
        """What an SDK call gives; its error ends here, so that none is chained."""
        failure = None
        try:
            return call()
        except openai.OpenAIError as err:
            failure = self._failure(err)
        raise failure.error(f"{what} at {self.provider}")

    def close(self) -> None:
        """Let go of the connections."""
        self._sdk.close()

    def _negotiate(self, request: LLMRequest, asked: str) -> tuple[Plan, Any, set[Lesson]]:
        """The plan that the server accepted, its raw response, and the lessons worth keeping."""
        refused, passing = set(self._memory.recall(self.service, request.model)), set()
        while True:
            plan = Plan.make(self.service, request, refused | passing)
            outcome = self._send(plan, request)
            if not isinstance(outcome, Failure):
                return plan, outcome, refused
            lesson = plan.learn(outcome, estimate_usage(request).input)
            if lesson is None:
                raise outcome.error(asked)
            for_now = outcome.about_this_schema or lesson[0] == "limit"
            (passing if for_now else refused).add(lesson)
            log.info("%s refuses %s; asking without it", asked, lesson)

    def _send(self, plan: Plan, request: LLMRequest) -> Any | Failure:  # noqa: ANN401 - the SDK's
        """The raw response, or why there is none: errors end here, so that none is chained."""
        responses = plan.api is Api.RESPONSES
        resource = self._sdk.responses if responses else self._sdk.chat.completions
        try:
            return resource.with_raw_response.create(**plan.body(request))
        except openai.OpenAIError as err:
            return self._failure(err)

    def _check(self) -> None:
        """Called by the HTTP layer before each request."""
        if self._cancel is not None and self._cancel.is_set():
            raise _Stopped

    def _failure(self, err: openai.OpenAIError) -> Failure:
        if isinstance(err, openai.APIStatusError):
            response = err.response
            return failure_of(err.status_code, self._redact(response.text), response.headers)
        if isinstance(err, _Stopped):
            return Failure("", "stopped")
        cause = err if err.__cause__ is None else err.__cause__
        return Failure(self._redact(str(cause)), _kind(err, cause))

    def _read(self, text: str, asked: str) -> LLMReply:
        blot = self._redact
        try:
            reply = read_reply(text, asked)
        except BadReplyError as err:
            bad = err
        else:
            known = {name: blot(value) for name, value in reply.provenance.items()}
            return LLMReply(blot(reply.text), reply.usage, known)
        raise BadReplyError(bad.asked, blot(bad.found), bad.do, blot(bad.raw), bad.usage)

    def _redact(self, text: str) -> str:
        """The text without the key, or anything that looks like one.

        A body may write the key with JSON's escapes; such a body is written anew.
        """
        text = to_utf8(text)
        if "\\" in text and self._key not in text:
            text = _unescaped(text, self._key)
        secret = len(self._key) >= SHORTEST_SECRET and self._key.lower() not in PLACEHOLDERS
        clean = text.replace(self._key, "[key]") if secret else text
        return KEY_LIKE.sub("[key]", clean)


def _unescaped(text: str, key: str) -> str:
    """A JSON text whose strings hold the key, without escapes; any other text as it is."""
    try:
        plain = to_utf8(json.dumps(json.loads(text), ensure_ascii=False))
    except (ValueError, RecursionError):
        return text
    return plain if key in plain else text


def _models(text: str) -> dict[str, Mapping[str, Any]]:
    """The models of a list, by id; nothing where it is no list of models."""
    try:
        data = json.loads(text)
        return {row["id"]: row for row in data["data"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def _date(value: object) -> str | None:
    """A date as text; a number is seconds since 1970."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < _FAR:
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return value[:10] if isinstance(value, str) and value else None


_FAR = 4e9
_PAGE_HEAD = 20_000


def _checked_key(api_key: str | None, service: Service) -> str:
    key = "" if api_key is None else api_key.strip()
    if not key and service.is_openai:
        do = "Set OPENAI_API_KEY, or LGR_LLM_BASE_URL for a server that needs none."
        raise NoKeyError("OpenAI API", "there is no key", do)
    if not (key.isascii() and key.isprintable()) or " " in key:
        found = "it holds blanks or signs that no key holds"
        raise UsageError(f"key for {service.name}", found, "Copy it again.")
    return key or NO_KEY


def _kind(err: openai.OpenAIError, cause: BaseException) -> Kind:
    """Why no HTTP answer came; without a connection nothing was sent that could be charged."""
    kinds: tuple[tuple[type[BaseException], Kind], ...] = (
        (LateError, "late"),
        (LargeError, "large"),
        (RedirectError, "redirected"),
    )
    for error, kind in kinds:
        if isinstance(err, error):
            return kind
    if type(cause).__name__ in {"ConnectError", "ConnectTimeout"}:
        return "unreachable"
    return "late" if isinstance(err, openai.APITimeoutError) else "cut"
