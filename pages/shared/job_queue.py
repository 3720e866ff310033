"""Heavy computations of all visitors take turns, so that plain pages are answered meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import streamlit as st

from lgr_core.config import Settings
from pages.shared import pieces
from pages.shared.words import count

T = TypeVar("T")

_POLL_S = 0.2


class JobQueue:
    """A queue, first come, first served; ``at_once`` jobs run at a time."""

    def __init__(self, at_once: Callable[[], int]) -> None:
        self._at_once = at_once
        self._lock = threading.Lock()
        self._jobs: list[object] = []

    @contextmanager
    def turn(self, tell: Callable[[int], None]) -> Iterator[None]:
        """Wait for a turn, and keep it for the block.

        ``tell`` is called with the number of jobs ahead, again and again while there are any; what
        it raises ends the wait.
        """
        job = object()
        with self._lock:
            self._jobs.append(job)
        try:
            while ahead := self._ahead(job):
                tell(ahead)
                time.sleep(_POLL_S)
            yield
        finally:
            with self._lock:
                self._jobs.remove(job)

    def _ahead(self, job: object) -> int:
        """Jobs that must end before this one may begin."""
        with self._lock:
            return max(self._jobs.index(job) + 1 - self._at_once(), 0)


class Remembered(Generic[T]):
    """A value that the first who asks for it computes; all others get it without a wait."""

    def __init__(self) -> None:
        self._values: list[T] = []

    def get(self, compute: Callable[[], T]) -> T:
        """The value, computed in a turn; an error is not remembered."""
        if self._values:
            return self._values[0]
        with shown_turn(HEAVY):
            return self.now(compute)

    def now(self, compute: Callable[[], T]) -> T:
        """The value for who has a turn already."""
        if not self._values:
            self._values.append(compute())
        return self._values[0]


@contextmanager
def shown_turn(queue: JobQueue) -> Iterator[None]:
    """A turn of the visitor whose page this is; their place stands on it while they wait."""
    place = st.empty()

    def tell(ahead: int) -> None:
        words = f"Waiting for {count(ahead, 'computation')} of other visitors to end."
        place.html(pieces.caption(words))

    with queue.turn(tell):
        place.empty()
        yield


HEAVY = JobQueue(lambda: Settings.from_environment().jobs)
"""Batches, and answers that weigh every measured change."""

READING = JobQueue(lambda: 1)
"""Files that visitors sent: one is read at a time, so that their limits of memory do not add up."""
