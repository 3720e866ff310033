"""A published form of data, recognised by its files: what they hold and how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.count_source import CountBlocks, ReadOptions, Unit
from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.domain import EMPTY, SharedWells, ValueKind
from lgr_core.errors import InputError


@dataclass(frozen=True, slots=True)
class Form:
    """What a path was recognised as.

    ``value_kind`` is what its numbers are, None: raw counts, or with ``any_kind`` changes of which
    the caller must say the kind. ``files`` are all that is read,
    ``columns``, ``layer`` and ``unit`` what is known of it where the caller says nothing.
    ``read`` gives its changes (called with the lines asked for, none: all), ``open`` its counts
    (called with a path and how it is read); where it has neither, it is read like any other file.
    ``notes`` go to the provenance. ``shared_wells`` says whether the lines of a well are one pooled
    sample.
    """

    name: str
    files: tuple[Path, ...]
    value_kind: ValueKind | None = None
    columns: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    layer: str | None = None
    unit: Unit | None = None
    read: Callable[[tuple[str, ...]], DeltaFile] | None = None
    open: Callable[[Path, ReadOptions], CountBlocks] | None = None
    notes: Mapping[str, Any] = field(default_factory=lambda: EMPTY)
    any_kind: bool = False
    shared_wells: SharedWells = "unknown"


def column_names(path: Path) -> frozenset[str]:
    """The columns of a parquet file; none of any other.

    Raises
    ------
    InputError
        It is called parquet, but cannot be read as it.
    """
    if path.suffix.casefold() != ".parquet" or not path.is_file():
        return frozenset()
    try:
        return frozenset(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as err:
        found = f"it cannot be read as parquet ({' '.join(str(err).split())})"
        raise InputError(
            f"file {path}", found, "It is cut off or damaged: fetch it again."
        ) from err
