"""The version of the code that decides a run's numbers, as a digest of its source."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import lgr_core

DECIDING = ("metrics", "drugs", "signatures", "retrieval", "prediction", "evaluation")
"""Packages of the core in which a changed line may change a score."""

_DRAWN = ("figures", "templates")
_DIGITS = 16


@cache
def source_digest() -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the deciding packages' source.

    Names and contents count, in order of name; figures do not. Two commits of one version
    therefore differ where a score may.
    """
    root, found = Path(lgr_core.__file__).parent, hashlib.sha256()
    for package in DECIDING:
        for path in sorted((root / package).rglob("*.py")):
            place = path.relative_to(root)
            if not set(_DRAWN) & set(place.parts):
                found.update(f"{place.as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()[:_DIGITS]
