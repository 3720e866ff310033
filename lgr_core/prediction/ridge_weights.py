"""Weights of ridge regression in its kernel form. Kernels: NumPy in, NumPy out.

All of them minimise ``w'Gw - 2 w'g + p |w - u|^2``: G holds the products of the sources with each
other, g with what is predicted, p is a penalty and u what weights are drawn to: zeros, or the
uniform mean. Without evidence the answer is the mean.

With G = X X' and g = X y for sources X, (m, genes), this is ridge regression of y on X in its dual
form (Hoerl and Kennard, 1970), up to a constant ``|y - X'w|^2 + p |w - u|^2``. With covariances in
the place of products it is simple kriging (Cressie, Statistics for Spatial Data, 1993).
"""

from __future__ import annotations

import numpy as np
from scipy import linalg

from lgr_core.domain import BoolArray, FloatArray


def ridge_weights(gram: FloatArray, cross: FloatArray, penalty: float) -> FloatArray:
    """Weights of m sources, (n, m), for n targets that each have a Gram matrix of their own.

    ``gram`` is (n, m, m), ``cross`` (n, m); p is ``penalty`` times the mean of the diagonal of G.
    They are drawn to zeros, and are the mean where G is 0.
    """
    m = cross.shape[1]
    # Setting the gradient 2Gw - 2g + 2pw to zero: (G + pI) w = g, here with u = 0. The penalty is a
    # multiple of the mean diagonal, so that it means the same whatever unit the deltas have.
    scale = penalty * np.trace(gram, axis1=1, axis2=2) / m
    known = scale > 0
    system = gram + np.where(known, scale, 1.0)[:, None, None] * np.eye(m)
    weights = np.linalg.solve(system, cross[:, :, None])[:, :, 0]
    return np.where(known[:, None], weights, 1 / m)


def shared_weights(
    gram: FloatArray,
    cross: FloatArray,
    kept: BoolArray,
    penalty: float,
    *,
    to_mean: bool = True,
) -> FloatArray:
    """Weights of m sources, (n, m), for n targets that share a Gram matrix but not all sources.

    ``gram`` is (m, m), ``cross`` (n, m); ``kept``, (n, m), are the sources that a target has, the
    others weigh 0. p is ``penalty`` times the mean of the diagonal of the whole G; weights are
    drawn to the uniform mean of what a target has, or with ``to_mean`` False to zeros. The few
    sources that it lacks are taken out of one common inverse.
    """
    m = len(gram)
    n_kept = kept.sum(axis=1, keepdims=True)
    uniform = np.divide(kept, n_kept, out=np.zeros(kept.shape), where=(n_kept > 0) & to_mean)
    scale = penalty * np.trace(gram) / max(m, 1)
    if not scale > 0:
        return uniform
    # With w = u + d the normal equations are A d = g - Gu, A = G + pI, over the sources K that a
    # target has. Solving (A_KK) d_K = r_K for each of n targets would cost n m^3. All targets share
    # A, and each lacks few sources O (its own compound). With B = A^-1 and r = 0 on O, x = B r is
    # one solve for all of them, and by the inverse of a block matrix
    #     (A_KK)^-1 = B_KK - B_KO (B_OO)^-1 B_OK,  so  d_K = x_K - B_KO (B_OO)^-1 x_O.
    # Only rows of B on sources that any target lacks are needed: the identity's columns in `sides`.
    lacking = np.where(kept, cross - uniform @ gram, 0)
    out = np.flatnonzero(~kept.all(axis=0))
    sides = np.vstack([lacking, np.eye(m)[out]]).T
    system = gram + scale * np.eye(m)
    solved = linalg.solve(system, sides, assume_a="gen").T  # "sym" takes half as long again
    weights, inverse = solved[: len(cross)], np.zeros((m, m))
    inverse[out] = solved[len(cross) :]
    return uniform + np.where(kept, weights - _through(weights, inverse, ~kept), 0)


def _through(weights: FloatArray, inverse: FloatArray, out: BoolArray) -> FloatArray:
    """What of the weights x, (n, m), comes through the sources that a target lacks.

    ``x_O (B_OO)^-1 B_O``, (n, m): ``out``, (n, m), are these sources O; of the inverse B, (m, m),
    their rows are read.
    """
    # Targets that lack equally many sources are solved together, as one batch of small systems.
    through, n_out = np.zeros_like(weights), out.sum(axis=1)
    for size in np.unique(n_out[n_out > 0]):
        targets = np.flatnonzero(n_out == size)
        sources = np.nonzero(out[targets])[1].reshape(-1, size)
        among = inverse[sources[:, :, None], sources[:, None, :]]
        own = weights[targets[:, None], sources]
        each = np.linalg.solve(among, own[:, :, None])
        through[targets] = (each.swapaxes(1, 2) @ inverse[sources])[:, 0]
    return through


def residual_mix(products: FloatArray, penalty: float) -> FloatArray:
    """(m, m) what takes from each of m sources its best prediction from the others.

    ``products`` is their Gram matrix (m, m), the rest as for :func:`ridge_weights`. A source
    without others keeps all of itself.
    """
    m = len(products)
    mix = np.eye(m)
    for i in range(m if m > 1 else 0):
        others = np.arange(m) != i
        gram = products[np.ix_(others, others)]
        cross = products[others, i]
        mix[i, others] = -ridge_weights(gram[None], cross[None], penalty)[0]
    return mix
