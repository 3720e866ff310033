"""Folders that appear whole or not at all: built aside, swapped by renames, tidied after kills."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgr_core.errors import InputError

BUILDING, REPLACED = ".building", ".replaced"


@contextmanager
def built_aside(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """An empty folder to build in; at the end of the block it takes the place of ``folder``.

    If the block fails, what was built is removed and the old folder stays. What a killed build left
    behind is removed first.

    Raises
    ------
    InputError
        If ``folder`` exists and may not be replaced, now or when the build is done.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _locked(folder.parent):
        _tidy(folder.parent)
        _check_free(folder, overwrite=overwrite)
        aside = _beside(folder, BUILDING)
        aside.mkdir()
    try:
        yield aside
        with _locked(folder.parent):
            _check_free(folder, overwrite=overwrite)
            _swap(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def _swap(aside: Path, folder: Path) -> None:
    """Put the finished folder in place; if that fails the old one returns."""
    if not folder.exists():
        aside.rename(folder)
        return
    old = _beside(folder, REPLACED)
    folder.rename(old)
    try:
        aside.rename(folder)
    except BaseException:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _tidy(parent: Path) -> None:
    """Remove what dead processes left; an old folder whose successor never came returns."""
    for path in [*parent.glob(f"{REPLACED}-*"), *parent.glob(f"{BUILDING}-*")]:
        kind, pid, _, name = (*path.name[1:].split("-", 3), "", "", "")[:4]
        if not (name and pid.isdigit()) or _is_alive(int(pid)):
            continue
        if f".{kind}" == REPLACED and not (parent / name).exists():
            path.rename(parent / name)
        else:
            shutil.rmtree(path, ignore_errors=True)


def _beside(folder: Path, kind: str) -> Path:
    return folder.parent / f"{kind}-{os.getpid()}-{uuid.uuid4().hex[:8]}-{folder.name}"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _check_free(folder: Path, *, overwrite: bool) -> None:
    if folder.exists() and not overwrite:
        raise InputError(f"atlas {folder.name!r}", "it exists already", "Add --overwrite.")


@contextmanager
def _locked(parent: Path) -> Iterator[None]:
    with (parent / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
