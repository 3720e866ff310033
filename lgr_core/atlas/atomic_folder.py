"""Atomic replacement of atlas folders: built beside the target, swapped by renames.

Who reads one while it is swapped reads all of the old one or all of the new one.
"""

from __future__ import annotations

import os
import shutil
import uuid
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from lgr_core.errors import InputError, LgrError
from lgr_core.files import lock, locked, remove, try_lock

INDEX = "index.duckdb"
"""The file by which a folder is known as an atlas."""

SCHEMA_VERSION = 2
"""What an atlas holds and how; one of another version is refused."""

DELTAS, PANEL, PROFILES = "deltas", "panel", "profiles"
_STORED = (DELTAS, PANEL, "plate_deltas", "controls", PROFILES, "fingerprints")
_MATRICES = {f"{name}.npy" for name in _STORED}
_ATLAS_FILES = frozenset({INDEX, f"{INDEX}.wal"} | _MATRICES)
"""All that an atlas folder holds: nothing else in it is ever removed."""

BUILDING, REPLACED = ".building", ".replaced"
_MAX_NAMED = 5
_LOCK, _ALIVE = ".lock", ".alive"

T = TypeVar("T")


@contextmanager
def atomic_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """An empty folder to build in; at the end of the block it takes the place of ``folder``.

    If the block fails, what was built is removed and the old folder stays. What a killed build left
    behind is removed first. A builder holds a lock in its folder for as long as it lives, so that
    others, in other containers and on other machines too, leave it alone.

    Raises
    ------
    InputError
        If ``folder`` exists and may not be replaced, now or when the build is done.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as resources:
        with locked(folder.parent / _LOCK):
            _clean_up(folder.parent)
            check_free(folder, overwrite=overwrite)
            aside = _beside(folder, BUILDING)
            aside.mkdir()
            resources.enter_context(locked(aside / _ALIVE))
        try:
            yield aside
            with locked(folder.parent / _LOCK):
                check_free(folder, overwrite=overwrite)
                (aside / _ALIVE).unlink()
                _swap(aside, folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise


class LockedFolder:
    """A temporary folder, ``path``, removed when its owner closes it, drops it or dies.

    A lock in it, as a builder's, says that the owner lives; what the dead left behind is removed
    when the next one is made beside it.
    """

    def __init__(self, parent: Path, kind: str) -> None:
        parent.mkdir(parents=True, exist_ok=True)
        resources = ExitStack()
        with locked(parent / _LOCK):
            for left in parent.glob(f"{kind}-*"):
                if not is_alive(left):
                    remove(left)
            self.path = parent / f"{kind}-{uuid.uuid4().hex}"
            self.path.mkdir(mode=0o700)
            resources.enter_context(locked(self.path / _ALIVE))
        self._end = weakref.finalize(self, _release, resources, self.path)

    def close(self) -> None:
        """Remove the folder now; a second call does nothing."""
        self._end()


def check_free(folder: Path, *, overwrite: bool) -> None:
    """Raise InputError if ``folder`` is there and may not be replaced.

    Only an atlas may, and only if nothing of somebody else's lies in its folder. Of a link, what
    it leads to stays anyway.
    """
    if not _exists(folder):
        return
    if not (folder / INDEX).is_file():
        found = f"something is there that is no atlas (it holds no {INDEX})"
        raise InputError(f"atlas {folder.name!r}", found, "Choose another name, or move it away.")
    if not overwrite:
        raise InputError(f"atlas {folder.name!r}", "it exists already", "Add --overwrite.")
    if folder.is_symlink():
        return
    strange = sorted({path.name for path in folder.iterdir()} - _ATLAS_FILES)
    if strange:
        more = f" and {len(strange) - _MAX_NAMED} more" if len(strange) > _MAX_NAMED else ""
        found = f"its folder also holds {', '.join(strange[:_MAX_NAMED])}{more}, no part of it"
        raise InputError(f"atlas {folder.name!r}", found, f"Move that out of {folder} first.")


def check_space(folder: Path, needed: int) -> None:
    """Raise InputError if the disk of ``folder`` has fewer than ``needed`` bytes left."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        found = f"the atlas takes {needed / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free"
        do = "Make room there, or set LGR_HOME to another disk."
        raise InputError(f"disk of {folder}", found, do)


def read_consistent(folder: Path, read: Callable[[], T]) -> T:
    """The result of ``read()`` on the files in ``folder``, all of one build.

    If that fails, or ``folder`` is another one afterwards, it is read once more while swaps wait.

    Raises
    ------
    InputError
        If ``folder`` was replaced all the same.
    """
    try:
        return _read_once(folder, read)
    except (LgrError, OSError):
        with _swaps_blocked(folder.parent):
            return _read_once(folder, read)


def _read_once(folder: Path, read: Callable[[], T]) -> T:
    """Read, and check that ``folder`` is the same after: while open, its inode is not reused."""
    with ExitStack() as stack:
        try:
            handle = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, handle)
        except (OSError, ValueError):
            handle = None
        found = read()
        if handle is None or not _is_at(handle, folder):
            do = "Open it again."
            raise InputError(f"atlas {folder.name!r}", "it was replaced while it was read", do)
        return found


def _release(resources: ExitStack, path: Path) -> None:
    remove(path)
    resources.close()


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), folder.stat())
    except FileNotFoundError:
        return False


def _swap(aside: Path, folder: Path) -> None:
    """Put the finished folder in place; if that fails, restore the old one."""
    if not _exists(folder):
        aside.rename(folder)
        return
    old = _beside(folder, REPLACED)
    folder.rename(old)
    try:
        aside.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    remove(old)


def _clean_up(parent: Path) -> None:
    """Remove what killed builders left, and restore an old folder that was never replaced."""
    for path in [*parent.glob(f"{REPLACED}-*"), *parent.glob(f"{BUILDING}-*")]:
        kind, pid, _, name = (*path.name[1:].split("-", 3), "", "", "")[:4]
        if not (name and pid.isdigit()) or is_alive(path):
            continue
        if f".{kind}" == REPLACED and not _exists(parent / name):
            path.rename(parent / name)
        else:
            remove(path)


def is_alive(aside: Path) -> bool:
    """Whether the builder of that folder holds its lock; True where that cannot be checked."""
    try:
        with (aside / _ALIVE).open("r+") as file:
            return not try_lock(file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def _exists(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _beside(folder: Path, kind: str) -> Path:
    return folder.parent / f"{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}-{folder.name}"


@contextmanager
def _swaps_blocked(parent: Path) -> Iterator[None]:
    """Block swaps of folders in ``parent``; without a lock file there are no builders to block."""
    with ExitStack() as stack:
        with suppress(OSError):
            lock(stack.enter_context(_open_lock(parent / _LOCK)))
        yield


def _open_lock(path: Path) -> IO[bytes]:
    """The lock file, read-only if need be; network file systems lock only what may be written."""
    try:
        return path.open("r+b")
    except PermissionError:
        return path.open("rb")
