"""A queue of ingest jobs for uploaded files, one at a time."""

from __future__ import annotations

import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgr_core.atlas.atomic_folder import LockedFolder
from lgr_core.atlas.build import check_name
from lgr_core.atlas.checkpoint import forget
from lgr_core.atlas.count_source import StageProgress
from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.uploads import Upload
from lgr_core.errors import InputError, LgrError

log = logging.getLogger(__name__)

RESERVED = "demo"
"""The name of the simulated atlas that an empty installation builds."""

_MAX_FINISHED = 200
"""Finished jobs that can still be asked for."""


@dataclass(slots=True, eq=False, kw_only=True)
class IngestJob(StageProgress):
    """One ingest: its progress, and its error if it failed; ``folder`` gets the atlas."""

    name: str
    source: str
    folder: Path
    ended: bool = False
    error: LgrError | None = None

    def report(self, stage: str, done: int, total: int) -> None:
        """Record the progress; once all counts are read, the rest is one stage."""
        read = stage == "counts" and done >= total
        StageProgress.report(self, "writing the atlas" if read else stage, done, total)


class IngestJobs:
    """The queue of one folder of atlases; a job outlives the session that started it.

    With ``apart`` files are read in a limited process, see :meth:`Upload.read`.
    """

    def __init__(self, folder: Path, *, apart: bool = False) -> None:
        self.folder, self._apart = folder, apart
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._jobs: dict[str, IngestJob] = {}

    def start(
        self,
        upload: Upload,
        name: str,
        options: IngestOptions,
        *,
        simulated: bool = False,
        visit: LockedFolder | None = None,
    ) -> str:
        """Queue a job; returns the key to find it by.

        An upload that became an atlas is removed; one that did not stays with who holds it. The
        atlas goes into the folder of a ``visit``, if one is given, which stays while it is built.

        Raises
        ------
        LgrError
            If the name cannot be had, or the upload is on its way already.
        """
        with self._lock:
            folder = self.folder if visit is None else visit.path
            self.check_free(name, folder)
            if upload.busy:
                do = "Wait for that; to have it twice, send it again."
                raise InputError(f"file {upload.name}", "it is being made into an atlas", do)
            job = IngestJob(name=name, source=upload.name, folder=folder)
            key = uuid.uuid4().hex
            self._forget()
            self._jobs[key], upload.busy = job, True
            self._pool.submit(self._run, job, upload, options, simulated=simulated, visit=visit)
        return key

    def find(self, key: str) -> IngestJob | None:
        """The job of that key; None if it is not remembered."""
        return self._jobs.get(key)

    def check_free(self, name: str, folder: Path | None = None) -> None:
        """Refuse a name that cannot be that of a new atlas, here or in the ``folder`` of a visit.

        Raises
        ------
        UsageError
            If it is no plain name.
        InputError
            If an atlas has it, or gets it, or the demo will.
        """
        check_name(name)
        do = "Choose another name."
        if name == RESERVED:
            raise InputError(f"atlas {name!r}", "that is the name of the simulated atlas", do)
        folder = self.folder if folder is None else folder
        if (self.folder / name).exists() or (folder / name).exists():
            raise InputError(f"atlas {name!r}", "it exists already, and stays as it is", do)
        building = [job for job in self._jobs.values() if not job.ended and job.name == name]
        if any(job.folder in {self.folder, folder} for job in building):
            raise InputError(f"atlas {name!r}", "one of that name is being built", do)

    def waiting(self, job: IngestJob) -> int:
        """How many unfinished jobs are ahead of it."""
        before = list(self._jobs.values())
        return sum(not other.ended for other in before[: before.index(job)])

    def _run(
        self,
        job: IngestJob,
        upload: Upload,
        options: IngestOptions,
        *,
        simulated: bool,
        visit: LockedFolder | None,  # noqa: ARG002 - its folder stays while it is referred to
    ) -> None:
        """Run the job; a failure is stored as a new error, whose traceback holds no frames."""
        job.report("reading the file", 0, 1)
        choices: dict[str, Any] = {
            "options": options,
            "drugs": upload.companions.get("drugs"),
            "cell_lines": upload.companions.get("cell_lines"),
            "simulated": simulated,
            "notes": {"source": upload.name, "uploaded": True},
        }
        try:
            if self._apart:
                upload.read(ingest, job.folder / job.name, report=job.report, **choices)
            else:
                ingest(upload.path, job.folder / job.name, progress=job.report, **choices)
        except LgrError as err:
            job.error = upload.public_error(err)
        except Exception as err:
            log.exception("the upload of atlas %s failed", job.name)
            job.error = upload.unreadable(err)
        finally:
            upload.busy = False
            if job.error is None:
                upload.close()
            else:
                forget(job.folder / job.name)
            job.ended = True

    def _forget(self) -> None:
        """Drop the oldest finished jobs."""
        finished = [key for key, job in self._jobs.items() if job.ended]
        for key in finished[: max(len(self._jobs) - _MAX_FINISHED, 0)]:
            del self._jobs[key]
