"""All metrics alike: agreement with scipy and scikit-learn, what is undefined, and bounds."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn import metrics as sk

from lgr_core import metrics
from lgr_core.metrics import METRICS, score
from tests.support.metric_cases import random_pairs

REFERENCES = {
    "pearson_delta": lambda x, y: stats.pearsonr(x, y).statistic,
    "cosine": lambda x, y: sk.pairwise.cosine_similarity(x[None], y[None])[0, 0],
    "mae_delta": lambda x, y: sk.mean_absolute_error(y, x),
    "mse_delta": lambda x, y: sk.mean_squared_error(y, x),
    "sign_accuracy": lambda x, y: np.mean(np.sign(x) == np.sign(y)),
    "sign_accuracy_nonzero": lambda x, y: sk.accuracy_score(np.sign(y[y != 0]), np.sign(x[y != 0])),
    "r2_fit": lambda x, y: stats.linregress(x, y).rvalue ** 2,
    "slope": lambda x, y: stats.linregress(x, y).slope,
    "r2_det": lambda x, y: sk.r2_score(y, x),
    "spearman_delta": lambda x, y: stats.spearmanr(x, y).statistic,
    "magnitude_ratio": lambda x, y: np.linalg.norm(x) / np.linalg.norm(y),
}

EIGHTHS = st.integers(-800, 800).map(lambda i: i / 8)
ROWS = arrays(np.float64, (3, 12), elements=EIGHTHS)

PAPER = [name for name, metric in METRICS.items() if metric.paper]
MOMENTS = [*PAPER, "slope", "r2_det", "magnitude_ratio"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", REFERENCES)
def test_agrees_with_scipy_and_scikit_learn(name, dtype):
    """Row by row, on what the library says of the same numbers in float64."""
    x, y = random_pairs(dtype=dtype)
    wide = zip(x.astype(np.float64), y.astype(np.float64), strict=True)
    expected = [REFERENCES[name](a, b) for a, b in wide]
    np.testing.assert_allclose(METRICS[name].compute(x, y), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["pearson_delta", "r2_fit", "slope", "r2_det", "spearman_delta"])
def test_a_large_common_offset_costs_no_digits(name):
    """Values 1e6 away from zero correlate as they do near it: sums are taken about the mean."""
    x, y = random_pairs(dtype=np.float64)
    near = METRICS[name].compute(x, y)
    np.testing.assert_allclose(METRICS[name].compute(x + 1e6, y + 1e6), near, rtol=0, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, -1e-7])
@pytest.mark.parametrize("name", ["pearson_delta", "r2_fit", "slope", "spearman_delta"])
def test_a_constant_vector_correlates_with_nothing(name, value):
    """NaN on either side and on both, never 0, also where the mean of a constant is rounded."""
    constant, varied = np.full(2001, value), np.arange(2001.0)
    rows = [constant, varied, constant], [varied, constant, constant]
    assert np.isnan(METRICS[name].compute(*map(np.array, rows))).all()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("cosine", [0, 0, 0], [1, 2, 3]),
        ("cosine", [1, 2, 3], [0, 0, 0]),
        ("r2_det", [1, 2, 3], [4, 4, 4]),
        ("magnitude_ratio", [1, 2, 3], [0, 0, 0]),
        ("sign_accuracy_nonzero", [1, 2, 3], [0, 0, 0]),
        ("sign_accuracy_top50", [1, 2, 3], [0, 0, 0]),
    ],
)
def test_a_division_by_zero_is_nan(name, x, y):
    """What the formula cannot say is not said, and nothing is warned about."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(METRICS[name].compute(x, y)).all()


@settings(deadline=None)
@given(x=ROWS, y=ROWS, a=st.floats(1e-3, 1e3), b=st.floats(1e-3, 1e3))
def test_shape_alone_decides_pearson_and_cosine(x, y, a, b):
    """Any positive scale of either side leaves them as they are, and NaN where they were NaN."""
    for metric in (metrics.pearson_delta, metrics.cosine, metrics.spearman_delta):
        np.testing.assert_allclose(metric(a * x, b * y), metric(x, y), atol=1e-9)


def test_rounding_takes_no_correlation_past_one():
    """Of 500 scaled copies some would come out above 1 by the last bit."""
    _, y = random_pairs(n=500, dtype=np.float64)
    for metric in (metrics.pearson_delta, metrics.cosine, metrics.r2_fit):
        assert metric(0.1 * y, y).max() == 1.0


@settings(deadline=None)
@given(x=ROWS, y=ROWS)
def test_scores_stay_within_their_bounds(x, y):
    """Correlations in [-1, 1], shares in [0, 1], R2 at most 1, whatever the rounding."""
    scores = score(x, y)
    for name in ("pearson_delta", "cosine", "spearman_delta"):
        assert not (np.abs(scores[name]) > 1).any()
    for name in ("sign_accuracy", "sign_accuracy_nonzero", "sign_accuracy_top50", "r2_fit"):
        assert not ((scores[name] < 0) | (scores[name] > 1)).any()
    assert not (scores["r2_det"] > 1).any()


@settings(deadline=None)
@given(y=ROWS)
def test_a_perfect_prediction_is_best_or_undefined(y):
    """No rounding takes the truth off a metric's best value."""
    scores = score(y, y)
    for name in MOMENTS:
        defined = scores[name][~np.isnan(scores[name])]
        np.testing.assert_allclose(defined, METRICS[name].best, atol=1e-12)
    assert not np.isnan(scores["mse_delta"]).any()
