"""Calibrations of trust, fitted and tested on held-out conditions.

The table of trust has one row a regime, method and query: names, the features of
:mod:`lgr_core.prediction.trust_features`, error sizes at ``LEVELS``, and the observed
Pearson r.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.prediction.trust import LEVELS, NOMINAL, Calibration, coverage
from lgr_core.prediction.trust_features import FEATURES

SCORE = "pearson"
"""The column of the observed Pearson r, of whichever change is calibrated."""

ERRORS = tuple(f"error_{level:g}" for level in LEVELS)
"""Columns of error sizes, one a level."""

QUERY = ("cell_line", "parent", "drug", "dose_um")
"""Columns that name a query."""

FOLDS = 5
MIN_CONDITIONS = 30
"""With fewer conditions to learn from, a calibration is their mean."""

_PENALTY = 0.2
_BENDS = (0.0, 0.5, 1.0)
_TAILS = (0.05, 0.95)
_ESTIMATES = ("expected", "low", "high", "width", "covered")


def fit(table: pd.DataFrame, repeat: float | None = None) -> Calibration:
    """The calibration of the conditions of one regime and method, at least one.

    ``repeat`` is the score that a repeat of the experiment reaches, where it is known.
    """
    known, score = table[list(FEATURES)].to_numpy(float), table[SCORE].to_numpy(float)
    errors = table[list(ERRORS)].to_numpy(float)
    center = known.mean(axis=0)
    slopes = _slopes(known - center, score)
    index = (known - center) @ slopes
    half = _folds(table["parent"], 0) % 2 == 0
    residuals = _residuals(index, score, half)
    best = int(np.argmin(np.square(residuals).sum(axis=1)))
    at, curves = _curves(index, score)
    wider = widening(residuals[best], table["cell_line"], table["parent"])
    low, high = (wider * side for side in _limits(index, residuals[best], at))
    nominal = np.log(np.maximum(errors[:, LEVELS.index(NOMINAL)], np.finfo(np.float32).tiny))
    width_slopes = _slopes(known - center, nominal)
    shape = np.exp((known - center) @ width_slopes)
    return Calibration(
        seen=(_floats(known.min(axis=0)), _floats(known.max(axis=0))),
        center=_floats(center),
        slopes=_floats(slopes),
        index=_floats(at),
        expected=_floats(curves[best]),
        low=_floats(low),
        high=_floats(high),
        width_slopes=_floats(width_slopes),
        width=_width(errors, shape),
        n=len(table),
        repeat=repeat,
    )


def _floats(values: FloatArray) -> tuple[float, ...]:
    return tuple(map(float, values))


def cross_fitted(table: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """The table with what a calibration says that saw neither the row's line nor its parent.

    Columns ``expected``, ``low``, ``high`` of the Pearson r, ``width`` of a gene's interval and
    ``covered``, the share of genes in it; NaN where too little is left to learn from.
    """
    groups = [_cross_fitted(group, seed) for _, group in by_method(table)]
    if not groups:
        return table.reindex(columns=[*table.columns, *_ESTIMATES])
    return pd.concat(groups, ignore_index=True)


def _cross_fitted(group: pd.DataFrame, seed: int) -> pd.DataFrame:
    group = usable(group).reset_index(drop=True)
    line, parent = (_folds(group[name], seed) for name in ("cell_line", "parent"))
    known, errors = group[list(FEATURES)].to_numpy(float), group[list(ERRORS)].to_numpy(float)
    estimates = np.full((len(group), 4), np.nan)
    for a, b in np.unique(np.column_stack([line, parent]), axis=0):
        rows, training = (line == a) & (parent == b), (line != a) & (parent != b)
        if training.any():
            calibration = fit(group[training])
            estimates[rows, :3] = calibration.expects(known[rows])
            estimates[rows, 3] = calibration.widths(known[rows])
    covered = np.where(
        np.isnan(estimates[:, 3]), np.nan, coverage(errors, np.nan_to_num(estimates[:, 3]))
    )
    return group.assign(**dict(zip(_ESTIMATES, (*estimates.T, covered), strict=True)))


def usable(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with a score and error sizes."""
    return table[table[[SCORE, *ERRORS]].notna().all(axis=1)]


