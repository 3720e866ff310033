"""The download of Tahoe-100M at one dose, and the atlas that is built from it."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.count_source import Progress
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.errors import InputError
from pages.shared.job_queue import HEAVY
from pages.shared.shared_job import SharedJob

NAME, DOSE_UM = "tahoe", 5.0
"""The atlas, and the dose whose plates are fetched."""


class TahoeFetch(SharedJob):
    """Fetches the plates of one dose into a home, and builds the atlas from them."""

    def __init__(self, home: Path) -> None:
        super().__init__(NAME, self._make)
        self.home = home

    def _make(self, progress: Progress) -> Path:
        from lgr_core.atlas.download import fetch_files  # noqa: PLC0415 - a third of a second
        from lgr_core.atlas.tahoe_plates import choose_plates, tahoe_files  # noqa: PLC0415 - as above

        folder, atlas = self.home / "downloads" / NAME, self.home / "atlases" / NAME
        fetch_files(tahoe_files(choose_plates([], [DOSE_UM])), folder, progress=progress)
        with HEAVY.turn(lambda ahead: progress("waiting", 0, ahead)):
            try:
                return ingest(
                    folder, atlas, options=IngestOptions(doses=(DOSE_UM,)), progress=progress
                )
            except InputError:
                if atlas.exists():  # built in a shell meanwhile
                    return atlas
                raise
