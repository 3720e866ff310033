"""One pass over the pairs, which serves all metrics that are sums over genes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import FloatArray
from lgr_core.metrics.row_kernels import ScoreArray, by_rows, centred, count, pair, ratio, same_sign

FLAT = 1e-3
"""Where less than this share of the squares is left about the mean, sums alone cost digits."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What one pass over the pairs leaves behind: means, centred products and errors, each (n,)."""

    genes: int
    mean_x: ScoreArray
    mean_y: ScoreArray
    xx: ScoreArray
    yy: ScoreArray
    xy: ScoreArray
    absolute_error: ScoreArray
    squared_error: ScoreArray
    right: ScoreArray

    @classmethod
    def of(cls, predicted: ArrayLike, measured: ArrayLike) -> Moments:
        """Over (n, genes) pairs, in one pass."""
        x, y = pair(predicted, measured)
        return cls(x.shape[1], *by_rows(_moments, x, y))

    @classmethod
    def of_chunk(cls, x: FloatArray, y: FloatArray) -> Moments:
        """Over rows of float64 as they are; overwrites x."""
        return cls(x.shape[1], *_moments(x, y))

    def norms(self) -> tuple[ScoreArray, ScoreArray]:
        """Squared norms about zero, of x and of y."""
        return self.xx + self.genes * self.mean_x**2, self.yy + self.genes * self.mean_y**2

    def pearson(self) -> ScoreArray:
        """Pearson correlation."""
        return ratio(self.xy, np.sqrt(self.xx * self.yy)).clip(-1, 1)

    def cosine(self) -> ScoreArray:
        """Cosine about zero."""
        x, y = self.norms()
        dot = self.xy + self.genes * (self.mean_x * self.mean_y)
        return ratio(dot, np.sqrt(x * y)).clip(-1, 1)

    def mae(self) -> ScoreArray:
        """Mean absolute error."""
        return self.absolute_error / self.genes

    def mse(self) -> ScoreArray:
        """Mean squared error."""
        return self.squared_error / self.genes

    def sign_accuracy(self) -> ScoreArray:
        """Share of genes with the same sign."""
        return self.right / self.genes

    def r2_fit(self) -> ScoreArray:
        """R2 of the fitted line."""
        return self.pearson() ** 2

    def slope(self) -> ScoreArray:
        """Slope of y on x; NaN where either is constant."""
        return ratio(self.xy, np.where(self.yy > 0, self.xx, 0))

    def r2_det(self) -> ScoreArray:
        """1 - SSE/SST."""
        return 1 - ratio(self.squared_error, self.yy)

    def magnitude_ratio(self) -> ScoreArray:
        """Norm of x over that of y."""
        x, y = self.norms()
        return np.sqrt(ratio(x, y))


SHARED: Mapping[str, Callable[[Moments], ScoreArray]] = {
    "pearson_delta": Moments.pearson,
    "cosine": Moments.cosine,
    "mae_delta": Moments.mae,
    "mse_delta": Moments.mse,
    "sign_accuracy": Moments.sign_accuracy,
    "r2_fit": Moments.r2_fit,
    "slope": Moments.slope,
    "r2_det": Moments.r2_det,
    "magnitude_ratio": Moments.magnitude_ratio,
}


def _moments(x: FloatArray, y: FloatArray) -> ScoreArray:
    """(8, rows), in the order of :class:`Moments`; overwrites the chunk it is given."""
    right = count(same_sign(x, y))
    genes, mean_x, mean_y = x.shape[1], x.mean(axis=1), y.mean(axis=1)
    norm_x, norm_y = np.vecdot(x, x), np.vecdot(y, y)
    xx, yy = norm_x - genes * mean_x**2, norm_y - genes * mean_y**2
    xy = np.vecdot(x, y) - genes * (mean_x * mean_y)
    flat = (xx < FLAT * norm_x) | (yy < FLAT * norm_y)
    if flat.any():
        xx[flat], yy[flat], xy[flat] = centred(x[flat], y[flat])
    error = np.subtract(x, y, out=x)
    squared_error = np.vecdot(error, error)
    absolute_error = np.abs(error, out=error).sum(axis=1)
    return np.stack([mean_x, mean_y, xx, yy, xy, absolute_error, squared_error, right])
