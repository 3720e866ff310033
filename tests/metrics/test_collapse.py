"""Collapse, and the error without noise: values worked by hand."""

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.metrics import collapse, mean_pairwise_pearson, mse_delta, mse_noise_corrected

# Pairs correlate 1, -1/2 and -1/2 on three genes: (1, 0, -1), (2, 0, -2) and (0, -1, 1).
ROWS = np.array([[1.0, 0, -1], [2, 0, -2], [0, -1, 1]])


def test_mean_pairwise_pearson_by_hand():
    """(1 - 1/2 - 1/2) / 3; an offset and a scale of a row change nothing."""
    assert mean_pairwise_pearson(ROWS) == pytest.approx(0.0, abs=1e-12)
    assert mean_pairwise_pearson(ROWS[:2] + 5) == pytest.approx(1.0)
    assert mean_pairwise_pearson(ROWS[1:]) == pytest.approx(-0.5)


def test_collapse_is_a_ratio_of_means():
    """Predictions alike with r 1, truths with r 1/2: they are twice as alike as they should be."""
    truth = np.array([[1.0, 0, -1], [0, 1, -1]])
    same = np.array([[3.0, 2, 1], [9, 8, 7]])
    assert collapse(same, truth) == pytest.approx(2.0)
    assert collapse(truth, truth) == pytest.approx(1.0)


def test_constant_rows_are_left_out_of_both():
    """A prediction of no effect has no direction, and its truth is not compared either."""
    truth = np.array([[1.0, 0, -1], [0, 1, -1], [1, 0, -1]])
    predicted = np.array([[1.0, 0, -1], [0, 1, -1], [4, 4, 4]])
    assert collapse(predicted, truth) == pytest.approx(1.0)


def test_nothing_to_compare_is_undefined():
    """One query, or truths that are not alike."""
    assert np.isnan(collapse(ROWS[:1], ROWS[:1]))
    assert np.isnan(collapse(ROWS[:2], ROWS[1:]))
    assert np.isnan(mean_pairwise_pearson(np.ones((3, 4))))


def test_the_error_without_noise_by_hand():
    """Errors (1, -2) and (3, 1) from the two measurements: (1 * 3 - 2 * 1) / 2."""
    assert mse_noise_corrected([1, 0], [0, 2], [-2, -1]) == pytest.approx([0.5])


def test_the_error_without_noise_has_the_mean_of_the_true_error():
    """Over many noisy pairs it is 1, where the plain error is 1 + 0.25."""
    rng = np.random.default_rng(0)
    truth = np.zeros((400, 300))
    first, second = truth + 0.5 * rng.standard_normal((2, *truth.shape))
    predicted = truth + rng.choice([-1.0, 1.0], truth.shape)
    assert mse_noise_corrected(predicted, first, second).mean() == pytest.approx(1, abs=0.01)
    assert mse_delta(predicted, first).mean() == pytest.approx(1.25, abs=0.01)


def test_a_replicate_that_is_not_finite_is_named():
    """As the other sides are."""
    with pytest.raises(InputError, match="replicate"):
        mse_noise_corrected([1, 0], [0, 2], [np.nan, 0])
