"""The tables ``obs`` and ``var`` of an h5ad, in every encoding that anndata has written.

=============  =====================================================================
anndata        how a table is written
=============  =====================================================================
0.6 and older  one compound dataset; categories as codes, their names in ``uns``
0.7            a group of columns; categories as codes, their names in ``__categories``
0.8 to 0.12    a group of columns; categories and nullable numbers as groups
0.13           the same, with texts and the index as nullable strings (``values``, ``mask``)
=============  =====================================================================

What is returned has no pandas extension types but categories: texts are objects with None for
missing, nullable numbers are floats with NaN where one is missing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import anndata
import h5py
import numpy as np
import pandas as pd
from anndata._io.specs.registry import IORegistryError

from lgr_core.atlas.sources.column_names import ROLES, name_in_tiers
from lgr_core.errors import InputError

_CODES = frozenset({"i1", "i2", "i4"})
"""Types of category codes; whole numbers of a table are written as ``i8``."""

_NAMED_ROLES = ("cell_line", "drug")
"""Roles whose values are names, so that a code must not stand for one."""


def column_names(file: h5py.File, table: str = "obs") -> list[str]:
    """The columns of a table, without reading any."""
    item = _item(file, table)
    if isinstance(item, h5py.Dataset):
        return list(item.dtype.names or ())[1:]
    index = _index_name(item)
    order = item.attrs.get("column-order")
    names = [name for name in item if not name.startswith("__")] if order is None else order
    return [text for name in names if (text := _text(name)) != index]


def read_table(
    file: h5py.File,
    table: str = "obs",
    wanted: Collection[str] | None = None,
    named: Collection[str] = (),
) -> pd.DataFrame:
    """A table with its index, or only the ``wanted`` columns of it, numbered from 0.

    ``named`` are columns whose values are names, beside those that are called like one.

    Raises
    ------
    InputError
        It is not there, or names of lines or drugs are stored as codes, and what they stand for is
        not in the file.
    """
    item = _item(file, table)
    if isinstance(item, h5py.Dataset):
        return _read_compound(file, item, wanted, named)
    index = item[_index_name(item)]
    names = [name for name in column_names(file, table) if wanted is None or name in wanted]
    if "__categories" in item:
        frame = anndata.io.read_elem(item)
        return frame[names] if wanted is None else frame[names].reset_index(drop=True)
    columns = {name: read_column(item[name]) for name in names}
    rows = pd.RangeIndex(_length(index)) if wanted is not None else _as_index(read_column(index))
    return pd.DataFrame(
        {name: values.set_axis(rows) for name, values in columns.items()}, index=rows
    )


def _item(file: h5py.File, table: str) -> h5py.Group | h5py.Dataset:
    if table in file:
        return file[table]
    found = f"it cannot be read as h5ad: it has no {table}; found: {', '.join(file) or 'nothing'}"
    raise InputError(f"file {file.filename}", found, "Give an h5ad, or convert it to one.")


def check_not_transposed(file: h5py.File) -> None:
    """Refuse an h5ad whose rows are genes.

    Raises
    ------
    InputError
        Columns of ``var`` are called like a line and a drug, and none of ``obs`` is.
    """
    if any(map(_holds_names, column_names(file))):
        return
    named = [name for name in column_names(file, "var") if _holds_names(name)]
    if named:
        found = f"it seems transposed: {', '.join(named)} in var describe columns, not rows"
        do = "Write it once: anndata.read_h5ad(FILE).T.write_h5ad(NEW)."
        raise InputError(f"file {file.filename}", found, do)


def read_column(item: h5py.Group | h5py.Dataset) -> pd.Series:
    """One column in whatever encoding, without pandas' nullable types."""
    try:
        return _plain(pd.Series(anndata.io.read_elem(item)))
    except IORegistryError as err:  # it has no public name
        kind = _text(item.attrs.get("encoding-type", ""))
        version = _text(item.attrs.get("encoding-version", ""))
        found = f"its encoding {kind!r} {version!r} is unknown"
        do = "Write the file again with anndata 0.12, or leave that column out."
        raise InputError(f"column {(item.name or '').lstrip('/')}", found, do) from err


def _plain(values: pd.Series) -> pd.Series:
    """Nullable and Arrow-backed values as NumPy's own."""
    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        if pd.api.types.is_extension_array_dtype(kind.categories.dtype):
            return values.cat.rename_categories(kind.categories.astype(object))
        return values
    if not pd.api.types.is_extension_array_dtype(kind):
        return values
    missing = values.isna()
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        return values.astype(float if missing.any() else kind.numpy_dtype)
    plain = values.astype(object)
    if pd.api.types.is_bool_dtype(kind) and not missing.any():
        return plain.astype(bool)
    return plain.where(~missing, None)


def _read_compound(
    file: h5py.File, item: h5py.Dataset, wanted: Collection[str] | None, named: Collection[str]
) -> pd.DataFrame:
    """A compound dataset, whose first field is the index."""
    fields: Sequence[str] = item.dtype.names or ()
    if not fields:
        found = f"{item.name.lstrip('/')} is no table of named columns"
        do = "Write it again with anndata 0.7 or later."
        raise InputError(f"file {file.filename}", found, do)
    index, *names = fields
    rows = item[:]
    columns = {}
    for name in names:
        if wanted is None or name in wanted:
            columns[name] = _field(file, rows[name], name)
            if name in named or _holds_names(name):
                _check_codes(file, columns[name], name)
    labels = pd.RangeIndex(len(rows)) if wanted is not None else pd.Index(_decoded(rows[index]))
    return pd.DataFrame(columns, index=labels)


def _field(file: h5py.File, values: np.ndarray, name: str) -> pd.Categorical | np.ndarray:
    """A field's values: categories where ``uns`` names them."""
    names = file.get(f"uns/{name}_categories")
    if isinstance(names, h5py.Dataset) and values.dtype.kind in "iu":
        return pd.Categorical.from_codes(values, categories=_decoded(np.atleast_1d(names[()])))
    return _decoded(values)


def _check_codes(file: h5py.File, values: pd.Categorical | np.ndarray, name: str) -> None:
    """Refuse whole numbers of a type that anndata writes for codes alone."""
    if isinstance(values, np.ndarray) and values.dtype.str.lstrip("<>|=") in _CODES:
        found = f"column {name!r} holds codes, and the names that they stand for "
        found += f"(uns/{name}_categories) are not in the file"
        do = "Write it again from the object that has the names, with anndata 0.7 or later."
        raise InputError(f"file {file.filename}", found, do)


def _holds_names(column: str) -> bool:
    return any(name_in_tiers(column, role) in tier for role in _NAMED_ROLES for tier in ROLES[role])


def _decoded(values: np.ndarray) -> np.ndarray:
    """Bytes as text; anything else as it is."""
    if values.dtype.kind not in "SO":
        return values
    texts = [text.decode() if isinstance(text, bytes) else text for text in values.tolist()]
    return np.array(texts, dtype=object)


def _as_index(labels: pd.Series) -> pd.Index:
    return pd.Index(np.asarray(labels, dtype=object), dtype=object)


def _index_name(item: h5py.Group) -> str:
    name = item.attrs.get("_index")
    if name is not None:
        return _text(name)
    return next((usual for usual in ("_index", "index") if usual in item), "_index")


def _length(item: h5py.Group | h5py.Dataset) -> int:
    """How many values a column has, without reading them."""
    if isinstance(item, h5py.Group):
        item = item["codes" if "codes" in item else "values"]
    return int(item.shape[0])


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
