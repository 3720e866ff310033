"""Transposed tables, a column a condition: turned where their first rows name lines and drugs.

Spreadsheets of expression often have genes in rows. Such a table says what its columns are if some
of its rows are called like a column of lines and a column of drugs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from lgr_core.atlas.sources.column_names import is_role_name, plays
from lgr_core.domain import FloatArray

_FEWEST = 2
"""Columns of a table that names its rows and has one condition."""


def untransposed(table: pa.Table) -> pa.Table | None:
    """The table with a row a condition, if ``table`` has a column a condition; else None.

    Its first column names its rows, and a line and a drug are among them. The header may be one of
    these rows; otherwise it holds names of samples, which are left out.
    """
    if table.num_columns < _FEWEST or not _is_text(table.column(0).type):
        return None
    names = table.column(0).to_pandas().astype(str).str.strip().tolist()
    header = str(table.column_names[0]).strip()
    if not _names_both(names, header):
        return None
    values = [table.column(place).to_pandas() for place in range(1, table.num_columns)]
    texts = pd.DataFrame(dict(enumerate(values))).to_numpy(dtype=object)
    if is_role_name(header):
        names = [header, *names]
        texts = np.vstack([np.array(table.column_names[1:], dtype=object)[np.newaxis], texts])
    return _of_rows(names, texts)


def _names_both(rows: Sequence[str], header: str) -> bool:
    """Whether a line and a drug are among the names, at least one of them below the header."""
    inside = [any(plays(name, role) for name in rows) for role in ("cell_line", "drug")]
    above = [plays(header, role) for role in ("cell_line", "drug")]
    return any(inside) and all(map(any, zip(inside, above, strict=True)))


def _of_rows(names: list[str], texts: np.ndarray) -> pa.Table:
    """A table with a column a row of ``texts`` (n_names, n_conditions), numbers where all are."""
    numbers = _numbers(texts)
    whole = np.isfinite(numbers).all(axis=1)
    columns = [
        pa.array(numbers[row])
        if whole[row] and not is_role_name(name)
        else pa.array([None if pd.isna(value) else str(value).strip() for value in texts[row]])
        for row, name in enumerate(names)
    ]
    return pa.table(columns, names=names)


def _numbers(texts: np.ndarray) -> FloatArray:
    """Numbers of the same shape, NaN where there is none."""
    flat = pd.to_numeric(pd.Series(texts.ravel()), errors="coerce")
    return flat.to_numpy(dtype=np.float64).reshape(texts.shape)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
