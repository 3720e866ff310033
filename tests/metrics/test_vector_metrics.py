"""Correlations, errors and signs: values worked by hand."""

import numpy as np
import pytest
from scipy import stats

from lgr_core import metrics
from lgr_core.metrics import METRICS
from tests.support.metric_cases import X, Y, random_pairs


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pearson_delta", 4 / 10),
        ("cosine", 10 / np.sqrt(14 * 24)),
        ("mae_delta", (1 + 2 + 3 + 2) / 4),
        ("mse_delta", (1 + 4 + 9 + 4) / 4),
        ("sign_accuracy", 2 / 4),
        ("sign_accuracy_nonzero", 2 / 3),
        ("r2_fit", 0.16),
        ("slope", 4 / 5),
        ("r2_det", 1 - 18 / 20),
        ("magnitude_ratio", np.sqrt(14 / 24)),
    ],
)
def test_by_hand(name, value):
    """Four genes, every sum small enough to check on paper."""
    assert METRICS[name].compute(X, Y) == pytest.approx([value], abs=1e-12)


def test_two_silent_genes_agree_for_the_paper_only():
    """Two zeros are the same sign to the paper; the stricter share asks for genes that changed."""
    x, y = [0, 0, 0, 1, -1], [0, 0, 1, 0, -2]
    assert metrics.sign_accuracy(x, y) == pytest.approx([3 / 5])
    assert metrics.sign_accuracy_nonzero(x, y) == pytest.approx([1 / 2])


def test_slope_is_of_measured_on_predicted():
    """A prediction at half the magnitude has slope 2, not a half."""
    assert metrics.slope([1, 2, 3], [2, 4, 6]) == pytest.approx([2.0])
    assert metrics.magnitude_ratio([1, 2, 3], [2, 4, 6]) == pytest.approx([0.5])


def test_r2_det_is_negative_where_the_mean_fits_better():
    """SST is taken about the measured mean: 1 - 8/2."""
    assert metrics.r2_det([3, 2, 1], [1, 2, 3]) == pytest.approx([-3.0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mae_delta", 2.0),
        ("mse_delta", 6.0),
        ("sign_accuracy", 0.25),
        ("sign_accuracy_nonzero", 0.0),
        ("r2_det", 1 - 24 / 20),
        ("magnitude_ratio", 0.0),
    ],
)
def test_a_prediction_of_no_effect_is_scored_where_it_can_be(name, value):
    """Zero is a prediction: errors, signs and lengths are defined for it."""
    assert METRICS[name].compute([0, 0, 0, 0], Y) == pytest.approx([value])


def test_sums_are_float64_whatever_comes_in():
    """2^24 + 1 is lost in float32: its mean over two genes would come out too small."""
    x = np.array([[2.0**24, 1.0]], dtype=np.float32)
    mae = metrics.mae_delta(x, np.zeros_like(x))
    assert mae.dtype == np.float64
    assert mae[0] == (2**24 + 1) / 2


def test_pearson_vs_line_mean_takes_the_mean_off_both():
    """From x - m = (1, 2, 1, 0) and y - m = (0, 0, 4, -2), about their means 2 / sqrt(2 * 19)."""
    r = metrics.pearson_vs_line_mean(X, Y, [2, 0, 0, 0])
    assert r == pytest.approx([2 / np.sqrt(38)])


def test_pearson_vs_line_mean_takes_one_mean_or_one_a_row():
    """A mean given for all rows is the same as its copies."""
    x, y = random_pairs()
    m = y.mean(axis=0)
    shared = metrics.pearson_vs_line_mean(x, y, m)
    np.testing.assert_array_equal(shared, metrics.pearson_vs_line_mean(x, y, np.tile(m, (40, 1))))
    assert metrics.pearson_vs_line_mean(x[:1], y[:1], m) == pytest.approx(
        [stats.pearsonr(x[0] - m, y[0] - m).statistic], abs=1e-6
    )


def test_the_line_mean_itself_has_no_drug_effect():
    """Up to 1e-5 of its norm away a prediction is the mean, rounded; beyond, it is scored."""
    _, y = random_pairs()
    m = y.mean(axis=0, dtype=np.float64)
    step = np.random.default_rng(3).standard_normal(m.shape)
    step *= np.linalg.norm(m) / np.linalg.norm(step)
    near = metrics.pearson_vs_line_mean(m + 0.9e-5 * step, y[0], m)
    far = metrics.pearson_vs_line_mean(m + 1.1e-5 * step, y[0], m)
    rounded = metrics.pearson_vs_line_mean(m.astype(np.float32), y[0], m)
    assert np.isnan([*near, *rounded]).all()
    assert far == pytest.approx([stats.pearsonr(step, y[0] - m).statistic], abs=1e-6)


def test_a_measurement_equal_to_the_line_mean_is_undefined_too():
    """Correlating with rounding noise would be finite, and mean nothing."""
    x, y = random_pairs()
    m = y[0].astype(np.float64) * (1 + 1e-7)
    assert np.isnan(metrics.pearson_vs_line_mean(x[0], y[0], m))


def test_a_line_mean_of_zero_changes_nothing():
    """With m = 0 the metric is Pearson's r."""
    x, y = random_pairs()
    r = metrics.pearson_vs_line_mean(x, y, np.zeros(x.shape[1]))
    np.testing.assert_allclose(r, metrics.pearson_delta(x, y), rtol=1e-12)


def test_pearson_of_defined_rows_leaves_the_others_open():
    """1 and -1 where both rows are finite; one measured row serves all."""
    predicted = [[1.0, 2.0, 3.0], [3.0, 2.0, 1.0], [1.0, np.nan, 3.0]]
    found = metrics.pearson_of_defined(predicted, [1.0, 2.0, 3.0])
    np.testing.assert_allclose(found, [1, -1, np.nan])
    measured = [[1.0, 2.0, 3.0], [np.inf, 2.0, 1.0], [1.0, 2.0, 3.0]]
    np.testing.assert_allclose(metrics.pearson_of_defined(predicted, measured), [1, np.nan, np.nan])
    assert np.isnan(metrics.pearson_of_defined([[np.nan, 1.0]], [1.0, 2.0])).all()
