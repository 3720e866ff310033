"""A count matrix on disk, CSR or dense, read a run of rows at a time through HDF5."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import h5py
import numpy as np
from scipy import sparse

from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import InputError, NotCountsError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

_LOOK_AT = 200
"""Rows read to see whether a matrix holds counts."""

_IN_CACHE = 131_072
"""Values checked at a time."""


class Matrix(Protocol):
    """Rows of a matrix (n_rows, n_genes) that is not held in memory."""

    name: str
    shape: tuple[int, int]

    def nonzeros(self, start: int, stop: int) -> IntArray:
        """Where rows begin and the last ends (stop - start + 1,), counted in stored values."""
        ...

    def read(self, start: int, stop: int) -> sparse.csr_array:
        """Rows ``start`` to ``stop``: int32 indices, float32 data, no gene twice in a row."""
        ...


@dataclass(frozen=True, slots=True)
class CsrMatrix:
    """A matrix stored by cell: ``data``, ``indices`` and ``indptr``."""

    name: str
    shape: tuple[int, int]
    group: h5py.Group

    def nonzeros(self, start: int, stop: int) -> IntArray:
        """Row bounds (stop - start + 1,)."""
        return self.group["indptr"][start : stop + 1]

    def read(self, start: int, stop: int) -> sparse.csr_array:
        """Rows ``start`` to ``stop``; InputError if an index points outside the matrix."""
        bounds = self.nonzeros(start, stop)
        here = slice(int(bounds[0]), int(bounds[-1]))
        data = self.group["data"][here].astype(np.float32, copy=False)
        indices = self.group["indices"][here].astype(np.int32, copy=False)
        n_genes = self.shape[1]
        if len(indices) and (indices.min() < 0 or indices.max() >= n_genes):
            found = f"{self.name} points at a gene outside its {n_genes:,}"
            raise InputError("counts", found, "The file is damaged: fetch or write it again.")
        indptr = (bounds - bounds[0]).astype(np.int32)
        rows = sparse.csr_array((data, indices, indptr), shape=(stop - start, n_genes))
        if not _is_ascending(indices, indptr):
            rows.sum_duplicates()
        return rows


@dataclass(frozen=True, slots=True)
class DenseMatrix:
    """A matrix stored whole, chunked or contiguous."""

    name: str
    shape: tuple[int, int]
    dataset: h5py.Dataset

    def nonzeros(self, start: int, stop: int) -> IntArray:
        """Row bounds (stop - start + 1,): every value is stored."""
        return np.arange(start, stop + 1, dtype=np.int64) * self.shape[1]

    def read(self, start: int, stop: int) -> sparse.csr_array:
        """Rows ``start`` to ``stop``."""
        rows = sparse.csr_array(self.dataset[start:stop].astype(np.float32, copy=False))
        rows.indices = rows.indices.astype(np.int32, copy=False)
        rows.indptr = rows.indptr.astype(np.int32, copy=False)
        return rows


def find_counts(file: h5py.File, layer: str | None = None) -> Matrix:
    """The matrix of raw counts: ``layer``, else the first of layers/counts, X, raw/X that has them.

    Raises
    ------
    InputError
        The layer is missing, or the matrix is stored by gene (CSC).
    NotCountsError
        No matrix holds counts.
    """
    if layer is not None:
        if layer not in file.get("layers", {}):
            found = f"layers found: {', '.join(file.get('layers', {})) or 'none'}"
            raise InputError(f"layer {layer!r}", found, Remedy(Fix.LAYER))
        names = [f"layers/{layer}"]
    else:
        names = [name for name in ("layers/counts", "X", "raw/X") if name in file]
    refused: list[NotCountsError] = []
    for name in names:
        matrix = open_matrix(file, name)
        try:
            check_counts(matrix.read(0, min(_LOOK_AT, matrix.shape[0])), name)
        except NotCountsError as err:
            refused.append(err)
        else:
            log.info("counts are read from %s", name)
            return matrix
    if refused:
        raise refused[0]
    found = f"it has no X, raw/X or layers/counts; found: {', '.join(file)}"
    raise InputError(f"counts in {file.filename}", found, "Give an h5ad of raw counts.")


def open_matrix(file: h5py.File, name: str) -> Matrix:
    """The matrix at ``name``, not yet read.

    Raises
    ------
    InputError
        It is stored by gene (CSC), or in no way known here.
    """
    item = file[name]
    if isinstance(item, h5py.Dataset):
        return DenseMatrix(name, (item.shape[0], item.shape[1]), item)
    form = str(item.attrs.get("encoding-type", item.attrs.get("h5sparse_format", "unknown")))
    if form.startswith("csr"):
        n_rows, n_genes = item.attrs.get("shape", item.attrs.get("h5sparse_shape"))
        return CsrMatrix(name, (int(n_rows), int(n_genes)), item)
    if not form.startswith("csc"):
        raise InputError(f"matrix {name}", f"its encoding is {form!r}", "Store it as CSR.")
    raise InputError(
        f"matrix {name}",
        "it is stored by gene (CSC), so single cells cannot be read",
        "Convert it once: a = anndata.read_h5ad(FILE); a.X = a.X.tocsr(); a.write_h5ad(NEW).",
    )


def read_blocks(
    matrix: Matrix, start: int, stop: int, max_nonzeros: int
) -> Iterator[tuple[int, sparse.csr_array]]:
    """Runs of rows with their first row; at least one row each, however full it is."""
    bounds, first = matrix.nonzeros(start, stop), start
    while start < stop:
        begin = start - first
        full = int(np.searchsorted(bounds, bounds[begin] + max_nonzeros, side="right")) - 1
        end = first + max(full, begin + 1)
        yield start, matrix.read(start, end)
        start = end


def _is_ascending(indices: IntArray, indptr: IntArray) -> bool:
    """Whether genes ascend within each row, so that none can stand in a row twice."""
    falls = indices[1:] <= indices[:-1]
    starts = np.unique(indptr[1:-1])
    between = starts[(starts > 0) & (starts < len(indices))] - 1
    return int(np.count_nonzero(falls)) == int(np.count_nonzero(falls[between]))


def check_counts(rows: sparse.csr_array, name: str, first_row: int = 0) -> None:
    """Refuse values that are no counts: negative, fractional, NaN or infinite.

    Raises
    ------
    NotCountsError
        With the first such value and its place.
    """
    data = rows.data
    slices = (data[at : at + _IN_CACHE] for at in range(0, len(data), _IN_CACHE))
    if all(_are_counts(part) for part in slices):
        return
    bad = int(np.argmax(~((data >= 0) & np.isfinite(data) & (np.trunc(data) == data))))
    row = first_row + int(np.searchsorted(rows.indptr, bad, side="right")) - 1
    found = (
        f"{data[bad]} in {name}, row {row}, column {rows.indices[bad]}; "
        f"smallest value near it {data.min()}, largest {data.max()}"
    )
    raise NotCountsError("raw counts", found, Remedy(Fix.COUNTS_LAYER))


def _are_counts(values: FloatArray) -> bool:
    """Whether all are whole, finite and not negative; a NaN fails the comparisons."""
    return bool(
        values.min() >= 0 and np.isfinite(values.max()) and (np.trunc(values) == values).all()
    )
