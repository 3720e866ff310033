"""Dynamic range fraction, bound discrimination and anchored scores: values worked by hand."""

import numpy as np
import pytest

from lgr_core.metrics import (
    METRICS,
    MIN_PARENTS,
    anchored_score,
    bound_discrimination_score,
    dynamic_range_fraction,
)

R, MSE, SLOPE = (METRICS[name] for name in ("pearson_delta", "mse_delta", "slope"))


def test_range_of_a_metric_that_should_be_high():
    """From 0.2 to 1 a replicate of 0.6 reaches half; below the baseline the share is negative."""
    found = dynamic_range_fraction([0.6, 0.0, 0.2], [0.2, 0.2, 0.2], R)
    np.testing.assert_allclose(found, [0.5, -0.25, 0], atol=1e-5)


def test_range_of_a_metric_that_should_be_low():
    """From 0.4 down to 0 a replicate of 0.1 reaches three quarters."""
    np.testing.assert_allclose(dynamic_range_fraction([0.1], [0.4], MSE), [0.75], atol=1e-5)


def test_range_of_a_metric_with_a_middle():
    """Slopes of 0.5 and 1.5 lie equally far from 1; a replicate at 1.25 gains half of that."""
    found = dynamic_range_fraction([0.5, 1.25], [1.5, 1.5], SLOPE)
    np.testing.assert_allclose(found, [0, 0.5], atol=1e-5)


def test_range_is_cut_and_undefined_where_a_score_is():
    """A replicate far worse counts -1; a missing score stays missing."""
    found = dynamic_range_fraction([0.1, np.nan, 0.3], [0.9, 0.5, np.nan], R)
    np.testing.assert_array_equal(found, [-1, np.nan, np.nan])
    assert np.isnan(dynamic_range_fraction([1.0], [1.5], R))


def test_bound_discrimination_counts_won_queries():
    """A tie is no win; the mean over queries is the score."""
    found = bound_discrimination_score([0.3, 0.1, 0.2, np.nan], [0.2, 0.2, 0.2, 0.2], R)
    np.testing.assert_array_equal(found, [1, 0, 0, np.nan])
    np.testing.assert_array_equal(bound_discrimination_score([0.3, 0.1], [0.2, 0.2], MSE), [0, 1])


def test_anchored_scores_by_hand():
    """From a baseline of 0.1 to a replicate of 0.5, 0.2 stands at a quarter; MSE likewise."""
    few, enough = MIN_PARENTS - 1, MIN_PARENTS
    about = {"baseline": 0.1, "replicate": 0.5, "metric": R}
    assert anchored_score(0.2, n_parents=enough, **about) == pytest.approx(0.25)
    assert np.isnan(anchored_score(0.2, n_parents=few, **about))
    found = anchored_score(0.3, baseline=0.4, replicate=0.2, metric=MSE, n_parents=enough)
    assert found == pytest.approx(0.5)


def test_a_replicate_below_the_baseline_anchors_nothing():
    """A scale without range has no positions on it."""
    found = anchored_score(0.2, baseline=0.337, replicate=0.189, metric=R, n_parents=300)
    assert np.isnan(found)
