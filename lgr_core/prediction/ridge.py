"""Weights of best linear prediction, drawn towards a uniform mean. Kernels: NumPy in, NumPy out.

All of them minimise ``w'Gw - 2 w'g + p |w - u|^2``: G holds the products of the sources with each
other, g with what is predicted, u is the uniform mean and p a penalty. Without evidence, or with a
large p, the answer is the mean.
"""

from __future__ import annotations

import numpy as np

from lgr_core.domain import BoolArray, FloatArray


def ridge_weights(
    gram: FloatArray, cross: FloatArray, penalty: float, *, strength: float = 1.0
) -> FloatArray:
    """Weights of m sources, (n, m), for n targets that each have a Gram matrix of their own.

    ``gram`` is (n, m, m), ``cross`` (n, m); p is ``penalty`` times the mean of the diagonal of G.
    They are drawn towards ``strength`` times the mean, and are the mean where G is 0.
    """
    m = cross.shape[1]
    scale = penalty * np.trace(gram, axis1=1, axis2=2) / m
    known = scale > 0
    uniform = np.repeat(np.where(known, strength, 1.0)[:, None] / m, m, axis=1)
    scale = np.where(known, scale, 1.0)
    lacking = cross - np.einsum("nij,nj->ni", gram, uniform)
    system = gram + scale[:, None, None] * np.eye(m)
    return uniform + np.linalg.solve(system, lacking[:, :, None])[:, :, 0]


def shared_weights(
    gram: FloatArray, cross: FloatArray, kept: BoolArray, penalty: float
) -> FloatArray:
    """Weights of m sources, (n, m), for n targets that share a Gram matrix but not all sources.

    ``gram`` is (m, m), ``cross`` (n, m); ``kept``, (n, m), are the sources that a target has, the
    others weigh 0. p is ``penalty`` times the mean of the diagonal of the whole G. The few sources
    that a target lacks are taken out of one common inverse.
    """
    m = len(gram)
    n_kept = kept.sum(axis=1, keepdims=True)
    uniform = np.divide(kept, n_kept, out=np.zeros(kept.shape), where=n_kept > 0)
    scale = penalty * np.trace(gram) / max(m, 1)
    if not scale > 0:
        return uniform
    inverse = np.linalg.inv(gram + scale * np.eye(m))
    lacking = np.where(kept, cross - uniform @ gram, 0)
    weights = lacking @ inverse
    for i, out in enumerate(~kept):
        if out.any():
            weights[i] -= np.linalg.solve(inverse[np.ix_(out, out)], weights[i, out]) @ inverse[out]
            weights[i, out] = 0
    return uniform + weights


def residual_mix(products: FloatArray, penalty: float, *, strength: float = 1.0) -> FloatArray:
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
        mix[i, others] = -ridge_weights(gram[None], cross[None], penalty, strength=strength)[0]
    return mix
