"""A published form of data, recognised by its files: what they hold and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lgr_core.atlas.sources.counts import CountSource
from lgr_core.atlas.sources.tables import DeltaFile
from lgr_core.domain import NOTHING, ValueKind


@dataclass(frozen=True, slots=True)
class Form:
    """What a path was recognised as.

    ``value_kind`` is what its numbers are, None: raw counts. ``files`` are all that is read,
    ``columns``, ``layer`` and ``unit`` what is known of it where the caller says nothing.
    ``read`` gives its changes (called with the lines asked for, none: all), ``open`` its counts
    (called as :func:`~lgr_core.atlas.sources.counts.open_counts`); where it has neither, it is
    read like any other file. ``notes`` go to the provenance.
    """

    name: str
    files: tuple[Path, ...]
    value_kind: ValueKind | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    layer: str | None = None
    unit: str | None = None
    read: Callable[[tuple[str, ...]], DeltaFile] | None = None
    open: Callable[..., CountSource] | None = None
    notes: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
