"""CSV and TSV, read strictly: a row of too few or too many fields is refused, never shifted."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

import pyarrow as pa
import pyarrow.csv

from lgr_core.atlas.sources.table_limits import (
    MOST_COLUMNS,
    check_columns,
    check_packed_size,
)
from lgr_core.errors import InputError

_MOST_HEADER = 8_000_000
"""Letters of a header: as many columns as are read, with room for long names."""

_AT_ONCE = 2**26
"""Bytes parsed together: a row of 20,000 genes must fit."""


def read_delimited(path: Path, is_text: Callable[[str], bool]) -> pa.Table:
    """A table as it stands: columns that ``is_text`` stay text, of the rest numbers are read.

    ``NA``, ``697`` and nothing at all are texts; ``nan`` and ``inf`` are numbers in a column of
    numbers. Names are stripped. The separator is a tab in ``.tsv``, else a comma; ``.gz`` is
    unpacked.

    Raises
    ------
    InputError
        The file cannot be read, is no UTF-8 text, has rows of different lengths or none, or is
        larger than is read: by its columns, or by what it unpacks to.
    """
    separator = "\t" if ".tsv" in path.suffixes[-2:] else ","
    try:
        names = _header(path, separator)
        _check_separator(names, path)
        check_columns(path, len(names))
        check_packed_size(path)
        table = _read(path, separator, {name: pa.string() for name in names if is_text(name)})
    except (OSError, EOFError, zlib.error, ValueError, csv.Error) as err:
        raise InputError(f"file {path}", _said(err), "Check the file.") from err
    for field in table.schema:
        if pa.types.is_binary(field.type):
            found = f"column {field.name!r} holds letters that are not UTF-8"
            raise InputError(f"file {path}", found, "Save it as UTF-8 text.")
    if table.num_rows == 0:
        found = f"it has a header of {len(names):,} columns and no rows"
        raise InputError(f"file {path}", found, "Give at least one row below the header.")
    return table.rename_columns([name.strip() for name in table.column_names])


def check_unique_columns(names: Sequence[str], path: Path) -> None:
    """Refuse columns of one name; which of them is meant nobody knows."""
    twins = sorted(name for name, times in Counter(names).items() if times > 1)
    if twins:
        found = f"several columns are called {', '.join(map(repr, twins))}"
        raise InputError(f"file {path}", found, "Rename or remove all but one.")


def _header(path: Path, separator: str) -> list[str]:
    opened = gzip.open if path.suffix.casefold() == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(_lines(file, path), delimiter=separator), [])


def _lines(file: TextIO, path: Path) -> Iterator[str]:
    """Lines for as long as a header may be; a name in quotes may go over several."""
    left = _MOST_HEADER
    while line := file.readline(left + 1):
        left -= len(line)
        if left < 0:
            found = f"its header is longer than {_MOST_HEADER:,} letters"
            do = f"The limit is {MOST_COLUMNS:,} columns; check that its rows end in line breaks."
            raise InputError(f"file {path}", found, do)
        yield line


def _check_separator(names: list[str], path: Path) -> None:
    """Refuse a header that is one column, because another sign separates its names."""
    signs = {";": "semicolons", "\t": "tabs", ",": "commas"}
    for sign, said in signs.items():
        if len(names) == 1 and sign in names[0]:
            found = f"{said} separate the names in its header"
            raise InputError(f"file {path}", found, "Use commas in .csv and tabs in .tsv.")


def _read(path: Path, separator: str, texts: dict[str, pa.DataType]) -> pa.Table:
    packed = "gzip" if path.suffix.casefold() == ".gz" else None
    with pa.input_stream(str(path), compression=packed) as stream:
        return pyarrow.csv.read_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(use_threads=False, block_size=_AT_ONCE),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=texts, null_values=[]),
        )


def _said(err: Exception) -> str:
    """What is wrong, in words that need no knowledge of the library."""
    if isinstance(err, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(err, EOFError | zlib.error):
        return "it is cut off or damaged"
    said = " ".join(str(err).split())[:200]
    if "Expected" in said and "columns" in said:
        return f"rows differ in length ({said}; the header is row 1)"
    return f"it cannot be read ({said})"
