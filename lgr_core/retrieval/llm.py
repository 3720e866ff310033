"""The one edge to language model services: OpenAI, and servers that speak its API.

Everything foreign ends here: SDK objects become ``LLMReply``, SDK exceptions become errors of our
tree, and the key never leaves by any of them. The SDK retries (pauses, Retry-After); what a server
does not accept is found out by :mod:`lgr_core.retrieval.dialects`.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import openai

from lgr_core.config import Settings
from lgr_core.domain import LLMClient, LLMReply, LLMRequest
from lgr_core.errors import BadReplyError, LgrError, NoKeyError, UsageError
from lgr_core.retrieval.dialects import PROCESS_MEMORY, Api, Memory, Plan, Service
from lgr_core.retrieval.replies import Failure, read_reply

log = logging.getLogger(__name__)

NO_KEY = "not-needed"
"""Sent to servers of one's own that ask for no key."""

CONNECT_SECONDS = 10.0
LONGEST_MESSAGE = 400

KEY_LIKE = re.compile(r"\bsk-[\w*-]{6,}")
"""What a key of OpenAI looks like, also where a server has starred a part of it."""


class _Stopped(openai.OpenAIError):  # noqa: N818 - a signal through the SDK, which wraps all others
    """The user stopped."""


class OpenAIClient:
    """Answers requests through the OpenAI API, or a server that is compatible with it.

    OpenAI itself is asked by Responses, others by Chat Completions (``api`` overrides). Sent is
    what the request says: temperature, effort and schema alike; what the server refuses is left
    out, noted in the reply's provenance, and remembered for its model while the process lives.
    ``cancel``, once set, stops every further request, retries too. Safe for several threads.

    Raises
    ------
    NoKeyError
        If OpenAI itself is to be asked and there is no key.
    UsageError
        If the address is not plain http(s), or the key holds signs that no key holds.
    """

    def __init__(  # noqa: PLR0913 - keyword-only from the third on
        self,
        api_key: str | None,
        base_url: str | None = None,
        *,
        timeout: float = 120.0,
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
            timeout=openai.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
            max_retries=max_retries,
            http_client=openai.DefaultHttpx2Client(event_hooks={"request": [self._check]}),
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
        refused = set(self._memory.recall(self.service, request.model))
        passing = set()
        while True:
            plan = Plan.make(self.service, request, refused | passing)
            outcome = self._send(plan, request)
            if not isinstance(outcome, Failure):
                break
            lesson = plan.learn(outcome)
            if lesson is None:
                raise outcome.error(asked)
            (passing if outcome.about_this_schema else refused).add(lesson)
            log.info("%s refuses %s; asking without it", asked, lesson)
        reply = self._read(outcome.text, asked)
        self._memory.keep(self.service, request.model, refused)
        return LLMReply(reply.text, reply.usage, {**reply.provenance, **_how(plan, outcome)
                                                  , **plan.departures(request)})

    def close(self) -> None:
        """Let go of the connections."""
        self._sdk.close()

    def _send(self, plan: Plan, request: LLMRequest) -> Any | Failure:
        """The raw response, or why there is none. Nothing foreign is raised, nor chained."""
        body = plan.body(request)
        responses, chat = self._sdk.responses, self._sdk.chat.completions
        part = responses if plan.api is Api.RESPONSES else chat
        try:
            return part.with_raw_response.create(**body)
        except openai.OpenAIError as err:
            return self._failure(err)
