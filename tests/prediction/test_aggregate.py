"""A mean is a mean: hand-worked."""

import numpy as np
import pytest

from lgr_core.errors import UsageError
from lgr_core.prediction.aggregate import aggregate, shrunken_weights


def test_mean_is_the_uniform_weighted_sum():
    """Equation 4 on three neighbours and two genes."""
    deltas = np.array([[1, 0], [2, 3], [6, 0]], dtype=np.float32)
    delta, weights = aggregate(deltas, "mean")
    np.testing.assert_array_equal(delta, [3, 1])
    np.testing.assert_allclose(weights, [1 / 3] * 3)


def test_sums_are_kept_in_float64():
    """Large values that cancel leave the small one: float32 sums would lose it."""
    deltas = np.array([[1e8], [1.0], [-1e8]], dtype=np.float32)
    assert aggregate(deltas)[0][0] == pytest.approx(1 / 3)


def test_unknown_or_empty_is_refused():
    """No name, no neighbours: no number."""
    with pytest.raises(UsageError, match="Choose one of: mean"):
        aggregate(np.ones((1, 1)), "magic")
    with pytest.raises(UsageError, match="no neighbour"):
        aggregate(np.ones((0, 1)))


def test_weights_by_rank_and_by_score():
    """Hand-worked: of three, 3/6, 2/6 and 1/6; scores in proportion, a negative one as 0."""
    deltas = np.array([[6.0, 0], [3, 3], [0, 6]], dtype=np.float32)
    delta, weights = aggregate(deltas, "rank_weighted")
    np.testing.assert_allclose(weights, [1 / 2, 1 / 3, 1 / 6])
    np.testing.assert_allclose(delta, [4, 2])
    delta, weights = aggregate(deltas, "score_weighted", scores=[0.6, 0.2, -0.4])
    np.testing.assert_allclose(weights, [0.75, 0.25, 0])
    np.testing.assert_allclose(delta, [5.25, 0.75])


@pytest.mark.parametrize("scores", [None, [0.5, None, 0.1], [0.0, -1.0, 0.0]])
def test_without_scores_all_weigh_alike(scores):
    """None given, one missing, or none above 0: the uniform mean."""
    _, weights = aggregate(np.eye(3), "score_weighted", scores=scores)
    np.testing.assert_allclose(weights, 1 / 3)


def test_the_median_does_not_follow_one_that_is_far_away():
    """Of three corners of a square it is their Fermat point; far away, a fourth hardly counts."""
    deltas = np.array([[0.0, 0], [1, 0], [0, 1]])
    delta, weights = aggregate(deltas, "median")
    side = (3 - 3**0.5) / 6  # the point that sees all three sides under 120 degrees
    np.testing.assert_allclose(delta, [side, side], atol=1e-6)
    np.testing.assert_allclose(weights.sum(), 1)
    near = np.array([[1.0, 0], [1.1, 0], [0.9, 0], [1000, 0]])
    assert aggregate(near, "median")[0][0] < 1.2
    same, weights = aggregate(np.ones((3, 2)), "median")
    np.testing.assert_allclose(same, 1)


def test_shrunken_weights_sum_to_one():
    """Two of eight candidates, a quarter of the pool mean."""
    neighbor, other = shrunken_weights(2, 8, 0.25)
    assert (neighbor, other) == (0.75 / 2 + 0.25 / 8, 0.25 / 8)
    assert 2 * neighbor + 6 * other == pytest.approx(1)
