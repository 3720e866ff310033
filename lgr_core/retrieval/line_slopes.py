"""Slopes of drug effects on a feature of the cell lines, gene by gene. Kernels: NumPy in and out.

For drugs d, lines l and genes g, ``x[l, d, g]`` are measured changes and ``z[l, g]`` is a feature
of the lines that has a value of its own for each gene: the standardised expression of that gene in
untreated cells. What comes out are averages over lines and least-squares slopes, each a weighted
sum of measured changes, with their sampling variances.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core.domain import BoolArray, FloatArray

_FEWEST = 4
"""Lines from which on a slope and its residual variance are estimated."""


@dataclass(frozen=True, slots=True)
class LineSlopes:
    """Least-squares slopes on a feature of the lines, shared by drugs and of each drug.

    ``shared``, (genes,), is the slope of what drugs have in common in a line; ``own``,
    (n_drugs, genes), that of what is left of a drug; ``shared_noise`` and ``own_noise`` are their
    sampling variances. ``centre``, (n_drugs, genes), is the feature's mean over a drug's lines, and
    ``lever``, (n_lines, genes), what a unit change of a line adds to the shared slope.
    """

    shared: FloatArray
    shared_noise: FloatArray
    own: FloatArray
    own_noise: FloatArray
    centre: FloatArray
    lever: FloatArray

    def shrunken(self) -> tuple[FloatArray, FloatArray]:
        """Shares of the slopes that are signal, by empirical Bayes: (genes,) and (n_drugs, genes).

        With slopes b of a prior ``N(0, t)`` and sampling variance v, the posterior mean is
        ``t / (t + v) b``; t is what the mean square of b has beyond the mean of v: over all genes
        for the shared slopes, over the drugs of a gene for their own.
        """
        of_shared = max(float(np.mean(np.square(self.shared) - self.shared_noise)), 0.0)
        of_own = np.maximum(np.mean(np.square(self.own) - self.own_noise, axis=0), 0.0)
        return _share(of_shared, self.shared_noise), _share(of_own, self.own_noise)


def _share(signal: FloatArray | float, noise: FloatArray) -> FloatArray:
    total = signal + noise
    return np.divide(signal, total, out=np.zeros_like(total), where=total > 0)


def line_slopes(deltas: FloatArray, measured: BoolArray, z: FloatArray) -> LineSlopes:
    """The slopes of measured changes on a feature of the lines.

    Parameters
    ----------
    deltas, measured
        (n_lines, n_drugs, genes) changes, and (n_lines, n_drugs) where there is one.
    z
        (n_lines, genes) the feature; NaN where a line has no value: it is then not used.
    """
    used = measured & ~np.all(np.isnan(z), axis=1)[:, None]
    z = np.nan_to_num(z)
    n = used.sum(axis=0)
    weights = used.astype(np.float32)
    per_drug = weights / np.maximum(n, 1).astype(np.float32)
    mean = np.einsum("ld,ldg->dg", per_drug, deltas)
    centre = per_drug.T @ z
    of_line = np.einsum("ld,ldg->lg", weights, deltas) - weights @ mean
    of_line /= np.maximum(used.sum(axis=1), 1)[:, None].astype(np.float32)
    lines = used.any(axis=1)
    shared, shared_noise, lever = _regress(of_line, z, lines)
    left = deltas - mean - of_line[:, None, :]
    # Over the lines of a drug: b = sum (z - zbar) x / sum (z - zbar)^2, one line at a time, so that
    # nothing of the size of all changes is made but what is left of them.
    cross, squares, size = (np.zeros(mean.shape) for _ in range(3))
    for line in np.flatnonzero(lines):
        far = np.where(used[line][:, None], z[line] - centre, 0)
        cross += far * left[line]
        squares += np.square(far)
        size += used[line][:, None] * np.square(left[line])
    own = np.divide(cross, squares, out=np.zeros_like(cross), where=squares > 0)
    free = (n - 2)[:, None]
    known = (squares > 0) & (n >= _FEWEST)[:, None]
    residual = np.maximum(size - own * cross, 0) / np.maximum(free, 1)
    noise = np.divide(residual, squares, out=np.zeros_like(cross), where=known)
    return LineSlopes(shared, shared_noise, np.where(known, own, 0), noise, centre, lever)


def _regress(
    values: FloatArray, z: FloatArray, lines: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Slopes (genes,), their sampling variances, and the levers of lines (n_lines, genes)."""
    if not lines.any():
        nothing = np.zeros(values.shape[1])
        return nothing, nothing, np.zeros(values.shape)
    far = np.where(lines[:, None], z - z[lines].mean(axis=0), 0)
    squares = np.square(far).sum(axis=0)
    lever = np.divide(far, squares, out=np.zeros_like(far), where=squares > 0)
    slope = (lever * values).sum(axis=0)
    centred = np.where(lines[:, None], values - values[lines].mean(axis=0), 0)
    residual = np.square(centred - slope * far).sum(axis=0) / max(int(lines.sum()) - 2, 1)
    noise = np.divide(residual, squares, out=np.zeros_like(squares), where=squares > 0)
    return slope, noise, lever
