"""Several things at a time, never more than asked, drawn only as fast as they are done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from lgr_core.errors import LgrError, UsageError

Item = TypeVar("Item")
Result = TypeVar("Result")

_HEARS = 0.25  # seconds; a lock cannot be relied on to wake for Ctrl-C (SA_RESTART), a timeout can


def bounded_map(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    concurrency: int = 4,
    cancel: threading.Event | None = None,
) -> Iterator[tuple[Item, Result | LgrError]]:
    """Each item with its result, or the LgrError that it ended in, as they are done.

    Once ``cancel`` is set no further item is drawn; what is under way is still finished. A caller
    that breaks off waits for nothing: no item starts any more, and those under way run out. Ctrl-C
    also sets ``cancel``, for whoever else watches it.

    Raises
    ------
    UsageError
        If ``concurrency`` is not positive.
    """
    if concurrency < 1:
        raise UsageError("concurrency", f"{concurrency} at a time", "Give 1 or more.")
    return _mapped(work, iter(items), concurrency, threading.Event() if cancel is None else cancel)


def _mapped(
    work: Callable[[Item], Result],
    items: Iterator[Item],
    concurrency: int,
    cancel: threading.Event,
) -> Iterator[tuple[Item, Result | LgrError]]:
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="lgr")
    running: dict[Future[Result | LgrError], Item] = {}

    def draw() -> None:
        while len(running) < concurrency and not cancel.is_set():
            try:
                item = next(items)
            except StopIteration:
                return
            running[pool.submit(_attempt, work, item)] = item

    try:
        draw()
        while running:
            done, _ = wait(running, _HEARS, FIRST_COMPLETED)
            for future in done:
                item = running.pop(future)
                draw()
                yield item, future.result()
    except KeyboardInterrupt:
        cancel.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _attempt(work: Callable[[Item], Result], item: Item) -> Result | LgrError:
    try:
        return work(item)
    except LgrError as err:
        return err.with_traceback(None)
