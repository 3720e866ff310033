"""The build of the demo atlas, which all visitors of an installation wait for together."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lgr_core.atlas.count_source import StageProgress
from lgr_core.atlas.ingest import ingest_demo
from lgr_core.errors import InputError


class DemoBuild(StageProgress):
    """Builds the demo atlas in a thread of its own, so that no visitor's leaving stops it."""

    def __init__(self, folder: Path) -> None:
        super().__init__("starting")
        self.folder = folder
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="demo")
        self._work: Future[Path] | None = None

    def start(self) -> Future[Path]:
        """The build under way; a new one if there is none, or the last one failed."""
        with self._lock:
            if self._work is None or (self._work.done() and self._work.exception() is not None):
                self._work = self._pool.submit(self._build)
            return self._work

    def _build(self) -> Path:
        try:
            return ingest_demo(self.folder, progress=self.tell)
        except InputError:
            if self.folder.exists():  # built by another process meanwhile
                return self.folder
            raise
