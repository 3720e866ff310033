"""A mean is a mean: hand-worked."""

import numpy as np
import pytest

from lgr_core.errors import UsageError
from lgr_core.prediction.aggregate import AGGREGATES, WEIGHTS, check_aggregate, shrunken_weights


def weights_of(how, deltas, scores=None):
    """The weights of neighbours with these deltas and scores."""
    given = [None] * len(deltas) if scores is None else scores
    return WEIGHTS[how](given, lambda: np.asarray(deltas))


def test_mean_is_the_uniform_weighted_sum():
    """Equation 4 on three neighbours and two genes."""
    deltas = np.array([[1, 0], [2, 3], [6, 0]], dtype=np.float32)
    weights = weights_of("mean", deltas)
    np.testing.assert_allclose(weights, [1 / 3] * 3)
    np.testing.assert_allclose(weights @ deltas, [3, 1])


def test_an_unknown_aggregation_is_refused():
    """The known ones are named."""
    with pytest.raises(UsageError, match="Choose one of: mean"):
        check_aggregate("magic")
    for how in AGGREGATES:
        check_aggregate(how)


def test_the_median_alone_reads_deltas():
    """The others weigh by rank and score."""

    def read():
        raise LookupError

    for how in set(WEIGHTS) - {"median"}:
        WEIGHTS[how]([0.5, 0.1], read)
    with pytest.raises(LookupError):
        WEIGHTS["median"]([0.5, 0.1], read)


def test_weights_by_rank_and_by_score():
    """Hand-worked: of three, 3/6, 2/6 and 1/6; scores in proportion, a negative one as 0."""
    deltas = np.array([[6.0, 0], [3, 3], [0, 6]], dtype=np.float32)
    weights = weights_of("rank_weighted", deltas)
    np.testing.assert_allclose(weights, [1 / 2, 1 / 3, 1 / 6])
    np.testing.assert_allclose(weights @ deltas, [4, 2])
    weights = weights_of("score_weighted", deltas, [0.6, 0.2, -0.4])
    np.testing.assert_allclose(weights, [0.75, 0.25, 0])


@pytest.mark.parametrize("scores", [None, [0.5, None, 0.1], [0.0, -1.0, 0.0]])
def test_without_scores_all_weigh_alike(scores):
    """None given, one missing, or none above 0: the uniform mean."""
    np.testing.assert_allclose(weights_of("score_weighted", np.eye(3), scores), 1 / 3)


def test_the_median_does_not_follow_one_that_is_far_away():
    """Of three corners of a square it is their Fermat point; far away, a fourth hardly counts."""
    deltas = np.array([[0.0, 0], [1, 0], [0, 1]])
    weights = weights_of("median", deltas)
    side = (3 - 3**0.5) / 6  # the point that sees all three sides under 120 degrees
    np.testing.assert_allclose(weights @ deltas, [side, side], atol=1e-6)
    np.testing.assert_allclose(weights.sum(), 1)
    near = np.array([[1.0, 0], [1.1, 0], [0.9, 0], [1000, 0]])
    assert (weights_of("median", near) @ near)[0] < 1.2
    np.testing.assert_allclose(weights_of("median", np.ones((3, 2))), 1 / 3)


def test_shrunken_weights_sum_to_one():
    """Two of eight candidates, a quarter of the pool mean."""
    neighbor, other = shrunken_weights(2, 8, 0.25)
    assert (neighbor, other) == (0.75 / 2 + 0.25 / 8, 0.25 / 8)
    assert 2 * neighbor + 6 * other == pytest.approx(1)
