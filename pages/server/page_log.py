"""The log of a server: a line for each question, with its page and how long it took.

What was asked is left out: names of compounds may be confidential, and people paste keys.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lgr_core.config import Settings

FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"

log = logging.getLogger(__name__)


def begin() -> None:
    """Write what this project logs to stderr, from the level that LGR_LOG_LEVEL names.

    Streamlit has a logger of its own, whose level is ``logger.level``.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORM))
    for name in ("lgr_core", "pages"):
        logger = logging.getLogger(name)
        logger.setLevel(Settings.from_environment().log_level)
        logger.handlers[:] = [handler]
        logger.propagate = False


@contextmanager
def begun() -> Iterator[None]:
    """Begin the log, and write no warnings in the block."""
    begin()
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


@contextmanager
def logged(page: str) -> Iterator[None]:
    """Log a run of a page's script, also one that is cut short by the next click."""
    start = time.monotonic()
    try:
        yield
    finally:
        log.info("page %s answered in %.2f s", page, time.monotonic() - start)
