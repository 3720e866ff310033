"""Weights of measured doses for one between them, by hand; strength learned on planted curves."""

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.prediction.dose_weights import (
    DoseSeries,
    curve_rule,
    curve_weights,
    interpolation_weights,
    learn_curve,
    mean_weights,
    nearest_weights,
)

TENFOLD = np.array([0.1, 1.0, 10.0])


def test_without_strength_every_dose_weighs_the_same():
    """And the dose asked for does not count."""
    np.testing.assert_allclose(curve_weights(TENFOLD, 5, 0), [1 / 3] * 3)
    np.testing.assert_allclose(mean_weights(TENFOLD, 0.2), [1 / 3] * 3)


def test_two_doses_by_hand():
    """Tenfold apart, k = exp(-1/2); the lower dose itself, at strength s.

    Centred on two doses K has one direction, of size 1 - k; so has the new dose, (1 - k) / 2 each
    way: w = 1/2 +- (1 - k) / 2 / (1 - k + 1 / s).
    """
    k, s = np.exp(-0.5), 2.0
    more = (1 - k) / 2 / (1 - k + 1 / s)
    found = curve_weights(np.array([1.0, 10.0]), 1.0, s)
    np.testing.assert_allclose(found, [0.5 + more, 0.5 - more])


@pytest.mark.parametrize("strength", [0.1, 1.0, 1e6])
def test_weights_add_up_to_one(strength):
    """At any strength, with the nearer dose ahead of the farther."""
    weights = curve_weights(TENFOLD, 4.0, strength)
    assert weights.sum() == pytest.approx(1)
    assert weights[2] > weights[0]


def test_strong_curves_pass_through_what_was_measured():
    """With next to no noise, a measured dose has its own value."""
    np.testing.assert_allclose(curve_weights(TENFOLD, 1.0, 1e9), [0, 1, 0], atol=1e-6)


def test_rivals_by_hand():
    """The root of 10 lies midway between 1 and 10: half of both, and the lower is nearest."""
    midway = float(np.sqrt(10))
    np.testing.assert_allclose(interpolation_weights(TENFOLD, midway), [0, 0.5, 0.5])
    np.testing.assert_array_equal(nearest_weights(TENFOLD, midway), [0, 1, 0])
    np.testing.assert_array_equal(nearest_weights(TENFOLD, 9), [0, 0, 1])


def test_inner_doses_are_left_out():
    """The mean of 1 and 5 is 3, for the inner dose of 4."""
    series = DoseSeries("d", TENFOLD, np.array([[1.0], [4.0], [5.0]]))
    predicted, measured = series.held_out(mean_weights)
    np.testing.assert_allclose((predicted, measured), ([[3.0]], [[4.0]]))
    assert series.spans(2)
    assert not series.spans(10)


def _planted(slope, noise, n=12):
    """Drugs of five doses: a straight line over log dose, or none, and noise."""
    rng = np.random.default_rng(0)
    doses = 10.0 ** np.arange(-2, 3)
    lines = slope * np.arange(5.0)[:, None] * np.sign(rng.standard_normal((n, 1, 20)))
    changes = lines + noise * rng.standard_normal((n, 5, 20))
    return [DoseSeries(f"d{i}", doses, one) for i, one in enumerate(changes)]


def test_strength_follows_what_is_planted():
    """Clear lines over the dose ask for the strongest curve, noise alone for the mean."""
    assert learn_curve(_planted(1.0, 0.01)).strength == 3
    assert learn_curve(_planted(0.0, 1.0)).strength <= 0.03


def test_the_interval_holds_nine_in_ten():
    """Of the values it was learned on, by construction; of new ones about as many."""
    learned = learn_curve(_planted(0.0, 1.0, n=60))
    (new,) = _planted(0.0, 1.0, n=1)
    assert learned.n_held_out == 180
    predicted, measured = new.held_out(curve_rule(learned.strength))
    held = np.abs(measured - predicted) <= learned.half_width
    assert 0.75 < held.mean() <= 1


def test_too_few_inner_doses_teach_nothing():
    """Two drugs of three doses: the mean, and no interval."""
    found = learn_curve([DoseSeries("d", TENFOLD, np.ones((3, 2)))] * 2)
    assert (found.strength, found.half_width, found.n_held_out) == (0, None, 2)


def test_doses_must_ascend():
    """A dose of zero has no logarithm."""
    with pytest.raises(InputError):
        DoseSeries("d", np.array([0.0, 1.0]), np.ones((2, 1)))
