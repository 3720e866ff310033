"""JSON lines in a file that several processes append to and any of them may be killed."""

from __future__ import annotations

import fcntl
import json
import logging
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

_STEP = 65_536


def append_line(path: Path, line: str) -> tuple[int, int]:
    """Append one JSON line under a lock; returns where it starts and its length in bytes.

    A last line that an earlier writer left without its end is completed if it is whole, else cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = line.encode() + b"\n"
    with path.open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _mend(file)
        start = file.seek(0, 2)
        file.write(data)
    return start, len(data)


def _mend(file: BinaryIO) -> None:
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
        file.write(b"\n")


def _last_line(file: BinaryIO, size: int) -> bytes:
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
