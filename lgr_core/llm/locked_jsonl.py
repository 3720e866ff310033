"""JSON lines in a file that several processes append to and any of them may be killed."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from lgr_core.files import atomic_write_text, lock

log = logging.getLogger(__name__)

_STEP = 65_536


def append_line(path: Path, line: str) -> tuple[int, int]:
    """Append one JSON line under a lock; returns where it starts and its length in bytes.

    A last line that an earlier writer left without its end is completed if it is whole, else cut.

    Raises
    ------
    OSError
        If the disk is full or refuses it; no part of the line is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = line.encode() + b"\n"
    with locked(path) as file:
        _mend(file)
        start = file.seek(0, 2)
        try:
            _write(file, data)
        except OSError:
            file.truncate(start)
            raise
    return start, len(data)


def _write(file: FileIO, data: bytes) -> None:
    """Write all of the data to an unbuffered file, which takes as much at a time as it can."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def remove_lines(path: Path, is_gone: Callable[[str], bool]) -> int:
    """Remove the lines (given without their end) that are gone; returns how many there were.

    What is kept is written aside and swapped in; a file of which nothing is kept is removed.
    """
    with locked(path) as file:
        _mend(file)
        file.seek(0)
        lines = [line for line in file.readall().decode().split("\n") if line.strip()]
        kept = [line for line in lines if not is_gone(line)]
        count = len(lines) - len(kept)
        if not kept:
            path.unlink()
        elif count:
            atomic_write_text(path, "".join(f"{line}\n" for line in kept))
    return count


@contextmanager
def locked(path: Path) -> Iterator[FileIO]:
    """The file under its lock; opened anew where another process has put a new one in its place."""
    while True:
        with path.open("a+b", buffering=0) as file:
            lock(file)
            if _stands_at(file, path):
                yield file
                return


def _stands_at(file: FileIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _mend(file: FileIO) -> None:
    size = file.seek(0, 2)
    last = _last_line(file, size)
    if not last or last.endswith(b"\n"):
        return
    try:
        json.loads(last)
    except ValueError:
        log.warning("%s: a cut last line was removed", file.name)
        file.truncate(size - len(last))
    else:
        _write(file, b"\n")


def _last_line(file: FileIO, size: int) -> bytes:
    """The bytes after the last newline; only the newline itself if the file ends with one."""
    tail = b""
    while size > 0:
        step = min(_STEP, size)
        file.seek(size - step)
        tail = file.read(step) + tail
        size -= step
        if tail.endswith(b"\n"):
            return b"\n"
        if b"\n" in tail:
            return tail[tail.rfind(b"\n") + 1 :]
    return tail
