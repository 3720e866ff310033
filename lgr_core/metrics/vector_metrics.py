"""Gene-by-gene metrics: correlations, errors, signs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray
from lgr_core.errors import InputError
from lgr_core.metrics.moments import Moments
from lgr_core.metrics.row_kernels import (
    ScoreArray,
    by_rows,
    centre,
    count,
    finite_rows,
    matrix,
    pair,
    ratio,
    same_sign,
)

SAME_AS_LINE_MEAN = 1e-5
"""Nearer to the line mean than this share of its norm, a vector differs from it by rounding."""


def pearson_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Pearson correlation over genes, (n,).

    ``sum((x - mean x)(y - mean y)) / (norm(x - mean x) norm(y - mean y))``; the paper's r and
    cell-eval's ``pearson_delta``. NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).pearson()


def pearson_of_defined(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Pearson correlation of the rows that are finite on both sides, (n,); NaN for the others.

    ``measured`` is (n, genes), or one row (genes,) for all.

    Raises
    ------
    InputError
        The shapes differ.
    """
    x = np.asarray(predicted)
    y = np.broadcast_to(np.asarray(measured), x.shape) if np.ndim(measured) == 1 else measured
    y = np.asarray(y)
    defined = np.isfinite(x).all(axis=1) & np.isfinite(y).all(axis=1)
    found = np.full(len(x), np.nan)
    found[defined] = pearson_delta(x[defined], y[defined])
    return found


def cosine(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Cosine of the angle between the vectors, (n,).

    ``x.y / (norm x * norm y)``; the paper's. NaN where x or y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).cosine()


def mae_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Mean absolute error in the delta's own unit, (n,).

    ``mean |x - y|``; the paper's MAE and cell-eval's ``mae_delta``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).mae()


def mse_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Mean squared error in the delta's unit squared, (n,).

    ``mean (x - y)^2``; the paper's MSE and cell-eval's ``mse_delta``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).mse()


def mse_noise_corrected(
    predicted: ArrayLike, measured: ArrayLike, replicate: ArrayLike
) -> ScoreArray:
    """Mean squared error against what two measurements share, in the delta's unit squared, (n,).

    ``mean (x - y)(x - y')``, where ``replicate`` (y'), (n, genes), is a second measurement of the
    same condition: the mean squared error of x from the true change where the noise of y and y' is
    independent, while ``mse_delta`` adds the noise of y to it. Equal to the error from the mean of
    both less ``mean (y - y')^2 / 4``, cell-eval2's unbiased squared distance. It may be negative.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    x, y = pair(predicted, measured)
    again = finite_rows("replicate", pair(predicted, replicate)[1])
    return by_rows(lambda x, y, z: np.vecdot(x - y, x - z) / x.shape[1], x, y, again)


def sign_accuracy(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of genes with the same sign, zero being a sign of its own, (n,).

    ``mean [sign x = sign y]`` with ``sign 0 = 0``; the paper's. A silent gene counts as right when
    both are exactly zero, which favours averages over few neighbours: read it beside
    ``sign_accuracy_nonzero`` and ``random_k``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).sign_accuracy()


def r2_fit(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """R2 of the least-squares line of y on x, (n,).

    ``pearson^2``; one reading of the paper's "regression slope (R2)", and its figures' "R2 of
    linear regression". NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).r2_fit()


def slope(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Slope of the least-squares line of y on x, (n,).

    ``sum((x - mean x)(y - mean y)) / sum((x - mean x)^2)``; above 1 the prediction is too small.
    Another reading of the paper's "regression slope (R2)". NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).slope()


def r2_det(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Coefficient of determination with x itself as the fit, (n,).

    ``1 - sum((y - x)^2) / sum((y - mean y)^2)``, negative where the mean of y would fit better;
    scikit-learn's ``r2_score``. NaN where y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).r2_det()


def magnitude_ratio(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Length of the predicted vector over that of the measured one, (n,).

    ``norm x / norm y`` (ours): 0 for a prediction of no effect, NaN where y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return Moments.of(predicted, measured).magnitude_ratio()


def sign_accuracy_nonzero(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of the genes with a change whose sign is right, (n,).

    ``mean [sign x = sign y]`` over genes with ``y != 0`` (ours): a zero in x is wrong. NaN where y
    is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(
        lambda x, y: signs_of_changed(same_sign(x, y), y != 0), *pair(predicted, measured)
    )


def pearson_vs_line_mean(
    predicted: ArrayLike, measured: ArrayLike, line_mean: ArrayLike
) -> ScoreArray:
    """Pearson correlation of deltas less the mean delta of the line, (n,).

    ``pearson(x - m, y - m)`` (ours), where ``line_mean`` (m), (n, genes) or (genes,), is the mean
    of the query's pool: the scorer's, the same for every method. NaN where ``norm(x - m)`` or
    ``norm(y - m)`` is below ``1e-5 norm m``, as for the pool mean itself, or a difference constant.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """
    x, y = pair(predicted, measured)
    return by_rows(_around, x, y, line_means(line_mean, y))


def line_means(line_mean: ArrayLike, measured: FloatArray) -> FloatArray:
    """A line mean a row, (n, genes), of one for each row or one for all."""
    m = np.asarray(line_mean)
    if m.shape not in (measured.shape, measured.shape[1:]):
        found = f"line_mean is {m.shape}, measured {measured.shape}"
        raise InputError("metric", found, "Give one mean for all rows, or one a row.")
    return np.broadcast_to(matrix("line_mean", m), measured.shape)


def signs_of_changed(right: BoolArray, changed: BoolArray) -> ScoreArray:
    """Share of the changed genes whose sign is right, (n,), of flags (n, genes)."""
    return ratio(count(right & changed), count(changed))


def centred_on(values: FloatArray, m: FloatArray) -> tuple[FloatArray, ScoreArray]:
    """Rows less m, centred about their mean, and their sums of squares (n,).

    The sum is NaN where the row is m, rounded.
    """
    apart = values - m
    norm, squares = centre(apart)
    return apart, np.where(norm < SAME_AS_LINE_MEAN**2 * np.vecdot(m, m), np.nan, squares)


def _around(x: FloatArray, y: FloatArray, m: FloatArray) -> ScoreArray:
    return correlation(*centred_on(x, m), *centred_on(y, m))


def correlation(x: FloatArray, xx: ScoreArray, y: FloatArray, yy: ScoreArray) -> ScoreArray:
    """Pearson correlation of centred rows with known sums of squares."""
    return ratio(np.vecdot(x, y), np.sqrt(xx * yy)).clip(-1, 1)
