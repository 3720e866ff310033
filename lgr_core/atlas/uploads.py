"""Uploaded files, stored under safe names until they are ingested or dropped.

Nothing of them is read in this process: see :meth:`Upload.read`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TypeVar

from lgr_core.atlas.atomic_folder import LockedFolder
from lgr_core.atlas.sources.untrusted_hdf5 import check_no_external_links
from lgr_core.errors import InputError, LgrError, ServiceError, UsageError
from lgr_core.processes import LimitedProcesses, ProcessLimits

READERS = LimitedProcesses()
"""Where files from visitors are read."""

ENDINGS = (".h5ad", ".parquet", ".csv", ".tsv")
"""Formats that are taken; packed ones are not: nobody knows how large they become."""

COMPANIONS = ("drugs", "cell_lines")
"""Tables of annotations that may come along."""

ROOM = 3
"""A file is taken where the disk has this many times its size: an atlas is made of it."""

_READ_BY_NAME = re.compile(r"plate_plate\d{1,2}\.parquet")
"""Published files whose name is a part of what they say."""

T = TypeVar("T")

_KIND = "upload"
_LONGEST = 120


class Upload:
    """An uploaded file with its annotation tables, removed when it is no longer referenced.

    ``name`` is what the visitor calls it: it is shown, and never a path. ``path`` is where it lies,
    ``size`` its bytes. While it is ``busy``, an ingest reads it, and nobody can remove it.
    """

    def __init__(self, folder: LockedFolder, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.size = path.stat().st_size
        self.companions: dict[str, Path] = {}
        self.busy = False
        self._folder = folder

    def add(self, role: str, source: BinaryIO) -> None:
        """Store a CSV of annotations, ``drugs`` or ``cell_lines``, in place of an earlier one."""
        if role not in COMPANIONS:
            raise UsageError("annotations", f"{role!r} is unknown", f"One of {COMPANIONS}.")
        path = self._folder.path / f"{role}.csv"
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
        self.companions[role] = path

    def drop(self, role: str) -> None:
        """Remove that table of annotations."""
        path = self.companions.pop(role, None)
        if path is not None:
            path.unlink(missing_ok=True)

    def public_error(self, error: LgrError) -> LgrError:
        """The error with the visitor's file name in place of the server's path."""
        return error.reworded(self.public_text)

    def public_text(self, text: str) -> str:
        """A sentence with the visitor's file name in place of the server's path."""
        for path in self.companions.values():
            text = text.replace(str(path), path.name)
        return text.replace(str(self.path), self.name)

    def read(
        self,
        function: Callable[..., T],
        *args: object,
        report: Callable[..., None] | None = None,
        **named: object,
    ) -> T:
        """The result of ``function(path, ...)``, called where it can do no harm.

        ``report`` repeats what it reports by its keyword ``progress``.

        Raises
        ------
        LgrError
            What it raised, or that reading the file takes more memory or time than it may; with
            the visitor's file name.
        """
        limits, what = ProcessLimits.of_uploads(), f"file {self.name}"
        try:
            return READERS.call(what, limits, function, self.path, *args, report=report, **named)
        except LgrError as err:
            raise self.public_error(err) from err

    def unreadable(self, error: Exception) -> InputError:
        """The error to show for an unexpected failure, whose details go to the log."""
        found = f"it cannot be made into an atlas ({type(error).__name__})"
        return InputError(f"file {self.name}", found, "Check the file; nothing was built of it.")

    def close(self) -> None:
        """Remove it now, unless it is busy."""
        if not self.busy:
            self._folder.close()


def receive(source: BinaryIO, name: str, size: int, folder: Path) -> Upload:
    """Store an upload of ``size`` bytes in ``folder``, and remove those of servers that died.

    Raises
    ------
    InputError
        Its ending is none that is taken, it is empty, or it would read other files of this machine.
    ServiceError
        The disk cannot hold it and an atlas made of it.
    """
    name = " ".join(name.split())[-_LONGEST:]
    ending = next((end for end in ENDINGS if name.casefold().endswith(end)), None)
    if ending is None:
        found = "it is called like none that can be read"
        raise InputError(f"file {name}", found, f"Give a file that ends in {', '.join(ENDINGS)}.")
    if size == 0:
        raise InputError(f"file {name}", "it is empty", "Choose another one.")
    try:
        locked_folder = LockedFolder(folder, _KIND)
    except OSError as err:
        raise _storage_error(name, err) from err
    try:
        _check_room(folder, name, size)
        path = locked_folder.path / (name if _READ_BY_NAME.fullmatch(name) else f"upload{ending}")
        with path.open("wb") as file:
            shutil.copyfileobj(source, file)
        upload = Upload(locked_folder, name, path)
        if ending == ".h5ad":
            upload.read(check_no_external_links)
    except OSError as err:
        locked_folder.close()
        raise _storage_error(name, err) from err
    except LgrError:
        locked_folder.close()
        raise
    return upload


def _storage_error(name: str, err: OSError) -> ServiceError:
    found = f"it cannot be kept ({err.strerror})"
    return ServiceError(f"file {name}", found, "Tell whoever runs this server.")


def _check_room(folder: Path, name: str, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < ROOM * size:
        found = f"this server has {free / 1e6:,.0f} MB left, it needs {ROOM * size / 1e6:,.0f} MB"
        raise ServiceError(f"file {name}", found, "Tell whoever runs this server.")
