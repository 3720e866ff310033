"""Metrics weighted by each gene's effect against all others (Mejia et al. 2025)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import FloatArray
from lgr_core.metrics.row_kernels import ScoreArray, by_rows, finite_rows, pair, ratio
from lgr_core.metrics.vector_metrics import SAME_AS_LINE_MEAN, line_means


def effect_weights(measured: ArrayLike, line_mean: ArrayLike) -> ScoreArray:
    """Weight of each gene by its effect against all others, (n, genes); each row sums to 1.

    ``w = v^2 / sum v^2`` with ``v = (s - min s) / (max s - min s)`` and ``s = |y - m|``; y is
    ``measured``, (n, genes), and m is ``line_mean``, (n, genes) or (genes,), the mean of all others
    in the line. The weights of Mejia et al. 2025 (scPertEval's ``mejia_weights``), whose s is a t
    statistic of cells: here it is the difference itself, since deltas hold no cells. A row is NaN
    where y is m up to rounding or all of s is equal (there scPertEval's are uniform).

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """
    y = finite_rows("measured", measured)
    return GeneWeights.of(y, finite_rows("line_mean", line_means(line_mean, y))).weights


def wmse(predicted: ArrayLike, measured: ArrayLike, line_mean: ArrayLike) -> ScoreArray:
    """Mean squared error weighted by effect, in the delta's unit squared, (n,).

    ``sum w (x - y)^2`` with the weights of :func:`effect_weights`; scPertEval's ``wmse_exp2`` with
    ``s = y - m``. Genes that move in this condition as in all others hardly count.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """
    return _score("wmse", predicted, measured, line_mean)


def r2_weighted(predicted: ArrayLike, measured: ArrayLike, line_mean: ArrayLike) -> ScoreArray:
    """Weighted coefficient of determination against the mean of all others, (n,).

    ``1 - sum w (x - y)^2 / sum w (d - sum w d)^2`` with ``d = y - m`` and the weights of
    :func:`effect_weights`: scPertEval's ``weighted_r2_pert_exp2``, the ``R2_w(delta)`` of Mejia et
    al. Both sides are taken relative to m, which leaves their difference as it is. 1 at most, and
    unbounded below.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """
    return _score("r2_weighted", predicted, measured, line_mean)


@dataclass(frozen=True, slots=True)
class GeneWeights:
    """The weights of genes in some rows, (rows, genes), and the weighted variance of y - m."""

    weights: ScoreArray
    variance: ScoreArray

    @classmethod
    def of(cls, y: FloatArray, m: FloatArray) -> GeneWeights:
        """From rows of float64, measured and line mean; both stay as they are."""
        apart = y - m
        undefined = np.vecdot(apart, apart) < SAME_AS_LINE_MEAN**2 * np.vecdot(m, m)
        weights = np.abs(apart)
        weights -= weights.min(axis=1, keepdims=True)
        top = weights.max(axis=1, keepdims=True)
        weights /= np.where(top > 0, top, 1)
        weights *= weights
        weights /= np.where(undefined | (top[:, 0] == 0), np.nan, weights.sum(axis=1))[:, None]
        apart -= np.vecdot(weights, apart)[:, None]
        apart *= apart
        return cls(weights, np.vecdot(weights, apart))

    def scores(self, x: FloatArray, y: FloatArray) -> dict[str, ScoreArray]:
        """Both metrics of rows of float64, (rows,) each."""
        error = x - y
        error *= error
        weighted = np.vecdot(self.weights, error)
        return {"wmse": weighted, "r2_weighted": 1 - ratio(weighted, self.variance)}


def _score(
    name: str, predicted: ArrayLike, measured: ArrayLike, line_mean: ArrayLike
) -> ScoreArray:
    x, y = pair(predicted, measured)
    m = line_means(line_mean, y)
    return by_rows(lambda x, y, m: GeneWeights.of(y, m).scores(x, y)[name], x, y, m)
