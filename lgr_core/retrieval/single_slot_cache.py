"""What is large and asked for again and again is kept, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class SingleSlotCache(Generic[T]):
    """What was made last, kept for as long as no other is asked for."""

    def __init__(self) -> None:
        self._kept: tuple[Hashable, T] | None = None

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under that key, or made for it."""
        kept = self._kept  # held: another thread may ask for another meanwhile
        if kept is None or kept[0] != key:
            self._kept = None  # before the next is made: they are large
            kept = self._kept = (key, make())
        return kept[1]
