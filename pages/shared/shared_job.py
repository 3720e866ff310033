"""A long job that all visitors of an installation wait for together."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

from lgr_core.atlas.count_source import Progress, StageProgress

Work: TypeAlias = Callable[[Progress], Path]
"""What a job does; it reports its progress and returns the atlas that it made."""


class SharedJob(StageProgress):
    """Runs a job in a thread of its own, so that no visitor's leaving stops it."""

    def __init__(self, name: str, work: Work) -> None:
        super().__init__("starting")
        self._work = work
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._run: Future[Path] | None = None

    @property
    def run(self) -> Future[Path] | None:
        """The run under way, or the last one; None before the first."""
        return self._run

    def start(self) -> Future[Path]:
        """The run under way; a new one if there is none, or the last one failed."""
        with self._lock:
            if self._run is None or (self._run.done() and self._run.exception() is not None):
                self._run = self._pool.submit(self._work, self.report)
            return self._run
