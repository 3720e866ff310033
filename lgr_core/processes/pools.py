"""Pools of worker processes, for ingest and benchmarks alike."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.context import SpawnContext

from lgr_core.errors import InputError

SPAWN: SpawnContext = multiprocessing.get_context("spawn")
"""Workers are started anew: a fork of a process with threads may hang."""


def process_pool(
    workers: int, start: Callable[..., None] | None = None, args: tuple[object, ...] = ()
) -> ProcessPoolExecutor:
    """Worker processes that end when this one is killed; each calls ``start`` first, if given.

    ``start`` and ``args`` are pickled.
    """
    return ProcessPoolExecutor(workers, SPAWN, _start, (start, args))


@contextmanager
def broken_pools_as_errors(what: str) -> Iterator[None]:
    """Raise the end of a worker process as an error of ours.

    Raises
    ------
    InputError
        A worker ended before its task; ``what`` names the work, which can be resumed.
    """
    try:
        yield
    except BrokenProcessPool as err:
        do = "Give fewer --workers; run again, it goes on where it was left."
        raise InputError(what, "a process ended, perhaps out of memory", do) from err


def end_with_parent() -> None:
    """End this process when its parent has ended; blocks until then.

    Without it, workers of a killed run go on beside those of the next, on the same files.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _start(start: Callable[..., None] | None, args: tuple[object, ...]) -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    if start is not None:
        start(*args)
