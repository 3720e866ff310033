"""From the neighbours' deltas to one vector. Kernels: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.errors import UsageError

STRENGTH = 0.5
"""How much of a shrunken prediction is the pool mean, where nothing was learned."""

_STEPS, _CLOSE = 200, 1e-9


def mean_weights(k_used: int) -> FloatArray:
    """Uniform weights, (k_used,): equation 4 of the LGR paper."""
    return np.full(k_used, 1.0 / k_used)


def rank_weights(k_used: int) -> FloatArray:
    """Weights that fall evenly with the rank, (k_used,): of three, 3/6, 2/6 and 1/6."""
    falling = np.arange(k_used, 0, -1.0)
    return falling / falling.sum()


def score_weights(scores: Sequence[float | None]) -> FloatArray:
    """Weights in proportion to the selector's scores, (k_used,); negative ones count as 0.

    Uniform where a neighbour has no score, or none is above 0.
    """
    known = [score for score in scores if score is not None]
    values = np.clip(np.nan_to_num(np.array(known, dtype=float)), 0, None)
    if len(known) < len(scores) or not values.sum() > 0:
        return mean_weights(len(scores))
    return values / values.sum()


def median_weights(deltas: FloatArray) -> FloatArray:
    """Weights whose sum is the geometric median of the deltas, (k_used,).

    The point of least total distance to all: one neighbour far from the others hardly counts.
    Weiszfeld's iteration, on the deltas' inner products alone.
    """
    values = deltas.astype(np.float64)
    gram = values @ values.T
    weights = mean_weights(len(values))
    for _ in range(_STEPS):
        squares = np.diag(gram) - 2 * gram @ weights + weights @ gram @ weights
        near = 1 / np.sqrt(np.maximum(squares, _CLOSE * max(np.trace(gram), _CLOSE)))
        before, weights = weights, near / near.sum()
        if np.abs(weights - before).max() < _CLOSE:
            break
    return weights


WEIGHTS: Mapping[str, Callable[[FloatArray, Sequence[float | None]], FloatArray]] = {
    "mean": lambda deltas, _: mean_weights(len(deltas)),
    "rank_weighted": lambda deltas, _: rank_weights(len(deltas)),
    "score_weighted": lambda _, scores: score_weights(scores),
    "median": lambda deltas, _: median_weights(deltas),
}
"""Aggregations by name: each gives the weights of neighbours ranked best first."""

SHRUNKEN = "shrunken"
"""The aggregation that also reads the rest of the pool: see :func:`shrunken_weights`."""

AGGREGATES = (*WEIGHTS, SHRUNKEN)


def aggregate(
    deltas: FloatArray, how: str = "mean", *, scores: Sequence[float | None] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Weighted sum of the neighbours' deltas and the weights it used.

    Parameters
    ----------
    deltas
        (k_used, n_genes), best neighbour first.
    how
        A name in ``WEIGHTS``.
    scores
        The selector's score of each neighbour, None where it gave none.

    Returns
    -------
    tuple
        The predicted delta (n_genes,) float32, summed in float64, and the weights (k_used,).

    Raises
    ------
    UsageError
        If the aggregation is unknown or there is nothing to aggregate.
    """
    if how not in WEIGHTS:
        known = ", ".join(AGGREGATES)
        raise UsageError(f"aggregation {how!r}", "unknown", f"Choose one of: {known}.")
    if not len(deltas):
        raise UsageError("aggregation", "no neighbour to average", "Name a fallback.")
    given = [None] * len(deltas) if scores is None else scores
    weights = WEIGHTS[how](deltas, given)
    return (weights @ deltas.astype(np.float64)).astype(np.float32), weights


def shrunken_weights(k_used: int, n_pool: int, strength: float) -> tuple[float, float]:
    """The weight of a neighbour, and of every other candidate: ``strength`` of it is the pool mean.

    With s the strength, neighbours weigh ``(1 - s) / k_used + s / n_pool``, the others
    ``s / n_pool``; together 1.
    """
    rest = strength / n_pool
    return (1 - strength) / k_used + rest, rest
