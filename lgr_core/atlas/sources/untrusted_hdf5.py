"""HDF5 from strangers: limits on what it unpacks to, and no links to other files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import h5py
import numpy as np

from lgr_core.atlas.sources.count_matrix import CscMatrix, Matrix, open_matrix
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.errors import InputError

MOST_BYTES = 2_000_000_000
"""Of tables of rows and genes, which are read whole."""

MOST_IN_A_ROW = 1_000_000
"""Values of one row of a matrix, which is never cut: no assay measures as many genes."""

MOST_ROWS = 200_000_000
"""Of a matrix: more than can be described in ``MOST_BYTES``."""

_OBJECT, _SMALLEST = 64, 8
"""Bytes of a text as Python holds it, and of any other value at least."""

_PART = 10_000
"""Bytes that count for a part by itself, so that parts that hold each other come to an end."""

_STEP = 1_000_000


def check_unpacked_size(path: Path, *, whole: bool = False) -> None:
    """Refuse an h5ad whose tables, or a row of a matrix, unpack to more than is held in memory.

    With ``whole`` all of the file is read whole, and may be three times as large.

    Raises
    ------
    InputError
        With the limit.
    """
    with open_hdf5(path) as file:
        tables = [file[name] for name in ("obs", "var") if name in file]
        _check_bytes(path, [file] if whole else tables, 3 * MOST_BYTES if whole else MOST_BYTES)
        for matrix in _matrices(file):
            _check_rows(path, matrix)


def _check_bytes(path: Path, parts: Iterable[h5py.Group | h5py.Dataset], most: int) -> None:
    total = 0
    for size in _sizes(parts):
        total += size
        if total > most:
            found = f"what it describes fills more than {most / 1e6:,.0f} MB when it is unpacked"
            do = "Leave out what is not needed, or ingest it on the server with lgr ingest."
            raise InputError(f"file {path}", found, do)


def _sizes(parts: Iterable[h5py.Group | h5py.Dataset]) -> Iterator[int]:
    """Bytes of every part; one that is linked to several times is read, and counts, as often."""
    waiting = list(parts)
    while waiting:
        item = waiting.pop()
        yield _PART
        if isinstance(item, h5py.Dataset):
            yield (item.size or 0) * _width(item.dtype)
        elif isinstance(item, h5py.Group):
            waiting += [item[name] for name in item]


def _width(dtype: np.dtype) -> int:
    return _OBJECT if dtype.hasobject else max(dtype.itemsize, _SMALLEST)


def _matrices(file: h5py.File) -> Iterator[Matrix]:
    """Those that can be read by row; any other is refused, or held whole, where it is read."""
    for name in ("X", "raw/X", *(f"layers/{layer}" for layer in file.get("layers", {}))):
        if name in file:
            with suppress(InputError):
                yield open_matrix(file, name)


def _check_rows(path: Path, matrix: Matrix) -> None:
    n_rows, most = matrix.shape[0], 0
    if isinstance(matrix, CscMatrix):  # its values are limited as a whole
        most = matrix.shape[1]
    else:
        for start in range(0, min(n_rows, MOST_ROWS), _STEP):
            bounds = matrix.nonzeros(start, min(start + _STEP, n_rows))
            most = max(most, int(np.diff(bounds).max(initial=0)))
    if n_rows > MOST_ROWS or most > MOST_IN_A_ROW:
        found = f"{matrix.name} has {n_rows:,} rows of up to {most:,} values"
        do = f"The limits are {MOST_ROWS:,} rows and {MOST_IN_A_ROW:,} values: check the file."
        raise InputError(f"file {path}", found, do)


def check_no_external_links(path: Path) -> None:
    """Refuse an HDF5 file that would have other files of this machine read as a part of it.

    Raises
    ------
    InputError
        It holds a link to another file, or a data set whose values lie in one; or it is no HDF5.
    """
    with open_hdf5(path) as file:
        strange = next(_outside(file), None)
    if strange is not None:
        found = f"its part {strange!r} lies in another file"
        raise InputError(f"file {path}", found, "Write one h5ad that holds all of its values.")


def _outside(file: h5py.File) -> Iterator[str]:
    """The names of what lies elsewhere; each group is looked into once, whoever links to it."""
    waiting, seen = [file["/"]], set()
    while waiting:
        group = waiting.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            continue
        seen.add(address)
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield f"{group.name}/{name}"
            elif isinstance(link, h5py.HardLink):
                item = group[name]
                if isinstance(item, h5py.Group):
                    waiting.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    yield item.name
