"""Rank correlation and the genes of largest value: by hand, with ties, and to the last bit."""

import numpy as np
import pytest
from scipy import stats

from lgr_core import metrics
from lgr_core.metrics import METRICS
from tests.support.metric_cases import random_pairs

ULP = np.spacing(1.0)


def _noise(n=7, genes=201):
    return np.random.default_rng(4).standard_normal((n, genes))


VALUES = {
    "float32": _noise().astype(np.float32),
    "float64": _noise(),
    "half silent": _noise() * (_noise() > 0),
    "few levels": np.round(_noise()),
    "zeros of both signs": np.copysign(np.round(_noise() / 3), _noise()[::-1]),
    "next to each other": 1 + ULP * np.round(100 * _noise()),
    "next to each other below zero": -1 - ULP * np.round(100 * _noise()),
    "some rows next to each other": np.where(
        np.arange(7)[:, None] % 3, _noise(), 1 + ULP * _noise()
    ),
    "far from zero": 1e9 + _noise(),
    "next to zero": 5e-324 * np.round(100 * _noise()),
    "next to overflow": np.finfo(np.float64).max * np.clip(_noise(), -1, 1),
}
"""Rows that ranking could get wrong."""


def test_spearman_gives_ties_their_mean_rank():
    """Ranks (1, 2.5, 2.5, 4) and (1, 3, 2, 4): 4.5 / sqrt(4.5 * 5)."""
    rho = metrics.spearman_delta([0, 1, 1, 100], [-5, 2, 1, 3])
    assert rho == pytest.approx([4.5 / np.sqrt(4.5 * 5)])


@pytest.mark.parametrize("kind", VALUES)
def test_spearman_has_scipys_ranks_to_the_last_bit(kind):
    """Twice the rank about the mean is a whole number: sums are exact, so are both sides."""
    x, y = VALUES[kind], VALUES["half silent"][::-1]
    a, b = (2 * stats.rankdata(side, axis=1) - x.shape[1] - 1 for side in (x, y))
    expected = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    np.testing.assert_array_equal(metrics.spearman_delta(x, y), expected)
    np.testing.assert_array_equal(metrics.spearman_delta(y, x), expected)


def test_overlap_counts_genes_in_both_tops():
    """Tops 0-49 and 20-69 share 30 of 50; tops 0-99 and 20-119 share 80 of 100."""
    gene = np.arange(120)
    x = (120 - gene) * (-1.0) ** gene
    y = 120.0 - (gene - 20) % 120
    assert metrics.overlap_at_50(x, y) == pytest.approx([30 / 50])
    assert metrics.overlap_at_100(x, y) == pytest.approx([80 / 100])


def test_genes_tied_for_the_last_places_share_them():
    """Ten genes stand out in x, 90 share 40 places: 10 + 40 * 40/90 of y's top are met."""
    x, y = np.zeros(100), 100.0 - np.arange(100)
    x[:10] = 5
    assert metrics.overlap_at_50(x, y) == pytest.approx([(10 + 40 * 40 / 90) / 50])


def test_a_sparse_truth_overlaps_itself_in_full():
    """Shared places are met by equal shares, so that a perfect prediction stays perfect."""
    y = np.zeros(100)
    y[:10] = 5
    assert metrics.overlap_at_50(y, y) == pytest.approx([1.0])


def test_overlap_does_not_hang_on_the_order_of_genes():
    """A sparse prediction scores the same however the columns stand."""
    x, y = random_pairs(genes=120)
    x[:, 30:] = 0
    order = np.random.default_rng(2).permutation(120)
    shuffled = metrics.overlap_at_50(x[:, order], y[:, order])
    np.testing.assert_allclose(metrics.overlap_at_50(x, y), shuffled, rtol=1e-12)


def _share(values, k):
    """How much of each gene is among the k largest: places left by those above, over those tied."""
    above = (values[:, None] < values).sum(axis=1)
    tied = (values[:, None] == values).sum(axis=1)
    return np.clip((k - above) / tied, 0, 1)


@pytest.mark.parametrize("k", [50, 100])
@pytest.mark.parametrize("kind", VALUES)
def test_overlap_is_the_sum_of_the_smaller_shares(kind, k):
    """Gene by gene, straight from the definition, with ties at the edge of either side."""
    x, y = VALUES[kind], VALUES["few levels"][::-1]
    sides = zip(np.abs(x), np.abs(y), strict=True)
    expected = [np.minimum(_share(a, k), _share(b, k)).sum() / k for a, b in sides]
    np.testing.assert_allclose(METRICS[f"overlap_at_{k}"].compute(x, y), expected, rtol=1e-12)


@pytest.mark.parametrize("name", ["overlap_at_50", "overlap_at_100"])
def test_overlap_needs_a_top(name):
    """All genes tied, in x or in y, or a panel no larger than the top: nothing to overlap."""
    flat, steep = np.where(np.arange(120) % 2, 1.0, -1.0), np.arange(120.0)
    k = int(name.rsplit("_", 1)[1])
    compute = METRICS[name].compute
    assert np.isnan(compute([flat, steep], [steep, flat])).all()
    assert np.isnan(compute(steep[:k], steep[:k]))
    assert compute(steep[: k + 1], steep[: k + 1]) == [1.0]


def test_sign_accuracy_top50_looks_at_the_largest_measured():
    """Ten of the top 50 signs are wrong; ten more outside are of no account."""
    y = (60.0 - np.arange(60)) * (-1.0) ** np.arange(60)
    x = y / 100
    x[:10] *= -1
    x[50:] *= -1
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([40 / 50])


def test_sign_accuracy_top50_shares_tied_places():
    """20 tied genes share 10 places; five of them right add 2.5 to the 40 above."""
    y = np.where(np.arange(60) < 40, 100.0, 1.0)
    x = np.where(np.arange(60) < 45, 1.0, -1.0)
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([42.5 / 50])


def test_sign_accuracy_top50_leaves_silent_genes_out():
    """Where four genes changed, silence predicted for the other 56 earns nothing: two of four."""
    x, y = np.zeros(60), np.zeros(60)
    y[:4] = [1, -2, 3, -4]
    x[:2] = [1, -1]
    assert metrics.sign_accuracy_top50(x, y) == pytest.approx([2 / 4])
