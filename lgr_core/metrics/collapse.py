"""Collapse: how much more alike a method's predictions are than what was measured."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray
from lgr_core.metrics.row_kernels import ScoreArray, centre, finite_rows, pair


def collapse(predicted: ArrayLike, measured: ArrayLike) -> float:
    """Likeness among the predictions of one line over the likeness among its truths.

    ``mean r(x_i, x_j) / mean r(y_i, y_j)`` over pairs of different queries, ``predicted`` and
    ``measured`` being (n, genes) of one line (ours). 1 is right; far above 1, a method says the
    same of every drug (mode collapse, as Mejia et al. 2025 call it). Queries whose prediction or
    truth is constant are left out of both. NaN with fewer than two others, or where the truths are
    not alike on average (a mean of 0 or below), so that there is nothing to divide by.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    x, y = pair(predicted, measured)
    directions = _directions(finite_rows("predicted", x)), _directions(finite_rows("measured", y))
    kept = ~np.isnan(directions[0][:, 0]) & ~np.isnan(directions[1][:, 0])
    among, among_truths = (_mean_cosine(rows, kept) for rows in directions)
    return among / among_truths if among_truths > 0 else float("nan")


def mean_pairwise_pearson(values: ArrayLike) -> float:
    """Mean Pearson correlation over all pairs of rows, of (n, genes).

    Constant rows are left out; NaN with fewer than two others.

    Raises
    ------
    InputError
        A value is not finite.
    """
    rows = _directions(finite_rows("values", values))
    return _mean_cosine(rows, ~np.isnan(rows[:, 0]))


def _directions(rows: ScoreArray) -> ScoreArray:
    """Rows centred and of length 1, NaN where constant; in place."""
    _, squares = centre(rows)
    rows /= np.sqrt(np.where(squares > 0, squares, np.nan))[:, None]
    return rows


def _mean_cosine(rows: ScoreArray, kept: BoolArray) -> float:
    """Mean cosine over pairs of the unit vectors that are kept.

    The squared length of their sum is n plus the cosines of all ordered pairs.
    """
    n = int(kept.sum())
    if n <= 1:
        return float("nan")
    total = rows[kept].sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))
