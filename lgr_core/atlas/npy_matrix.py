"""Matrices as ``.npy`` files, written row by row and memory-mapped to read.

What is known of each file beforehand (bytes, type, shape) is kept apart from it, so that a cut or
exchanged one is found out before a number of it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from lgr_core.domain import IntArray
from lgr_core.errors import InputError
from lgr_core.files import flush_to_disk

AT_ONCE = 64_000_000
"""Bytes copied at a time: the source may be larger than memory, or computed as it is read."""

AGAIN = "Ingest the atlas again with --overwrite."


class Rows(Protocol):
    """Rows (n_rows, n_columns) that may be computed on access."""

    def __getitem__(self, rows: IntArray) -> np.ndarray:
        """Those rows."""
        ...


@dataclass(frozen=True, slots=True)
class NpyMatrix:
    """``source[rows][:, columns]``, to be stored as ``dtype``."""

    source: Rows
    rows: IntArray
    columns: IntArray
    dtype: DTypeLike = np.float32

    @property
    def shape(self) -> tuple[int, int]:
        """(n_rows, n_columns) of what is stored."""
        return len(self.rows), len(self.columns)

    @property
    def nbytes(self) -> int:
        """Bytes of what is stored, without the file's header."""
        return len(self.rows) * len(self.columns) * np.dtype(self.dtype).itemsize


def write_matrix(path: Path, matrix: NpyMatrix) -> dict[str, Any]:
    """Write a matrix and return what :func:`read_matrix` will expect of it.

    Written, not mapped: where the disk is full a write fails, and a map kills the process.
    """
    dtype = np.dtype(matrix.dtype)
    header = {"descr": dtype.str, "fortran_order": False, "shape": matrix.shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, AT_ONCE * len(matrix.rows) // max(matrix.nbytes, 1))
        for start in range(0, len(matrix.rows) if matrix.nbytes else 0, step):
            block = matrix.source[matrix.rows[start : start + step]][:, matrix.columns]
            file.write(np.ascontiguousarray(block, dtype=dtype).data)
        size = file.tell()
    flush_to_disk(path)
    return {"bytes": size, "dtype": dtype.name, "shape": list(matrix.shape)}


def read_matrix(path: Path, expected: Mapping[str, Any]) -> np.ndarray:
    """A matrix as a read-only memory map; InputError if it is missing, damaged or another one."""
    asked = f"{path.parent.name}/{path.name}"
    try:
        size = path.stat().st_size
        if size != expected["bytes"]:
            found = f"it has {size:,} bytes, the index says {expected['bytes']:,}"
            raise InputError(asked, found, AGAIN)
        matrix = np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError) as err:
        raise InputError(asked, str(err), AGAIN) from err
    if (matrix.dtype.name, list(matrix.shape)) != (expected["dtype"], expected["shape"]):
        found = f"it is {matrix.dtype} {matrix.shape}, the index says {expected['dtype']} "
        raise InputError(asked, f"{found}{tuple(expected['shape'])}", AGAIN)
    return matrix
