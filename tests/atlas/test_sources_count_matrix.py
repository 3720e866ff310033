"""Counts on disk, read in runs of rows."""

import anndata
import h5py
import numpy as np
import pytest
from scipy import sparse

from lgr_core.atlas.sources.count_matrix import check_counts, open_matrix, read_blocks
from lgr_core.atlas.sources.counts_place import find_counts, usable_layers
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


@pytest.fixture
def by_gene(tmp_path):
    """A writer of h5ads, counts stored by gene in places of choice."""

    def write(**parts):
        raw = {"raw": {"X": parts.pop("raw"), "var": {}}} if "raw" in parts else {}
        layers = {"layers": {"counts": parts.pop("counts")}} if "counts" in parts else {}
        return write_h5ad(tmp_path / "x.h5ad", parts["X"], OBS, **layers, **raw)

    return write


def test_a_matrix_stored_by_gene_is_read_by_row(by_gene):
    """A CSC of modest size: rows, bounds and types as of any other matrix."""
    with h5py.File(by_gene(X=sparse.csc_matrix(X))) as f:
        matrix = find_counts(f)
        np.testing.assert_array_equal(matrix.nonzeros(0, 5), [0, 2, 2, 3, 7, 8])
        np.testing.assert_array_equal(matrix.nonzeros(2, 4), [2, 3, 7])
        rows = matrix.read(2, 4)
        assert (rows.data.dtype, rows.indices.dtype) == (np.float32, np.int32)
        np.testing.assert_array_equal(rows.toarray(), X[2:4])
        blocks = [part.toarray() for _, part in read_blocks(matrix, 0, 5, 3)]
        np.testing.assert_array_equal(np.vstack(blocks), X)


def test_a_large_matrix_stored_by_gene_is_passed_over(by_gene, monkeypatch):
    """The next place that can be read by row is taken."""
    monkeypatch.setattr("lgr_core.atlas.sources.count_matrix.MOST_BY_GENE", 7)
    path = by_gene(X=np.log1p(X), counts=sparse.csc_matrix(X), raw=as_csr(X))
    with h5py.File(path) as f:
        assert find_counts(f).name == "raw/X"
        with pytest.raises(InputError, match=r"by gene \(CSC\)"):
            find_counts(f, "counts")


@pytest.mark.parametrize("place", ["X", "counts", "raw"])
def test_the_conversion_of_a_large_matrix_leads_somewhere(by_gene, tmp_path, monkeypatch, place):
    """The lines of the message, carried out, make a file that is read."""
    monkeypatch.setattr("lgr_core.atlas.sources.count_matrix.MOST_BY_GENE", 7)
    path = by_gene(**{"X": as_csr(np.log1p(X)), place: sparse.csc_matrix(X)})
    name = {"X": "X", "counts": "layers/counts", "raw": "raw/X"}[place]
    with h5py.File(path) as f, pytest.raises(InputError) as caught:
        open_matrix(f, name)
    names = {"anndata": anndata, "FILE": path, "NEW": tmp_path / "new.h5ad"}
    lines = caught.value.do.removeprefix("Convert it once: ").rstrip(".")
    exec(lines, names)  # noqa: S102 - the advice is what is tested
    with h5py.File(names["NEW"]) as f:
        matrix = find_counts(f)
        np.testing.assert_array_equal(matrix.read(0, 5).toarray(), X)


@pytest.mark.parametrize(
    ("part", "values"),
    [("indices", [9] * 8), ("indptr", [0, 9, 4, 5, 8]), ("indptr", [0, 1]), ("indices", [0])],
)
def test_a_damaged_matrix_stored_by_gene_is_refused(by_gene, part, values):
    """Indices outside, falling bounds, parts of other lengths."""
    path = by_gene(X=sparse.csc_matrix(X))
    with h5py.File(path, "a") as f:
        del f[f"X/{part}"]
        f[f"X/{part}"] = values
    with h5py.File(path) as f, pytest.raises(InputError, match="damaged"):
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


def test_layers_that_hold_counts_are_offered_and_no_others(tmp_path):
    """A layer of logarithms is not named; without any, no layer is."""
    layers = {"umi": X, "logged": np.log1p(X)}
    path = write_h5ad(tmp_path / "x.h5ad", np.log1p(X), OBS, layers=layers)
    with h5py.File(path) as f:
        assert usable_layers(f) == ["logged", "umi"]
        with pytest.raises(NotCountsError) as caught:
            find_counts(f)
        assert "--layer umi." in caught.value.do
        assert find_counts(f, "umi").name == "layers/umi"
        with pytest.raises(NotCountsError) as caught:
            find_counts(f, "logged")
        assert "--layer umi." in caught.value.do
    path = write_h5ad(tmp_path / "y.h5ad", np.log1p(X), OBS, layers={"logged": np.log1p(X)})
    with h5py.File(path) as f, pytest.raises(NotCountsError) as caught:
        find_counts(f)
    assert "--layer" not in caught.value.do
