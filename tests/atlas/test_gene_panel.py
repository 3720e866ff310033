"""The panel: the genes scanpy would choose, from sums alone."""

import warnings

import anndata
import numpy as np
import pytest
import scanpy as sc
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from lgr_core.atlas.gene_panel import seurat_panel, variance_panel


def counts(n_cells=300, n_genes=120, seed=0):
    """Overdispersed counts with genes of very different means, some never seen."""
    rng = np.random.default_rng(seed)
    mean = rng.gamma(0.3, 3.0, n_genes) * (rng.random(n_genes) > 0.1)
    return rng.negative_binomial(2, 2 / (2 + mean), (n_cells, n_genes)).astype(np.float32)


def scanpy_panel(X, n_top):
    """The table of scanpy, for log-normalised cells."""
    adata = anndata.AnnData(sparse.csr_matrix(X))
    sc.pp.normalize_total(adata, target_sum=1e4)
    sc.pp.log1p(adata)
    linear = np.expm1(adata.X).toarray()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sc.pp.highly_variable_genes(adata, flavor="seurat", n_top_genes=n_top)
    return adata.var, linear


def moments(linear):
    """Cells, sums and sums of squares: float32 values, as scanpy rounds them, summed in float64."""
    sums = (values.sum(axis=0, dtype=float) for values in (linear, np.square(linear)))
    return len(linear), *sums


def assert_same(X, n_top):
    """The same mask and the same standardised dispersions as scanpy."""
    expected, linear = scanpy_panel(X, n_top)
    panel = seurat_panel(*moments(linear), n_top)
    np.testing.assert_array_equal(panel.mask, expected["highly_variable"])
    np.testing.assert_allclose(
        panel.variability, expected["dispersions_norm"], rtol=1e-5, atol=1e-7
    )


@pytest.mark.parametrize("n_top", [1, 20, 60, 119, 120, 500])
def test_scanpys_genes(n_top):
    """Any size of panel, also larger than the number of genes that vary."""
    assert_same(counts(), n_top)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_scanpys_genes_on_any_data(seed, n_top):
    """Other counts, other sizes."""
    assert_same(counts(60, 60, seed), n_top)


def test_genes_never_seen():
    """Most genes all zero: they are in no panel."""
    X = counts()
    X[:, 30:] = 0
    assert_same(X, 25)
    assert_same(X, 100)


def test_ties_at_the_cut_are_all_in():
    """Copies of one gene have one dispersion; the cut cannot part them."""
    X = counts(n_genes=40)
    X[:, 10:20] = X[:, [5]]
    assert_same(X, 6)
    _, linear = scanpy_panel(X, 6)
    sizes = [seurat_panel(*moments(linear), n).mask.sum() for n in range(1, 40)]
    assert any(np.diff(sizes) >= 10)


def test_a_bin_of_one_gene_counts_one():
    """One gene far above the others stands alone in its bin."""
    X = counts(n_genes=50)
    X[:, 0] = np.random.default_rng(1).poisson(4_000, len(X))
    assert_same(X, 10)
    _, linear = scanpy_panel(X, 10)
    assert seurat_panel(*moments(linear), 10).variability[0] == 1.0


def test_a_worked_panel():
    """Two bins: genes 0-2 near 1, genes 3-5 near 100; hand-made moments, one winner in each."""
    mean = np.array([1.0, 1.0, 1.0, 100.0, 100.0, 100.0])
    variance = np.array([1.0, 1.0, np.e**3, 100.0, 100.0, 100 * np.e**3])
    n = 10
    sumsq = n * (variance * (n - 1) / n + mean**2)
    panel = seurat_panel(n, n * mean, sumsq, 2)
    # ln dispersions 0, 0, 3: mean 1, standard deviation sqrt(3); (3 - 1) / sqrt(3) = 1.1547.
    expected = [-0.57735, -0.57735, 1.154701] * 2
    np.testing.assert_allclose(panel.variability, expected, rtol=1e-5)
    assert panel.mask.tolist() == [False, False, True, False, False, True]


def test_nothing_varies():
    """Where no dispersion is defined, all genes stay."""
    panel = seurat_panel(4, np.zeros(3), np.zeros(3), 2)
    assert panel.mask.all()
    assert np.isnan(panel.variability).all()


def test_variance_panel():
    """Variances 0, 1 and 4 over two conditions."""
    panel = variance_panel(np.array([[1.0, 0.0, 0.0], [1.0, 2.0, 4.0]], dtype=np.float32), 1)
    assert panel.variability.tolist() == [0.0, 1.0, 4.0]
    assert panel.mask.tolist() == [False, False, True]


def test_variance_ties_go_to_the_earlier_gene():
    """The panel has the size asked for, or all genes."""
    deltas = np.array([[0.0, 1.0, 1.0], [0.0, -1.0, -1.0]])
    assert variance_panel(deltas, 1).mask.tolist() == [False, True, False]
    assert variance_panel(deltas, 9).mask.all()
