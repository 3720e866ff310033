"""How the HTTP edge reports every request that it sends to whoever keeps account.

One call of a client may send several requests (retries, refused parameters). Whoever pays for them
puts a :class:`Meter` in ``METER``; the edge tells it before each request and after each.
"""

from __future__ import annotations

from contextvars import ContextVar
from enum import Enum, auto
from typing import Protocol


class RequestOutcome(Enum):
    """What became of one HTTP request."""

    UNSENT = auto()
    """No connection: the server saw nothing."""
    REFUSED = auto()
    """An error status: nothing is charged for it."""
    ANSWERED = auto()
    LOST = auto()
    """Sent, but no whole answer came: it may be charged."""


class Meter(Protocol):
    """Keeps account of requests."""

    def sending(self) -> None:
        """Called before each request; raises where it may not be sent."""
        ...

    def sent(self, outcome: RequestOutcome) -> None:
        """Called after each request."""
        ...


METER: ContextVar[Meter | None] = ContextVar("METER", default=None)
"""Who keeps account of the requests of the current thread; None: nobody."""
