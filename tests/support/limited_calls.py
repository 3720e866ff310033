"""What tests call in a limited process: each does one thing that a file may make a reader do."""

import os
import time
from types import MappingProxyType

import numpy as np

from lgr_core.errors import InputError


def view(path):
    """What came through, and the key that this process knows of."""
    return MappingProxyType({"path": path, "key": os.environ.get("OPENAI_API_KEY")})


def fill(path, mb):
    """Memory, written to."""
    return float(np.ones(mb * 1_000_000 // 8).sum() * 8 / 1e6)


def crash(path):
    """As a library does on a damaged file."""
    os.abort()


def refuse(path):
    """A fault that is expected."""
    raise InputError(f"file {path}", "it is damaged", "Fetch it again.")


def stumble(path):
    """A fault that nobody expected."""
    raise ZeroDivisionError(path)


def sleep(path, seconds):
    """Longer than anybody waits."""
    time.sleep(seconds)


def count(path, n, progress):
    """Report each step."""
    for i in range(n):
        progress("counting", i + 1, n)
    return os.getpid()
