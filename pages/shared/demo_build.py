"""The build of the demo atlas, which the first visitor of an empty home starts."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.count_source import Progress
from lgr_core.atlas.ingest import ingest_demo
from lgr_core.errors import InputError
from pages.shared.shared_job import SharedJob


class DemoBuild(SharedJob):
    """Builds the demo atlas into a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__("demo", self._build)
        self.folder = folder

    def _build(self, progress: Progress) -> Path:
        try:
            return ingest_demo(self.folder, progress=progress)
        except InputError:
            if self.folder.exists():  # built by another process meanwhile
                return self.folder
            raise
