"""Kernels on counts by cell do what SciPy's operators and plain arithmetic do."""

import numpy as np
from h5ads import log_normalised
from scipy import sparse

from lgr_core.atlas.count_kernels import add_columns, normalise, row_sums, sum_rows, take_rows

X = np.array([[0, 3, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0], [1, 1, 1, 1], [0, 0, 9, 0]], dtype=float)


def test_kernels_are_scipys_operators():
    """take_rows, row_sums, add_columns and sum_rows equal indexing, sums and a product."""
    counts = sparse.csr_array(X)
    counts.indices, counts.indptr = (a.astype(np.int32) for a in (counts.indices, counts.indptr))
    rows = np.array([4, 0, 1, 0], dtype=np.int32)
    np.testing.assert_array_equal(take_rows(counts, rows).toarray(), X[rows])
    np.testing.assert_array_equal(row_sums(counts, counts.data), X.sum(axis=1))
    out = np.ones(4)
    add_columns(counts, counts.data, out)
    np.testing.assert_array_equal(out, 1 + X.sum(axis=0))
    rows = counts.indptr, counts.indices, counts.data
    bounds, which = np.array([0, 2, 2, 5], np.int32), np.array([3, 0, 4, 0, 3], np.int32)
    found = sparse.csr_array(sum_rows((bounds, which), rows, 4)[::-1], shape=(3, 4)).toarray()
    np.testing.assert_array_equal(found, [X[[3, 0]].sum(axis=0), X[1], X[[4, 0, 3]].sum(axis=0)])


def test_small_and_large_counts_are_normalised_alike():
    """Counts on both sides of the table's end, rows of very different totals, an empty row."""
    X = np.array([[1, 31, 32, 33], [0, 0, 0, 0], [0, 2, 0, 60_000], [1, 0, 0, 0]], dtype=float)
    counts = sparse.csr_array(X.astype(np.float32))
    values = normalise(counts, X.sum(axis=1), 10_000)
    logs = log_normalised(X[[0, 2, 3]])[X[[0, 2, 3]] > 0]
    np.testing.assert_allclose(values.log, logs, rtol=1e-6)
    np.testing.assert_allclose(values.log_sq, logs**2, rtol=1e-6)
    np.testing.assert_allclose(values.linear, np.expm1(logs), rtol=1e-5)
    np.testing.assert_allclose(values.linear_sq, np.expm1(logs) ** 2, rtol=1e-5)
