"""Locks that end with their holder, and files that appear complete or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from filelock import lock_descriptor

_POLL_S = 0.01
"""Between two attempts at a lock: appends take about a millisecond, so waiting stays short."""

_ASIDE = ".part"


def lock(file: IO[Any]) -> None:
    """Lock an open file until it is closed or the process dies; waits for whoever holds it.

    The lock belongs to the open file, not to its name or to the process: a second ``open`` of the
    same path waits, in this process too. A lock file that a killed process left behind is free.
    All locks are exclusive: the few readers that need one hold it for milliseconds.
    """
    lock_descriptor(file.fileno(), poll_interval=_POLL_S)


def try_lock(file: IO[Any]) -> bool:
    """Lock an open file as :func:`lock` does, or return False at once if another holds it."""
    return lock_descriptor(file.fileno(), blocking=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file ``path``, which is made if need be and stays; its folder must exist."""
    with path.open("w") as file:
        lock(file)
        yield


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A free path beside ``path``; what is written there takes its place after the block.

    It may become a file or a folder. If the block fails, it is removed and ``path`` stays as it
    was. A folder that is replaced is removed first: a rename cannot replace one that is not empty.
    """
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}{_ASIDE}")
    try:
        yield aside
        if aside.is_dir() and path.is_dir():
            shutil.rmtree(path)
        aside.replace(path)
    except BaseException:
        remove(aside)
        raise


def atomic_write_text(path: Path, text: str) -> None:
    """Write ``text`` in UTF-8 to a file that appears complete or not at all."""
    with atomic_write(path) as aside:
        aside.write_text(text, encoding="utf-8")


def remove_unfinished(folder: Path) -> None:
    """Remove what :func:`atomic_write` left in ``folder`` when a process was killed."""
    for path in folder.glob(f".*{_ASIDE}"):
        remove(path)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; what is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def flush_to_disk(path: Path) -> None:
    """Wait until the system has written a file to the disk, so that a power cut spares it."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())
