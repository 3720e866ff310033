"""A dose between measured ones: weights of a drug's measured doses. NumPy in, NumPy out.

The curve of a gene over the logarithm of the dose is a Gaussian process about the mean of the
drug's doses::

    w = 1/n + (k - mean k) (K + I / strength)^-1 (centred),   K[i, j] = exp(-(x_i - x_j)^2 / 2 l^2)

with x the natural logarithms of the doses and l that of a factor of ten. ``strength`` is the ratio
of what changes with the dose to noise: at 0 every dose weighs the same. It is chosen on other
drugs, each of their inner doses left out in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.errors import InputError

STRENGTHS = (0.0, 0.03, 0.1, 0.2, 0.3, 0.5, 1.0, 3.0)
"""The strengths that are tried, the mean of all doses first."""

FEWEST_HELD_OUT = 10
"""Inner doses of other drugs from which on a strength and an interval are learned."""

COVERAGE = 0.9
"""Share of measured values that an interval should hold."""

_LENGTH = float(np.log(10))

Rule = Callable[[FloatArray, float], FloatArray]
"""Weights (n,) of measured doses (n,) for a dose between them."""


@dataclass(frozen=True, eq=False)
class DoseSeries:
    """One drug's changes in one line, ``changes`` (n, genes), at ascending ``doses_um`` (n,)."""

    drug: str
    doses_um: FloatArray
    changes: FloatArray

    def __post_init__(self) -> None:
        if not (np.diff(self.doses_um) > 0).all() or not (self.doses_um > 0).all():
            found = f"doses {self.doses_um.tolist()}"
            raise InputError(f"doses of {self.drug}", found, "Give ascending doses above zero.")

    def spans(self, dose_um: float) -> bool:
        """Whether the dose lies between two measured ones."""
        return len(self.doses_um) > 1 and bool(self.doses_um[0] < dose_um < self.doses_um[-1])

    def at(self, dose_um: float, rule: Rule) -> FloatArray:
        """The change (genes,) at a dose by a rule."""
        return rule(self.doses_um, dose_um) @ self.changes

    def held_out(self, rule: Rule) -> tuple[FloatArray, FloatArray]:
        """Predicted and measured changes of the inner doses, (n_inner, genes) each."""
        n = len(self.doses_um)
        inner = range(1, n - 1)
        predicted = np.empty((len(inner), self.changes.shape[1]))
        for row, i in enumerate(inner):
            others = np.arange(n) != i
            weights = rule(self.doses_um[others], float(self.doses_um[i]))
            predicted[row] = weights @ self.changes[others]
        return predicted, self.changes[1 : n - 1].astype(np.float64)


def curve_rule(strength: float) -> Rule:
    """The rule of the curve of this strength."""

    def weights(doses_um: FloatArray, dose_um: float) -> FloatArray:
        return curve_weights(doses_um, dose_um, strength)

    return weights


def curve_weights(doses_um: FloatArray, dose_um: float, strength: float) -> FloatArray:
    """Weights (n,), which add up to 1, of measured doses (n,) for a dose between them."""
    n = len(doses_um)
    if not strength:
        return np.full(n, 1 / n)
    x = np.log(np.append(doses_um, dose_um))
    kernel = np.exp(-np.square(x[:, None] - x) / (2 * _LENGTH**2))
    centre = np.eye(n) - 1 / n
    among = centre @ kernel[:n, :n] @ centre
    across = (kernel[n, :n] - kernel[:n, :n].mean(axis=0)) @ centre
    return 1 / n + across @ np.linalg.inv(among + np.eye(n) / strength) @ centre


def mean_weights(doses_um: FloatArray, dose_um: float) -> FloatArray:
    """Every measured dose alike; ``dose_um`` does not count."""
    return curve_weights(doses_um, dose_um, 0)


def nearest_weights(doses_um: FloatArray, dose_um: float) -> FloatArray:
    """The measured dose nearest on a log scale; of two as near, the lower."""
    far = np.abs(np.log(doses_um) - np.log(dose_um))
    weights = np.zeros(len(doses_um))
    weights[int(np.flatnonzero(np.isclose(far, far.min(), rtol=0, atol=1e-9))[0])] = 1
    return weights


def interpolation_weights(doses_um: FloatArray, dose_um: float) -> FloatArray:
    """The straight line over log dose between the measured doses on either side."""
    x, at = np.log(doses_um), float(np.log(dose_um))
    above = int(np.searchsorted(x, at))
    share = (at - x[above - 1]) / (x[above] - x[above - 1])
    weights = np.zeros(len(x))
    weights[above - 1], weights[above] = 1 - share, share
    return weights


@dataclass(frozen=True, eq=False)
class LearnedCurve:
    """What other drugs' inner doses teach: the ``strength`` of curves, and how far they err.

    ``half_width``, (genes,), is the half-width of an interval that holds 90 % of their measured
    values, None where fewer than ten inner doses were left out; ``n_held_out`` counts them.
    """

    strength: float
    half_width: FloatArray | None
    n_held_out: int


def learn_curve(others: Sequence[DoseSeries]) -> LearnedCurve:
    """The strength with the least squared error at inner doses of these drugs, and the interval."""
    usable = [one for one in others if len(one.doses_um) > 2]  # noqa: PLR2004 - two and one inner
    n = sum(len(one.doses_um) - 2 for one in usable)
    if n < FEWEST_HELD_OUT:
        return LearnedCurve(0.0, None, n)
    errors = [_errors(usable, strength) for strength in STRENGTHS]
    best = int(np.argmin([np.square(error).mean() for error in errors]))
    return LearnedCurve(STRENGTHS[best], np.quantile(np.abs(errors[best]), COVERAGE, axis=0), n)


def _errors(series: Sequence[DoseSeries], strength: float) -> FloatArray:
    """(n_held_out, genes) what was measured less what the curve predicts."""
    held_out = [one.held_out(curve_rule(strength)) for one in series]
    return np.concatenate([measured - predicted for predicted, measured in held_out])
