"""Weights by effect and the metrics that use them: values worked by hand."""

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.metrics import effect_weights, r2_weighted, wmse
from tests.support.metric_cases import random_pairs

# |y - m| = 1, 3, 5, 1; scaled 0, 1/2, 1, 0; squared 0, 1/4, 1, 0; over their sum 0, 1/5, 4/5, 0.
Y, M = [2.0, 0.0, 6.0, -2.0], [1.0, 3.0, 1.0, -1.0]
X = [9.0, 2.0, 5.0, 9.0]


def test_weights_by_hand():
    """The least effect weighs nothing, the largest most."""
    np.testing.assert_allclose(effect_weights(Y, M), [[0, 0.2, 0.8, 0]], atol=1e-15)


def test_wmse_by_hand():
    """Errors 2 and -1 count, those of the weightless genes do not: 0.2 * 4 + 0.8 * 1."""
    assert wmse(X, Y, M) == pytest.approx([1.6])


def test_r2_weighted_by_hand():
    """For d = 1, -3, 5, -1 mean 3.4 and variance 0.2 * 6.4^2 + 0.8 * 1.6^2 = 10.24."""
    assert r2_weighted(X, Y, M) == pytest.approx([1 - 1.6 / 10.24])


def test_the_mean_of_all_others_has_no_skill():
    """Its weighted R2 is never above 0 (Mejia et al., appendix B)."""
    _, y = random_pairs()
    m = y.mean(axis=0)
    assert (r2_weighted(np.tile(m, (len(y), 1)), y, m) <= 0).all()


def test_one_mean_for_all_is_its_copies():
    """Given once or a row each."""
    x, y = random_pairs()
    m = y.mean(axis=0)
    each = np.tile(m, (len(y), 1))
    np.testing.assert_array_equal(wmse(x, y, m), wmse(x, y, each))
    np.testing.assert_array_equal(r2_weighted(x, y, m), r2_weighted(x, y, each))
    with pytest.raises(InputError, match="line_mean"):
        wmse(x, y, m[:3])


@pytest.mark.parametrize("m", [[2.0, 0.0, 6.0, -2.0], [1.0, 1.0, 5.0, -3.0]])
def test_without_an_effect_to_weigh_by_there_is_no_score(m):
    """Where y is m, or every gene departs by 1: NaN, not uniform weights."""
    assert np.isnan(effect_weights(Y, m)).all()
    assert np.isnan([*wmse(X, Y, m), *r2_weighted(X, Y, m)]).all()


def test_a_shift_of_everything_changes_nothing():
    """Both metrics depend on x - y and y - m only."""
    x, y = random_pairs(dtype=np.float64)
    m = y.mean(axis=0)
    np.testing.assert_allclose(wmse(x + 1, y + 1, m + 1), wmse(x, y, m), rtol=1e-9)
    np.testing.assert_allclose(r2_weighted(x + 1, y + 1, m + 1), r2_weighted(x, y, m), rtol=1e-9)
