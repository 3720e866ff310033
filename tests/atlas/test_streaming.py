"""Sums over blocks are the sums over all cells, however the work is cut up."""

import numpy as np
import pytest
from h5ads import Counts, log_normalised, observed
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from lgr_core.atlas import streaming
from lgr_core.atlas.streaming import accumulate, add_columns, normalise, row_sums, take_rows

X = np.array([[0, 3, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0], [1, 1, 1, 1], [0, 0, 9, 0]], dtype=float)


def counts_of(X, block_rows=3):
    """Counts in memory; their metadata do not matter here."""
    return Counts(np.asarray(X), observed([("A", "T", 1.0, "")] * len(X)), block_rows=block_rows)


def by_group(values, groups, n_groups):
    """Dense group sums (n_groups, n_genes)."""
    return np.array([values[groups == g].sum(axis=0) for g in range(n_groups)])


def assert_sums(sums, X, groups, n_groups, order="cells"):
    """Everything one pass leaves, against plain dense sums in float64."""
    filled = X.sum(axis=1) > 0
    X, groups = X[filled], groups[filled]
    linear = np.expm1(log_normalised(X)) if len(X) else X
    logs = np.log1p(linear)
    summed = logs if order == "cells" else X
    np.testing.assert_array_equal(sums.n_cells, np.bincount(groups, minlength=n_groups))
    for found, expected in (
        (sums.group_sums, by_group(summed, groups, n_groups)),
        (sums.linear_sum, linear.sum(axis=0)),
        (sums.linear_sumsq, (linear**2).sum(axis=0)),
        (sums.log_sumsq, (logs**2).sum(axis=0)),
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("order", ["cells", "pseudobulk"])
def test_one_pass(order):
    """Five cells in three groups, one of them empty; a cell without counts is no cell."""
    groups = np.array([2, 2, 0, 2, 0])
    sums = accumulate(counts_of(X), groups, 3, target_sum=10_000, order=order)
    assert sums.n_cells.tolist() == [2, 0, 2]
    assert_sums(sums, X, groups, 3, order)


def test_a_worked_cell():
    """Counts 1 and 3 of 4 scaled to 8 are 2 and 6: ln 3 and ln 7."""
    sums = accumulate(counts_of([[1, 3]]), np.array([0]), 1, target_sum=8, order="cells")
    np.testing.assert_allclose(sums.group_sums, [[np.log(3), np.log(7)]], rtol=1e-7)
    np.testing.assert_allclose(sums.linear_sum, [2, 6], rtol=1e-6)
    np.testing.assert_allclose(sums.linear_sumsq, [4, 36], rtol=1e-6)


@settings(max_examples=60, deadline=None)
@given(
    X=hnp.arrays(
        np.int64, st.tuples(st.integers(1, 12), st.integers(1, 5)), elements=st.integers(0, 4)
    ),
    block_rows=st.integers(1, 12),
    batch=st.integers(1, 12),
    threads=st.integers(1, 4),
    data=st.data(),
)
def test_however_the_work_is_cut_up(X, block_rows, batch, threads, data):
    """Block size, batch size and the number of threads change nothing."""
    groups = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X))))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "_BATCH_NONZEROS", batch)
        patch.setattr(streaming, "_MAX_THREADS", threads)
        patch.setattr(streaming.os, "cpu_count", lambda: threads)
        sums = accumulate(counts_of(X, block_rows), groups, 4, target_sum=10_000, order="cells")
    assert_sums(sums, X.astype(float), groups, 4)


def test_progress_ends_with_all_cells():
    """Each block reports once, in order; the last report is the whole."""
    seen = []
    accumulate(
        counts_of(X, block_rows=2),
        np.zeros(5, dtype=int),
        1,
        target_sum=1,
        order="cells",
        progress=lambda *report: seen.append(report),
    )
    assert seen == [("counts", 2, 5), ("counts", 4, 5), ("counts", 5, 5)]


def test_an_error_in_a_thread_is_raised(monkeypatch):
    """A failed batch does not become a silent zero."""

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(streaming, "take_rows", fail)
    with pytest.raises(MemoryError):
        accumulate(counts_of(X), np.zeros(5, dtype=int), 1, target_sum=1, order="cells")


def test_kernels_are_scipys_operators():
    """take_rows, row_sums and add_columns equal indexing, sum and sum."""
    counts = sparse.csr_array(X)
    counts.indices, counts.indptr = (a.astype(np.int32) for a in (counts.indices, counts.indptr))
    rows = np.array([4, 0, 1, 0], dtype=np.int32)
    np.testing.assert_array_equal(take_rows(counts, rows).toarray(), X[rows])
    np.testing.assert_array_equal(row_sums(counts, counts.data), X.sum(axis=1))
    out = np.ones(4)
    add_columns(counts, counts.data, out)
    np.testing.assert_array_equal(out, 1 + X.sum(axis=0))
    out = np.zeros(4)
    add_columns(counts, counts.data, out, 2, 4)
    np.testing.assert_array_equal(out, X[2:4].sum(axis=0))


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
