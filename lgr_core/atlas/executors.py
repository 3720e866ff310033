"""Executors of shard tasks: threads, local processes or a Dask cluster.

All three are ``concurrent.futures`` executors; the tasks write files, so that the order does not
matter and a task may be carried out twice.
"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from lgr_core.atlas.count_source import Progress
from lgr_core.atlas.partial_sums import ShardTask, execute, is_done
from lgr_core.errors import ServiceError, UsageError
from lgr_core.processes import broken_pools_as_errors, process_pool

log = logging.getLogger(__name__)

_TASKS_PER_WORKER = 2
"""Tasks handed out for each worker: the next is there when one is done."""

_CONNECT_S = 10

_MIN_CELLS_FOR_PROCESSES = 400_000
"""Rows from which it pays to start processes, each of which imports all this anew: some seconds."""


@dataclass(frozen=True, slots=True)
class ExecutorConfig:
    """The number of workers, and what they are.

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
    """Execute the tasks whose partial sums do not exist yet.

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
    """The number of rows of each task as it completes."""
    if not tasks:
        return
    left, running = iter(tasks), set[Future[int]]()
    with broken_pools_as_errors("ingest"), _executor(tasks, executor) as (pool, n_workers):
        try:
            for task in left:
                running.add(pool.submit(execute, task))
                if len(running) >= n_workers * _TASKS_PER_WORKER:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        finally:
            for future in running:
                future.cancel()


def _finished(running: set[Future[int]]) -> Iterator[int]:
    """Wait for at least one task, and remove all that are done."""
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
    much = sum(len(task.groups) for task in tasks) >= _MIN_CELLS_FOR_PROCESSES
    if executor.processes and much and n > 1:
        pool: Executor = process_pool(n, _ignore_interrupts)
    else:
        pool = ThreadPoolExecutor(n)
    with pool:
        yield pool, n


def _ignore_interrupts() -> None:
    """A worker process leaves Ctrl-C to its parent, which ends the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _dask(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client  # noqa: PLC0415 - optional
    except ModuleNotFoundError as err:
        do = "Install it: pip install 'lgr-explorer[scale]'"
        raise UsageError("--scheduler", "Dask is not installed", do) from err
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