def _folds(names: pd.Series, seed: int) -> IntArray:
    """(n,) the fold of each name: whole names, at random."""
    codes, present = pd.factorize(names.astype(str), sort=True)
    return (np.random.default_rng(seed).permutation(len(present)) % FOLDS)[codes]


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Ridge slopes, (n_features,), of standardised features; 0 with too few rows."""
    spread = x.std(axis=0)
    if len(y) < MIN_CONDITIONS:
        return np.zeros(x.shape[1])
    z = np.divide(x, spread, out=np.zeros_like(x), where=spread > 0)
    found = np.linalg.solve(z.T @ z + _PENALTY * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return np.divide(found, spread, out=np.zeros_like(found), where=spread > 0)


def _curves(index: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Knots, distinct indices, ascending, and the expected scores there by each of ``_BENDS``.

    Between the straight line of the ridge (bend 0) and an isotonic curve (1), which alone follows
    chance where few compounds stand behind many conditions.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to load

    at, which, weights = np.unique(index, return_inverse=True, return_counts=True)
    means = np.bincount(which.ravel(), weights=score) / weights
    curve = isotonic_regression(means, weights=weights).x
    steps = np.flatnonzero(np.diff(curve, prepend=np.nan, append=np.nan) != 0)
    ends = np.unique(np.concatenate([steps[:-1], steps[1:] - 1]))
    straight = score.mean() + at[ends] - index.mean()
    return at[ends], np.array([bend * curve[ends] + (1 - bend) * straight for bend in _BENDS])


def _residuals(index: FloatArray, score: FloatArray, half: BoolArray) -> FloatArray:
    """(n_bends, n) scores less what curves say that the other half, (n,) flags, was drawn into."""
    expected = np.full((len(_BENDS), len(score)), score.mean())
    if half.any() and not half.all():
        for rows in (half, ~half):
            at, curves = _curves(index[~rows], score[~rows])
            expected[:, rows] = [np.interp(index[rows], at, curve) for curve in curves]
    return score - expected


def _limits(index: FloatArray, residual: FloatArray, at: FloatArray) -> tuple[FloatArray, ...]:
    """Lower and upper limits of the residual at the knots, from fifths of the index."""
    order = np.array_split(
        np.argsort(index, kind="stable"), min(5, max(1, len(index) // MIN_CONDITIONS))
    )
    middles = np.array([np.median(index[group]) for group in order])
    sides = (np.array([np.quantile(residual[group], tail) for group in order]) for tail in _TAILS)
    return tuple(np.interp(at, middles, side) for side in sides)


def widening(residual: FloatArray, line: pd.Series, parent: pd.Series) -> float:
    """How much wider limits are for a new line and parent than the residuals (n,) are spread.

    The variance between lines and that between parents, each known from as many as there are, by
    the method of moments; each enters with its own Student's t and with the error of its mean.
    """
    from scipy.stats import norm, t  # noqa: PLC0415 - slow to load

    codes = [pd.factorize(names.astype(str))[0] for names in (line, parent)]
    rest, parts = residual - residual.mean(), []
    for code in codes:
        n = np.bincount(code)
        means = np.bincount(code, weights=rest) / n
        rest = rest - means[code]
        parts.append((means, n))
    within = float(np.square(rest).sum() / max(len(rest) - sum(len(n) for _, n in parts), 1))
    nominal = norm.ppf(_TAILS[1])
    spread = new = within
    for means, n in parts:
        groups = len(n)
        if groups < 2:  # noqa: PLR2004 - one group says nothing of the variance between groups
            continue
        between = max(float(means.var(ddof=1)) - within * float((1 / n).mean()), 0.0)
        spread += between * (1 - 1 / groups)
        new += between * (1 + 1 / groups) * (t.ppf(_TAILS[1], groups - 1) / nominal) ** 2
    return float(np.sqrt(new / spread)) if spread > 0 else 1.0


def _width(errors: FloatArray, shape: FloatArray) -> float:
    """The factor at which intervals of that shape hold the nominal share of genes on average."""
    from scipy.optimize import brentq  # noqa: PLC0415 - slow to load

    def surplus(factor: float) -> float:
        return coverage(errors, factor * shape).mean() - NOMINAL

    most = float((errors[:, -1] / shape).max())
    return float(brentq(surplus, 0, most)) if surplus(0) < 0 < most else 0.0


def by_method(table: pd.DataFrame) -> Iterator[tuple[Sequence[str], pd.DataFrame]]:
    """The rows of each regime and method."""
    for keys, group in table.groupby(["regime", "method"], observed=True, sort=False):
        yield tuple(map(str, keys)), group.reset_index(drop=True)
