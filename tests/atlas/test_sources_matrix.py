"""Counts on disk, read in runs of rows."""

import h5py
import numpy as np
import pytest
from scipy import sparse

from lgr_core.atlas.sources.matrix import check_counts, find_counts, open_matrix, read_blocks
from lgr_core.errors import InputError, NotCountsError
from tests.support.count_files import write_h5ad

X = np.array([[0, 3, 0, 1], [0, 0, 0, 0], [2, 0, 0, 0], [1, 1, 1, 1], [0, 0, 9, 0]], dtype=float)
OBS = {"cell_line": ["A"] * 5}


def as_csr(matrix):
    """CSR with float64 data and int64 indices, as some writers have it."""
    rows = sparse.csr_matrix(matrix)
    rows.indices, rows.indptr = rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
    return rows


@pytest.fixture(params=["csr", "contiguous", "chunked"])
def file(request, tmp_path):
    """The same counts in every form that can be read."""
    path = write_h5ad(tmp_path / "x.h5ad", as_csr(X) if request.param == "csr" else X, OBS)
    if request.param == "chunked":
        with h5py.File(path, "a") as f:
            del f["X"]
            f.create_dataset("X", data=X, chunks=(2, 3), compression="gzip")
    with h5py.File(path) as f:
        yield f


def test_blocks_hold_every_row_once(file):
    """Whatever the bounds, the blocks put together are the matrix, in the types promised."""
    matrix = find_counts(file)
    for first, max_nonzeros in [(0, 100), (1, 100), (0, 4), (2, 4), (0, 1)]:
        blocks = list(read_blocks(matrix, first, len(X), max_nonzeros))
        starts = np.cumsum([first, *(rows.shape[0] for _, rows in blocks)])
        assert [start for start, _ in blocks] == starts[:-1].tolist()
        np.testing.assert_array_equal(np.vstack([rows.toarray() for _, rows in blocks]), X[first:])
        assert all(rows.indices.dtype == rows.indptr.dtype == np.int32 for _, rows in blocks)
        assert all(rows.data.dtype == np.float32 for _, rows in blocks)


def test_blocks_stay_within_their_bounds(tmp_path):
    """A block has at most so many stored values, but at least one row."""
    with h5py.File(write_h5ad(tmp_path / "x.h5ad", as_csr(X), OBS)) as f:
        blocks = [rows for _, rows in read_blocks(find_counts(f), 0, 5, 3)]
    assert [(rows.shape[0], rows.nnz) for rows in blocks] == [(3, 3), (1, 4), (1, 1)]


def test_a_gene_that_stands_twice_in_a_row_is_added_up(tmp_path):
    """A CSR that is not canonical is read as what it means, also across empty rows."""
    path = write_h5ad(tmp_path / "x.h5ad", as_csr(X), OBS)
    with h5py.File(path, "a") as f:
        f["X/indices"][:2] = [1, 1]
    with h5py.File(path) as f:
        rows = open_matrix(f, "X").read(0, 2)
    np.testing.assert_array_equal(rows.toarray(), [[0, 4, 0, 0], [0, 0, 0, 0]])


def test_genes_out_of_order_are_read_right(tmp_path):
    """Indices need not ascend within a row."""
    path = write_h5ad(tmp_path / "x.h5ad", as_csr(X), OBS)
    with h5py.File(path, "a") as f:
        f["X/indices"][:2] = [3, 1]
    with h5py.File(path) as f:
        np.testing.assert_array_equal(open_matrix(f, "X").read(0, 1).toarray(), [[0, 1, 0, 3]])


def test_an_index_outside_the_matrix_is_refused(tmp_path):
    """A damaged file must not write outside an array."""
    path = write_h5ad(tmp_path / "x.h5ad", as_csr(X), OBS)
    with h5py.File(path, "a") as f:
        f["X/indices"][0] = 4
    with h5py.File(path) as f, pytest.raises(InputError, match="outside its 4"):
        find_counts(f)


def test_a_matrix_stored_by_gene_is_refused(tmp_path):
    """The message holds the lines that convert it."""
    path = write_h5ad(tmp_path / "x.h5ad", sparse.csc_matrix(X), OBS)
    with h5py.File(path) as f, pytest.raises(InputError, match=r"by gene \(CSC\).*a\.X\.tocsr"):
        find_counts(f)


@pytest.mark.parametrize("bad", [-1.0, 0.5, np.nan, np.inf, -np.inf])
def test_values_that_are_no_counts_are_refused_with_their_place(bad):
    """Negative, fractional, missing and infinite values, wherever they stand."""
    rows = sparse.csr_array(X.astype(np.float32))
    rows.data[4] = bad  # row 3, column 1
    with pytest.raises(NotCountsError, match=rf"{bad} in X, row 13, column 1;.*--value-kind"):
        check_counts(rows, "X", first_row=10)


def test_whole_numbers_are_counts():
    """Float32 counts, and rows without any, pass."""
    check_counts(sparse.csr_array(X.astype(np.float32)), "X")
    check_counts(sparse.csr_array((2, 3), dtype=np.float32), "X")


def test_counts_are_found_where_the_file_keeps_them(tmp_path):
    """layers/counts before X, X before raw/X; a log-normalised X is passed over."""
    layered = write_h5ad(tmp_path / "a.h5ad", np.log1p(X), OBS, layers={"counts": X})
    with h5py.File(layered) as f:
        assert find_counts(f).name == "layers/counts"
        with pytest.raises(InputError, match="layers found: counts"):
            find_counts(f, "umi")
    logged = write_h5ad(tmp_path / "b.h5ad", np.log1p(X), OBS, raw={"X": X, "var": {}})
    with h5py.File(logged) as f:
        assert find_counts(f).name == "raw/X"
        with pytest.raises(NotCountsError):
            check_counts(open_matrix(f, "X").read(0, 5), "X")


def test_a_file_without_counts_is_refused(tmp_path):
    """Log-normalised values are named as what they are not."""
    path = write_h5ad(tmp_path / "x.h5ad", np.log1p(X), OBS)
    with h5py.File(path) as f, pytest.raises(NotCountsError, match=r"1\.386294.* in X, row 0"):
        find_counts(f)
