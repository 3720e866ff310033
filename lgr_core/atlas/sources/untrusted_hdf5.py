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
"""Bytes that count for a part by itself: its name, and what is kept to read it."""

_DEEPEST = 64
"""Groups within groups: those of an h5ad are few."""

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
    sizes = _Sizes(most)
    if sum(map(sizes.of, parts)) > most:
        found = f"what it describes fills more than {most / 1e6:,.0f} MB when it is unpacked"
        do = "Leave out what is not needed, or ingest it on the server with lgr ingest."
        raise InputError(f"file {path}", found, do)


class _Sizes:
    """Bytes of parts of a file, looked at once each; one linked to several times counts as often.

    What links back to itself, or is nested too deep, is larger than ``most``.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[int, int] = {}
        self._above: set[int] = set()

    def of(self, item: h5py.Group | h5py.Dataset) -> int:
        """Bytes of a part with all that it holds; counting stops above ``most``."""
        address = h5py.h5o.get_info(item.id).addr
        if address in self._above or len(self._above) > _DEEPEST:
            return self._most + 1
        if address not in self._known:
            self._above.add(address)
            self._known[address] = self._counted(item)
            self._above.remove(address)
        return self._known[address]

    def _counted(self, item: h5py.Group | h5py.Dataset) -> int:
        total = _PART
        if isinstance(item, h5py.Dataset):
            return total + (item.size or 0) * _width(item.dtype)
        if isinstance(item, h5py.Group):
            for name in item:
                total += self.of(item[name])
                if total > self._most:
                    break
        return total


def _width(dtype: np.dtype) -> int:
    return _OBJECT if dtype.hasobject else max(dtype.itemsize, _SMALLEST)


def _matrices(file: h5py.File) -> Iterator[Matrix]:
    """Those that can be read by row, each once; any other is refused, or held whole, where read."""
    seen = set()
    for name in ("X", "raw/X", *(f"layers/{layer}" for layer in file.get("layers", {}))):
        if name not in file:
            continue
        address = h5py.h5o.get_info(file[name].id).addr
        if address not in seen:
            seen.add(address)
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
        for name in group:
            link = group.get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                yield f"{group.name}/{name}"
            elif isinstance(link, h5py.HardLink):
                item = group[name]
                address = h5py.h5o.get_info(item.id).addr
                if address in seen:
                    continue
                seen.add(address)
                if isinstance(item, h5py.Group):
                    waiting.append(item)
                elif isinstance(item, h5py.Dataset) and (item.external or item.is_virtual):
                    yield item.name
