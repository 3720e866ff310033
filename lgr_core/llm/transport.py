"""The HTTP client below the SDK: bounds on time and size, redirects, and an account of requests.

A server may trickle for hours, send gigabytes or a packed answer that swells, or send a request and
its key on to another host. Each is stopped here, whatever the SDK would do.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from lgr_core.llm.failures import failure_of
from lgr_core.llm.metering import METER, RequestOutcome

ANSWER_BYTES = 2_000_000
"""The most that an answer may hold, unpacked."""

FILE_BYTES = 1_000_000_000
"""The most that a file of a batch may hold, unpacked."""

MOST_REDIRECTS = 3

_CONNECTIONS = httpx2.Limits(max_connections=1000, max_keepalive_connections=100)

_ANSWERS = ("/responses", "/chat/completions", "/models")
_REDIRECTS = frozenset({301, 302, 307, 308})
_PACKING = frozenset({"content-encoding", "content-length", "transfer-encoding"})
_UNSENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_FOREIGN = (httpx2.HTTPError, httpx2.StreamError, openai.OpenAIError, OSError, ValueError)


class LateError(openai.OpenAIError):
    """No whole answer within the time; not to be retried, as it may be charged."""


class LargeError(openai.OpenAIError):
    """An answer above the size that any ranking has."""


class RedirectError(openai.OpenAIError):
    """The server sends requests on to another host."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What an answer may take: ``seconds`` in all; ``hosts`` are those that may be sent on to."""

    seconds: float = 180.0
    hosts: Collection[str] = ()


class BoundedClient(httpx2.Client):
    """An HTTP client whose answers are bounded; ``check`` is called before each request.

    Raises
    ------
    LateError, LargeError, RedirectError
        As errors of the SDK, so that it passes them on and retries none.
    """

    def __init__(self, bounds: Bounds, check: Callable[[], None]) -> None:
        super().__init__(limits=_CONNECTIONS)
        self._bounds, self._check_go = bounds, check

    def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:  # noqa: ANN401 - the SDK's
        """The whole answer, unpacked; redirects within the host are followed as they were sent."""
        for _step in range(MOST_REDIRECTS + 1):
            self._check_go()
            response = self._metered(request)
            place = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not place:
                return response
            request = self._onward(request, place)
        raise RedirectError(f"{request.url.host}, again and again")

    def _metered(self, request: httpx2.Request) -> httpx2.Response:
        meter = METER.get()
        if meter is None:
            return self._timed(request)
        meter.sending()
        outcome = RequestOutcome.LOST
        try:
            response = self._timed(request)
            refused = response.status_code >= httpx2.codes.BAD_REQUEST
            outcome = RequestOutcome.REFUSED if refused else RequestOutcome.ANSWERED
        except _UNSENT:
            outcome = RequestOutcome.UNSENT
            raise
        finally:
            meter.sent(outcome)
        return response

    def _timed(self, request: httpx2.Request) -> httpx2.Response:
        """The answer of one request within the time.

        It is read in a thread of its own: timeouts of sockets begin anew with each byte, so only
        who waits beside them can tell that a trickle has lasted too long.
        """
        if not request.url.path.endswith(_ANSWERS):
            return self._whole(request, FILE_BYTES, None)
        seconds = self._bounds.seconds
        end = time.monotonic() + seconds
        answer: Future[httpx2.Response] = Future()

        def read() -> None:
            try:
                answer.set_result(self._whole(request, ANSWER_BYTES, end))
            except httpx2.ReadTimeout:
                answer.set_exception(LateError(f"not within {seconds:g} s"))
            except _FOREIGN as err:
                answer.set_exception(err)

        threading.Thread(target=read, name="lgr-answer", daemon=True).start()
        try:
            return answer.result(seconds)
        except TimeoutError:
            raise LateError(f"not within {seconds:g} s") from None

    def _whole(self, request: httpx2.Request, limit: int, end: float | None) -> httpx2.Response:
        response = super().send(request, stream=True, follow_redirects=False)
        parts, size = [], 0
        try:
            for part in response.iter_bytes():
                size += len(part)
                if size > limit:
                    raise LargeError(f"more than {limit / 1e6:g} MB")
                if end is not None and time.monotonic() > end:
                    raise LateError(f"not within {self._bounds.seconds:g} s")
                parts.append(part)
        finally:
            response.close()
        kept = [(k, v) for k, v in response.headers.multi_items() if k.lower() not in _PACKING]
        whole = httpx2.Response(
            response.status_code, headers=kept, content=b"".join(parts), request=request
        )
        _hint(whole)
        return whole

    def _onward(self, request: httpx2.Request, place: str) -> httpx2.Request:
        """The same request, put to where a redirect leads: on the same host, or an allowed one."""
        url = request.url.join(place)
        if url.host not in {request.url.host, *self._bounds.hosts}:
            raise RedirectError(f"{url.scheme}://{url.host}")
        if request.url.scheme == "https" and url.scheme != "https":
            raise RedirectError(f"{url.scheme}://{url.host}, which is not encrypted")
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        return httpx2.Request(
            request.method,
            url,
            headers=headers,
            content=request.read(),
            extensions=request.extensions,
        )


def _hint(response: httpx2.Response) -> None:
    """Tell the SDK by headers what a message alone says: how long to wait, or that it is vain."""
    if response.status_code < httpx2.codes.BAD_REQUEST:
        return
    failure = failure_of(response.status_code, response.text, response.headers)
    if failure.is_final:
        response.headers["x-should-retry"] = "false"
    elif failure.wait and "retry-after-ms" not in response.headers:
        response.headers["retry-after"] = failure.wait
