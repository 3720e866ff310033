"""One question is put by one asker at a time, whichever process that is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgr_core.llm.locked_jsonl import locked


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold a lock file while the body runs; waits for another thread or process that holds it.

    The lock dies with its process: a file that a kill left behind holds nobody up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path):
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
