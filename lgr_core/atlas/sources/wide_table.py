"""A table of one row a condition and one column a gene, taken apart into metadata and deltas."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from lgr_core.atlas.sources.column_names import is_metadata_name, is_role_name
from lgr_core.atlas.sources.csv_reader import check_unique_columns
from lgr_core.domain import FloatArray
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

_MOSTLY = 0.5
"""A column of which more than this is text is metadata, not a broken gene."""

_MOST_SAID = 20
"""Columns named in a warning."""

_FEWEST_SAMPLES = 3
"""Columns from which on a table may be one of samples."""

_COPY = re.compile(r"\.\d+\Z")

_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", ".", "-"})
"""How tables write a missing value."""


class Wide(NamedTuple):
    """``obs`` (rows numbered from 1), ``deltas`` (n_rows, n_genes) float32, and column names.

    ``empty`` are columns that hold nothing; they stand in ``obs`` all the same.
    """

    obs: pd.DataFrame
    deltas: FloatArray
    genes: list[str]
    empty: list[str]


def split_wide(table: pa.Table, path: Path, known: Collection[str]) -> Wide:
    """Columns of numbers whose names speak of no metadata are genes; the rest is metadata.

    What pandas wrote as an index is metadata, too. Columns that hold no numbers and have no name
    known here are warned of: one of them may be a gene.

    Raises
    ------
    InputError
        No column is a gene, one holds both numbers and something else, or two columns of metadata
        have one name.
    """
    names = [str(name) for name in table.column_names]
    known = {*known, *_index_names(table)}
    genes, rest, empty, unknown = [], [], [], []
    for place, name in enumerate(names):
        metadata = name in known or is_metadata_name(name)
        kind = "metadata" if metadata else _kind(table.column(place), name, path)
        (genes if kind == "numbers" else rest).append(place)
        if kind == "empty":
            empty.append(name)
        if kind == "text":
            unknown.append(name)
    if not genes:
        found = f"no numeric column in it is a gene; columns: {', '.join(names):.300}"
        raise InputError(f"file {path}", found, "One row a condition, one column a gene.")
    check_unique_columns([names[place] for place in rest], path)
    _warn_of_copies([names[place] for place in genes], path)
    if unknown:
        said = ", ".join(unknown[:_MOST_SAID]) + (", ..." if len(unknown) > _MOST_SAID else "")
        log.warning("%s: columns that hold no numbers, and so no genes: %s", path, said)
    if empty:
        log.warning("%s: columns without any value: %s", path, ", ".join(empty))
    deltas = np.empty((table.num_rows, len(genes)), dtype=np.float32)
    for column, place in enumerate(genes):
        deltas[:, column] = _numbers(table.column(place))
    obs = table.select(rest).to_pandas(ignore_metadata=True)
    obs.index = pd.RangeIndex(1, table.num_rows + 1)
    return Wide(obs, deltas, [names[place] for place in genes], empty)


def check_not_transposed(table: pa.Table, path: Path) -> None:
    """Refuse a table of one row a gene and one column a sample.

    Raises
    ------
    InputError
        No column is called like a line or drug, one of text names each row once, and all others
        are numbers.
    """
    texts = [field.name for field in table.schema if not _is_number(field.type)]
    if len(texts) != 1 or table.num_columns < _FEWEST_SAMPLES:
        return
    if any(map(is_role_name, table.column_names)):
        return
    rows = table.column(table.column_names.index(texts[0])).to_pandas().astype(str)
    if rows.duplicated().any():
        return
    samples = [name for name in table.column_names if name != texts[0]]
    found = f"it seems transposed: a row a gene (column {texts[0]!r}: {', '.join(rows[:3])}), "
    found += f"a column a sample ({', '.join(samples[:3])})"
    do = "Add rows called cell_line and drug above the genes, with what each column is."
    raise InputError(f"file {path}", found, do)


def _warn_of_copies(genes: list[str], path: Path) -> None:
    """Warn of columns that stand several times, by name or as pandas numbers them (``TP53.1``)."""
    known = set(genes)
    numbered = [name for name in genes if (cut := _COPY.sub("", name)) != name and cut in known]
    again = [name for name, times in Counter(genes).items() if times > 1]
    if again or numbered:
        said = ", ".join([*again, *numbered][:_MOST_SAID])
        log.warning("%s: columns of genes that stand several times: %s", path, said)


def _index_names(table: pa.Table) -> list[str]:
    """The columns that were an index when pandas wrote them."""
    written = table.schema.pandas_metadata
    index = [] if written is None else written["index_columns"]
    return [name for name in index if isinstance(name, str)]


def _kind(column: pa.ChunkedArray, name: str, path: Path) -> str:
    """``numbers``, ``text`` or ``empty``; numbers among which something else stands are refused."""
    if _is_number(column.type):
        return "numbers"
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return "empty" if pa.types.is_null(column.type) else "text"
    texts = column.to_pandas().fillna("").str.strip()
    missing = texts.str.casefold().isin(_MISSING).to_numpy()
    bad = pd.to_numeric(texts, errors="coerce").isna().to_numpy()
    if missing.all():
        return "empty"
    if not bad.any():
        return "numbers"
    if (bad & ~missing).mean() > _MOSTLY or (bad | missing).all():
        return "text"
    where = int(np.argmax(bad))
    found = (
        f"column {name!r} holds numbers, but {texts.iloc[where]!r} in row {where + 1}; "
        f"rows of it that are no number: {int(bad.sum()):,} of {len(bad):,}"
    )
    raise InputError(f"file {path}", found, "Remove or impute it first.")


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)


def _numbers(column: pa.ChunkedArray) -> FloatArray:
    """Numbers (n_rows,), NaN where there is none; what float32 cannot hold is infinite."""
    with np.errstate(over="ignore"):
        return _as_float32(column)


def _as_float32(column: pa.ChunkedArray) -> FloatArray:
    if not _is_number(column.type):
        return pd.to_numeric(column.to_pandas()).to_numpy(dtype=np.float32)
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    return column.to_numpy().astype(np.float32)
