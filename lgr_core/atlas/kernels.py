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
    """What becomes of the stored counts, each different one once: float64 of float32 results.

    ``place`` (n_nonzeros,) is where each count stands in the others: in ``log`` (n,), and in
    ``moments`` (n, 3), its normalised value, the square of that, and the square of its log.
    """

    place: IntArray
    log: FloatArray
    moments: FloatArray


def normalise(counts: sparse.csr_array, total: FloatArray, target_sum: float) -> Normalised:
    """Scale each row of ``counts`` from its ``total`` (n_rows,) to ``target_sum``, and log it.

    Rounded to float32 at every step where scanpy rounds: sums of float32 values in float64 are
    all but exact in any order, so the highly variable genes are scanpy's, ties included. The few
    small counts that make up most of a cell are computed once a cell, not once a gene.
    """
    factor = (total.astype(np.float32) / np.float32(target_sum))[:, np.newaxis]
    factor[factor == 0] = 1
    row = np.repeat(np.arange(len(total), dtype=np.int32), np.diff(counts.indptr))
    place = np.minimum(counts.data, _FEW - 1).astype(np.int32)
    place += row * np.int32(_FEW)
    few = np.arange(_FEW, dtype=np.float32) / factor
    many = np.flatnonzero(counts.data >= _FEW)
    place[many] = few.size + np.arange(len(many))
    rounded = np.log1p(np.concatenate([few.ravel(), counts.data[many] / factor[row[many], 0]]))
    linear, log = np.expm1(rounded), rounded.astype(np.float64)
    return Normalised(place, log, np.column_stack([linear, np.square(linear), np.square(log)]))


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


def add_to_columns(columns: IntArray, place: IntArray, table: FloatArray, out: FloatArray) -> None:
    """Add ``table[place[i]]`` to ``out[columns[i]]`` for each i, in order.

    ``columns`` and ``place`` (n,) are int32; rows of ``table`` and ``out`` are of one length, and
    ``out`` lies in memory row by row.
    """
    # A product of the matrix with a one at each (column, place) and the table.
    ones = np.ones(len(place))
    _sparsetools.coo_matmat_dense(
        len(place), table.shape[1], columns, place, ones, table.ravel(), out.ravel()
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
