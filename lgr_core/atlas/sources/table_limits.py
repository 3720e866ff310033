"""Limits of parquet, CSV and TSV files, checked before anything is allocated for their columns."""

from __future__ import annotations

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.errors import InputError

MOST_COLUMNS = 100_000
"""Of a table: no assay names as many genes, and each column costs kilobytes before its values."""

MOST_FOOTER = 100_000_000
"""Bytes of a parquet's metadata, which are read whole before its columns are known."""

MOST_UNPACKED = 2_000_000_000
"""Bytes that any table packed with gzip may unpack to."""

USUAL_PACKING = 50
"""A larger table is read too if it unpacks to at most this many times its packed size."""

_BEST_PACKING = 1_032
"""No gzip packs better."""

_TAIL = 8
"""Bytes at the end of a parquet: the length of its metadata, and ``PAR1``."""

_STEP = 1_000_000


def check_columns(path: Path, n_columns: int) -> None:
    """Refuse a table of more columns than are read.

    Raises
    ------
    InputError
        With their number and the limit.
    """
    if n_columns > MOST_COLUMNS:
        found = f"it has {n_columns:,} columns; the limit is {MOST_COLUMNS:,}"
        do = "Leave out columns that are no genes; a table of one row a gene is turned first."
        raise InputError(f"file {path}", found, do)


def check_parquet_width(path: Path) -> None:
    """Refuse a parquet of too many columns, by its metadata; any other file is let pass.

    Raises
    ------
    InputError
        With what it has and the limit. A damaged file is for its reader to refuse.
    """
    if path.suffix.casefold() != ".parquet" or not path.is_file():
        return
    with path.open("rb") as file:
        file.seek(max(path.stat().st_size - _TAIL, 0))
        length = int.from_bytes(file.read(4), "little")
        if file.read(4) != b"PAR1":
            return
    if length > MOST_FOOTER:
        found = f"its metadata fill {length:,} bytes; the limit is {MOST_FOOTER:,}"
        raise InputError(f"file {path}", found, "Write it with fewer columns or row groups.")
    try:
        about = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return
    check_columns(path, about.num_columns)


def check_packed_size(path: Path) -> None:
    """Refuse a table packed with gzip that unpacks to more than tables do; others are let pass.

    It is unpacked by the megabyte and not kept.

    Raises
    ------
    InputError
        With the limit. OSError, EOFError and ``zlib.error`` of a damaged file are its reader's.
    """
    size = path.stat().st_size
    most = max(MOST_UNPACKED, USUAL_PACKING * size)
    if path.suffix.casefold() != ".gz" or size * _BEST_PACKING <= most:
        return
    unpacked = 0
    with gzip.open(path) as file:
        while part := file.read(_STEP):
            unpacked += len(part)
            if unpacked > most:
                found = f"its {size:,} bytes unpack to more than {most / 1e6:,.0f} MB"
                raise InputError(f"file {path}", found, "Check it: gunzip -c FILE | head.")
