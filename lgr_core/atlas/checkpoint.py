"""Checkpoints of an ingest: partial sums in a folder named by a digest of source and options.

It stands beside the atlas, named for it and for a digest of source and options, and is removed when
the atlas is built. What other options or another source left under the atlas's name is removed too.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path

import numpy as np

from lgr_core.atlas.atomic_folder import is_alive
from lgr_core.atlas.count_source import CountBlocks
from lgr_core.errors import InputError, NotCountsError
from lgr_core.files import remove_unfinished, try_lock

log = logging.getLogger(__name__)

PARTIAL = ".partial"
_ALIVE = ".alive"
_DIGITS = 16
_ABANDONED_S = 14 * 24 * 3600
"""Folders of any atlas that nobody went on with for two weeks are removed."""

FORM = 1
"""Of the partial sums: raised when sums of an older version may not be gone on with."""


@contextmanager
def checkpoint_folder(folder: Path, digest: str) -> Iterator[Path]:
    """The checkpoint folder of the atlas ``folder``, which stays if the block fails.

    Where the block ends well, or the source holds no counts, it is removed.

    Raises
    ------
    InputError
        Another process is at it.
    """
    place = folder.parent / f"{PARTIAL}-{folder.name}-{digest[:_DIGITS]}"
    _clean_up(folder, place)
    place.mkdir(parents=True, exist_ok=True)
    with (place / _ALIVE).open("w") as file:
        if not try_lock(file):
            found = "another process is ingesting the same into it"
            raise InputError(f"atlas {folder.name!r}", found, "Wait for it, or end it.")
        remove_unfinished(place)
        try:
            yield place
        except NotCountsError:
            shutil.rmtree(place, ignore_errors=True)
            raise
        except KeyboardInterrupt:
            log.warning("partial sums are kept: the same command goes on with them")
            raise
        shutil.rmtree(place, ignore_errors=True)


def forget(folder: Path) -> None:
    """Remove unfinished checkpoints of the atlas ``folder``, unless a process is using them."""
    for path in folder.parent.glob(f"{PARTIAL}-{folder.name}-{'?' * _DIGITS}"):
        if not is_alive(path):
            shutil.rmtree(path, ignore_errors=True)


def remove_abandoned(atlases: Path, keep: Path | None = None) -> None:
    """Remove checkpoints of any atlas that nobody went on with for two weeks, but ``keep``."""
    for path in atlases.glob(f"{PARTIAL}-*"):
        with suppress(FileNotFoundError):  # another process removes it as well
            old = time.time() - path.stat().st_mtime > _ABANDONED_S
            if old and path != keep and not is_alive(path):
                shutil.rmtree(path, ignore_errors=True)


def _clean_up(folder: Path, place: Path) -> None:
    """Remove checkpoints of another source or other options, and those that are too old."""
    remove_abandoned(folder.parent, keep=place)
    for path in folder.parent.glob(f"{PARTIAL}-{folder.name}-{'?' * _DIGITS}"):
        if path != place and not is_alive(path):
            shutil.rmtree(path, ignore_errors=True)


def digest_of(source: CountBlocks, files: Sequence[Path], asked: str) -> str:
    """A digest of all that partial sums depend on: files, rows read and options."""
    digest = hashlib.sha256()
    stats = [(str(file.absolute()), *stamp(file)) for file in files]
    facts = {"form": FORM, "version": version("lgr-explorer"), "files": stats, "asked": asked}
    digest.update(json.dumps(facts).encode())
    digest.update("\n".join(source.genes["gene"]).encode())
    for name in ("cell_line", "drug", "plate"):
        column = source.obs[name].cat
        digest.update("\n".join(map(str, column.categories)).encode())
        digest.update(np.ascontiguousarray(column.codes).data)
    for name in ("dose_um", "is_control"):
        digest.update(np.ascontiguousarray(source.obs[name]).data)
    return digest.hexdigest()


def stamp(file: Path) -> tuple[int, int]:
    """Size and modification time of a file, by which a changed file is recognised."""
    found = file.stat()
    return found.st_size, found.st_mtime_ns
