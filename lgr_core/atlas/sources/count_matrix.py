"""A count matrix on disk, read a run of rows at a time through HDF5.

CSR and dense matrices are never held whole; one stored by gene (CSC) is, if its size allows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import h5py
import numpy as np
from scipy import sparse

from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import InputError, NotCountsError
from lgr_core.remedies import Fix, Remedy

_IN_CACHE = 131_072
"""Values checked at a time."""


_AXES = 2

_DAMAGED = "The file is damaged: fetch or write it again."

MOST_BY_GENE = 50_000_000
"""Values of a matrix stored by gene (CSC), which is turned around in memory: 400 MB, twice."""


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
        data = _as_float32(self.group["data"][here])
        indices = self.group["indices"][here].astype(np.int32, copy=False)
        n_genes = self.shape[1]
        if len(indices) and (indices.min() < 0 or indices.max() >= n_genes):
            found = f"{self.name} points at a gene outside its {n_genes:,}"
            raise InputError("counts", found, _DAMAGED)
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
        rows = sparse.csr_array(_as_float32(self.dataset[start:stop]))
        rows.indices = rows.indices.astype(np.int32, copy=False)
        rows.indptr = rows.indptr.astype(np.int32, copy=False)
        return rows


@dataclass(slots=True, eq=False)
class CscMatrix:
    """A matrix stored by gene: read whole and turned around when a row is first asked for."""

    name: str
    shape: tuple[int, int]
    group: h5py.Group
    _rows: sparse.csr_array | None = field(default=None, init=False)

    def nonzeros(self, start: int, stop: int) -> IntArray:
        """Row bounds (stop - start + 1,)."""
        return self._by_row().indptr[start : stop + 1].astype(np.int64)

    def read(self, start: int, stop: int) -> sparse.csr_array:
        """Rows ``start`` to ``stop``; InputError if an index points outside the matrix."""
        return self._by_row()[start:stop]

    def _by_row(self) -> sparse.csr_array:
        if self._rows is None:
            data = _as_float32(self.group["data"][:])
            indices = self.group["indices"][:].astype(np.int32, copy=False)
            indptr = self.group["indptr"][:].astype(np.int32)
            n_rows = self.shape[0]
            if len(indices) and (indices.min() < 0 or indices.max() >= n_rows):
                found = f"{self.name} points at a row outside its {n_rows:,}"
                raise InputError("counts", found, _DAMAGED)
            if indptr[0] != 0 or indptr[-1] != len(data) or (np.diff(indptr) < 0).any():
                found = f"{self.name} has bounds of genes that do not fit its {len(data):,} values"
                raise InputError("counts", found, _DAMAGED)
            rows = sparse.csc_array((data, indices, indptr), shape=self.shape).tocsr()
            rows.sum_duplicates()
            self._rows = rows
        return self._rows


def open_matrix(file: h5py.File, name: str, *, by_gene_too: bool = False) -> Matrix:
    """The matrix at ``name``, not yet read; ``by_gene_too``: a CSC of any size.

    Raises
    ------
    InputError
        It is stored by gene (CSC) and too large to be turned around, or in no way known here.
    """
    item = file[name]
    if isinstance(item, h5py.Dataset):
        if len(item.shape) != _AXES or item.dtype.kind not in "fiub":
            found = f"it is no table of numbers ({item.dtype}, shape {item.shape})"
            raise InputError(f"matrix {name}", found, "Store numbers, one row a cell.")
        return DenseMatrix(name, (item.shape[0], item.shape[1]), item)
    form = _text(item.attrs.get("encoding-type", item.attrs.get("h5sparse_format", "unknown")))
    if not form.startswith(("csr", "csc")):
        raise InputError(f"matrix {name}", f"its encoding is {form!r}", "Store it as CSR.")
    n_rows, n_genes = item.attrs.get("shape", item.attrs.get("h5sparse_shape"))
    shape = int(n_rows), int(n_genes)
    if form.startswith("csr"):
        return CsrMatrix(name, shape, item)
    sizes = {part: item[part].size for part in ("data", "indices", "indptr")}
    if sizes["data"] != sizes["indices"] or sizes["indptr"] != shape[1] + 1:
        found = ", ".join(f"{size:,} {part}" for part, size in sizes.items())
        raise InputError(f"matrix {name}", f"its parts do not fit each other ({found})", _DAMAGED)
    if sizes["data"] > MOST_BY_GENE and not by_gene_too:
        found = f"its {sizes['data']:,} values are stored by gene (CSC), so rows cannot be read"
        raise InputError(f"matrix {name}", found, f"Convert it once: {_conversion(name)}.")
    return CscMatrix(name, shape, item)


def _as_float32(values: np.ndarray) -> FloatArray:
    """Values as float32; what it cannot hold becomes infinite, and is refused where it is read."""
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)


def _conversion(name: str) -> str:
    """Python that stores a matrix by cell."""
    if name.startswith("raw"):
        turned = "r = a.raw.to_adata(); r.X = r.X.tocsr(); a.raw = r"
    else:
        where = "a.X" if name == "X" else f"a.layers[{name.removeprefix('layers/')!r}]"
        turned = f"{where} = {where}.tocsr()"
    return f"a = anndata.read_h5ad(FILE); {turned}; a.write_h5ad(NEW)"


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


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
    raise NotCountsError("raw counts", found, Remedy(Fix.NOT_COUNTS))


def _are_counts(values: FloatArray) -> bool:
    """Whether all are whole, finite and not negative; a NaN fails the comparisons."""
    return bool(
        values.min() >= 0 and np.isfinite(values.max()) and (np.trunc(values) == values).all()
    )
