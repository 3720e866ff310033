"""Hill curves of a change over the dose, fitted by least squares. NumPy in, NumPy out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.errors import InputError

FEWEST_DOSES = 4
"""Doses from which on a curve of three parameters is fitted."""

EXPLAINED = 0.5
"""Share of the variance over doses from which on a curve tells an EC50."""

STEEPEST = 5.0
"""The largest slope that is told apart; data with one dose between none and all tell no more."""

_END = 1e-3
_SLOPES = (0.3, STEEPEST)
_STARTS = (0.25, 0.5, 0.75)
"""Where between the lowest and the highest dose, on a log scale, the search for the EC50 begins."""


@dataclass(frozen=True, slots=True)
class HillFit:
    """A Hill curve ``top d^slope / (d^slope + ec50^slope)``: no change without the drug.

    ``r2`` is the share of the variance over doses that it explains. ``ec50_um`` is None where the
    half-maximal dose lies at an end of what was measured, and where the curve explains less than
    half of the variance: it is then not known. A ``slope`` of 5 means 5 or steeper.
    """

    top: float
    ec50_um: float | None
    slope: float
    r2: float
    fitted_ec50_um: float

    def at(self, doses_um: FloatArray) -> FloatArray:
        """The curve at doses (n,)."""
        return hill_curve(doses_um, self.top, self.fitted_ec50_um, self.slope)


def hill_curve(doses_um: FloatArray, top: float, ec50_um: float, slope: float) -> FloatArray:
    """``top / (1 + (ec50 / d)^slope)`` at doses (n,) above zero."""
    return top / (1 + (ec50_um / doses_um) ** slope)


def fit_hill(doses_um: FloatArray, changes: FloatArray) -> HillFit | None:
    """The Hill curve of changes (n,) at doses (n,); None if they do not vary.

    The EC50 is sought between the lowest and the highest dose, the slope from 0.3 to 5.

    Raises
    ------
    InputError
        If there are fewer than four doses.
    """
    from scipy.optimize import least_squares  # noqa: PLC0415 - slow to load

    if len(doses_um) < FEWEST_DOSES:
        found = f"{len(doses_um)} doses"
        raise InputError("Hill curve", found, f"Give {FEWEST_DOSES} doses or more.")
    spread = float(np.square(changes - changes.mean()).sum())
    if not spread > 0:
        return None
    low, high = float(np.log(doses_um.min())), float(np.log(doses_um.max()))
    size = float(np.abs(changes).max())
    bounds = (-4 * size, low, _SLOPES[0]), (4 * size, high, _SLOPES[1])

    def misses(parameters: FloatArray) -> FloatArray:
        top, log_ec50, slope = parameters
        return hill_curve(doses_um, top, float(np.exp(log_ec50)), slope) - changes

    starts = [(changes[-1], low + share * (high - low), 1.0) for share in _STARTS]
    found = min((least_squares(misses, start, bounds=bounds) for start in starts), key=_cost)
    top, log_ec50, slope = (float(value) for value in found.x)
    r2, ec50 = 1 - 2 * float(found.cost) / spread, float(np.exp(log_ec50))
    known = r2 >= EXPLAINED and low + _END < log_ec50 < high - _END
    return HillFit(top, ec50 if known else None, slope, r2, ec50)


def _cost(result: object) -> float:
    return float(getattr(result, "cost"))  # noqa: B009 - scipy's results are untyped
