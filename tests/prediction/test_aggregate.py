"""A mean is a mean: hand-worked."""

import numpy as np
import pytest

from lgr_core.errors import UsageError
from lgr_core.prediction.aggregate import aggregate


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
