"""Hill curves: planted ones are found, and what they cannot tell is not said."""

import numpy as np
import pytest

from lgr_core.errors import InputError
from lgr_core.prediction.hill import fit_hill, hill_curve

DOSES = 10.0 ** np.linspace(-2, 1, 7)


def test_half_the_effect_at_the_ec50():
    """And top / (1 + 2^-n) at twice that."""
    np.testing.assert_allclose(hill_curve(np.array([0.2, 0.4]), 3, 0.2, 1.0), [1.5, 2.0])


@pytest.mark.parametrize(("top", "ec50", "slope"), [(2.0, 0.3, 1.2), (-1.5, 1.0, 2.0)])
def test_planted_curves_are_found(top, ec50, slope):
    """From seven doses without noise."""
    found = fit_hill(DOSES, hill_curve(DOSES, top, ec50, slope))
    assert (found.top, found.ec50_um, found.slope) == pytest.approx((top, ec50, slope), rel=1e-3)
    assert found.r2 == pytest.approx(1)
    np.testing.assert_allclose(found.at(DOSES), hill_curve(DOSES, top, ec50, slope), rtol=1e-3)


def test_an_ec50_beyond_what_was_measured_is_not_known():
    """Half of the effect would be reached at 1 mM."""
    found = fit_hill(DOSES, hill_curve(DOSES, 5.0, 1_000.0, 1.0))
    assert found.ec50_um is None


def test_noise_has_no_ec50():
    """Up and down again: the best curve explains less than half."""
    found = fit_hill(DOSES, np.array([1.0, -1, 1, -1, 1, -1, 1]))
    assert found.r2 < 0.5
    assert found.ec50_um is None


def test_what_does_not_vary_or_has_three_doses_has_no_curve():
    """Three parameters ask for four doses."""
    assert fit_hill(DOSES, np.zeros(7)) is None
    with pytest.raises(InputError):
        fit_hill(DOSES[:3], np.ones(3))
