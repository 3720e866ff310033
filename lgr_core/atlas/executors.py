"""Who carries out the tasks: threads, processes of this machine, or a Dask cluster.

All three are ``concurrent.futures`` executors; the tasks write files, so that the order does not
matter and a task may be carried out twice.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from lgr_core.atlas.count_source import Progress
from lgr_core.atlas.partial_sums import ShardTask, execute, is_done
from lgr_core.errors import InputError, ServiceError, UsageError

log = logging.getLogger(__name__)

_WAITING = 2
"""Tasks handed out for each worker: the next is there when one is done."""

_CONNECT_S = 10

_PROCESS_FROM = 400_000
"""Rows from which it pays to start processes, each of which imports all this anew: some seconds."""


@dataclass(frozen=True, slots=True)
class ExecutorConfig:
    """How many work, and where.

    ``workers`` None is as many as there are cores. With ``processes`` they are processes where
    there is much to do, else threads of this one. ``scheduler`` is the address of a Dask scheduler,
    whose workers must see the same files under the same paths; ``workers`` is then not used.
    """

    workers: int | None = None
    processes: bool = False
    scheduler: str | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and self.workers < 1:
            found = f"{self.workers} workers do no work"
            raise UsageError("workers", found, "Give a number of 1 or more.")
        if self.workers is not None and self.scheduler is not None:
            found = "the workers are the scheduler's"
            raise UsageError("--workers", found, "Leave it out, or leave out --scheduler.")


def execute_all(
    tasks: Sequence[ShardTask], executor: ExecutorConfig, progress: Progress | None = None
) -> None:
    """Carry out those tasks whose partial sums are not there.

    Raises
    ------
    InputError
        A task failed, or a process ended.
    UsageError
        There is no Dask.
    ServiceError
        The scheduler cannot be reached, or lost its workers.
    """
    total = sum(len(task.groups) for task in tasks)
    todo = [task for task in tasks if not is_done(task.path)]
    done = total - sum(len(task.groups) for task in todo)
    if len(todo) < len(tasks):
        message = "going on: %d of %d shards were summed before"
        log.warning(message, len(tasks) - len(todo), len(tasks))
    if progress is not None and done:
        progress("counts", done, total)
    for n in _results(todo, executor):
        done += n
        if progress is not None:
            progress("counts", done, total)


def _results(tasks: Sequence[ShardTask], executor: ExecutorConfig) -> Iterator[int]:
    """Rows of each task as it is done."""
    if not tasks:
        return
    left, running = iter(tasks), set[Future[int]]()
    with _executor(tasks, executor) as (pool, n_workers):
        try:
            for task in left:
                running.add(pool.submit(execute, task))
                if len(running) >= n_workers * _WAITING:
                    yield from _some(running)
            while running:
                yield from _some(running)
        except BrokenProcessPool as err:
            do = "Give fewer --workers; run again, it goes on where it was."
            raise InputError("ingest", "a process ended, perhaps out of memory", do) from err
        finally:
            for future in running:
                future.cancel()


def _some(running: set[Future[int]]) -> Iterator[int]:
    """Wait for one at least, and take out all that are done."""
    done, left = wait(running, return_when=FIRST_COMPLETED)
    running.intersection_update(left)
    yield from (future.result() for future in done)


@contextmanager
def _executor(
    tasks: Sequence[ShardTask], executor: ExecutorConfig
) -> Iterator[tuple[Executor, int]]:
    """The executor, and how many tasks it works on at once."""
    if executor.scheduler is not None:
        with _dask(executor.scheduler) as found:
            yield found
        return
    n = min(len(tasks), (os.cpu_count() or 1) if executor.workers is None else executor.workers)
    much = sum(len(task.groups) for task in tasks) >= _PROCESS_FROM
    if executor.processes and much and n > 1:
        context = multiprocessing.get_context("spawn")
        pool: Executor = ProcessPoolExecutor(n, context, _live_with_parent)
    else:
        pool = ThreadPoolExecutor(n)
    with pool:
        yield pool, n


def _live_with_parent() -> None:
    """A worker process leaves Ctrl-C to its parent, and ends when that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _dask(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client  # noqa: PLC0415 - optional
    except ModuleNotFoundError as err:
        found = "Dask is not installed"
        raise UsageError("--scheduler", found, "pip install -r requirements-scale.txt") from err
    try:
        client = Client(address, set_as_default=False, timeout=_CONNECT_S)
    except (OSError, ValueError, ImportError) as err:
        found = f"it cannot be reached ({' '.join(str(err).split())})"
        do = "Start one with dask scheduler, and workers with dask worker ADDRESS."
        raise ServiceError(f"Dask scheduler {address}", found, do) from err
    with client:
        n = sum(client.ncores().values())
        if n == 0:
            found, do = "it has no workers", f"Start some: dask worker {address}"
            raise ServiceError(f"Dask scheduler {address}", found, do)
        with client.get_executor(pure=False) as pool:
            yield pool, n
