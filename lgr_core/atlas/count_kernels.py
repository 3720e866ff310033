"""Kernels on counts by cell: normalisation, and sums of rows and columns.

Four of them are SciPy's own, called by their private names: the public operators make a result of
n_genes for every group of every batch, which costs more than the sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import _sparsetools

from lgr_core.domain import FloatArray, IntArray

_FEW = 32
"""Counts below this are looked up."""


class Normalised(NamedTuple):
    """What becomes of each stored count (n_nonzeros,), float64 of float32 results."""

    linear: FloatArray
    linear_sq: FloatArray
    log: FloatArray
    log_sq: FloatArray


def normalise(counts: sparse.csr_array, total: FloatArray, target_sum: float) -> Normalised:
    """Scale each row of ``counts`` from its ``total`` (n_rows,) to ``target_sum``, and log it.

    Rounded to float32 at every step where scanpy rounds: sums of float32 values in float64 are
    all but exact in any order, so the highly variable genes are scanpy's, ties included. The few
    small counts that make up most of a cell are computed once a cell, not once a gene.
    """
    factor = (total.astype(np.float32) / np.float32(target_sum))[:, np.newaxis]
    factor[factor == 0] = 1
    row = np.repeat(np.arange(len(total)), np.diff(counts.indptr))
    place = np.minimum(counts.data, _FEW - 1).astype(np.intp) + row * _FEW
    tables = _normalised(np.arange(_FEW, dtype=np.float32), factor)
    values = Normalised(*(table.ravel()[place] for table in tables))
    many = np.flatnonzero(counts.data >= _FEW)
    exact = _normalised(counts.data[many], factor[row[many], 0])
    for found, here in zip(values, exact, strict=True):
        found[many] = here
    return values


def _normalised(x: FloatArray, factor: FloatArray) -> Normalised:
    log = np.log1p(x / factor)
    linear = np.expm1(log)
    exact = log.astype(np.float64)
    square = np.square(linear).astype(np.float64)
    return Normalised(linear.astype(np.float64), square, exact, np.square(exact))


def take_rows(counts: sparse.csr_array, rows: IntArray) -> sparse.csr_array:
    """``counts[rows]`` (n_rows, n_genes)."""
    sizes = np.diff(counts.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1], dtype=counts.data.dtype)
    _sparsetools.csr_row_index(
        len(rows), rows, counts.indptr, counts.indices, counts.data, indices, data
    )
    return sparse.csr_array((data, indices, indptr), shape=(len(rows), counts.shape[1]))


def row_sums(counts: sparse.csr_array, values: FloatArray) -> FloatArray:
    """Sums (n_rows,) of ``values`` (n_nonzeros,) that stand in the places of ``counts``."""
    n_rows, n_genes = counts.shape
    out = np.zeros(n_rows)
    ones = np.ones(n_genes)
    _sparsetools.csr_matvec(n_rows, n_genes, counts.indptr, counts.indices, values, ones, out)
    return out


def add_columns(counts: sparse.csr_array, values: FloatArray, out: FloatArray) -> None:
    """Add to ``out`` (n_genes,) the column sums of ``values`` in the places of ``counts``."""
    n_rows, n_genes = counts.shape
    # A CSR matrix is its transpose in CSC: the sum over rows is one product with ones.
    _sparsetools.csc_matvec(
        n_genes, n_rows, counts.indptr, counts.indices, values, np.ones(n_rows), out
    )


def sum_rows(
    sums: tuple[IntArray, IntArray], rows: tuple[IntArray, IntArray, FloatArray], n_genes: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Sums of rows, each added up in the order given: bounds, columns (in no order) and values.

    ``sums`` are bounds and row numbers, ``rows`` bounds, columns and values of what is added up;
    bounds and columns are int32.
    """
    bounds, which = sums
    n = len(bounds) - 1
    most = len(rows[2])  # no sum has more columns than its rows have values
    out = np.empty(n + 1, np.int32), np.empty(most, np.int32), np.empty(most)
    _sparsetools.csr_matmat(n, n_genes, bounds, which, np.ones(len(which)), *rows, *out)
    return out
