"""Weights of ranked neighbours. Kernels: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lgr_core.domain import FloatArray, Neighbor
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


def reciprocal_rank_weights(k_used: int) -> FloatArray:
    """Weights in proportion to one over the rank, (k_used,): of three, 6/11, 3/11 and 2/11."""
    each = 1.0 / np.arange(1, k_used + 1)
    return each / each.sum()


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


RECIPROCAL_RANK = "reciprocal_rank"
"""The aggregation that counts the first neighbours most."""

Scores = Sequence[float | None]
"""The selector's score of each neighbour, best first; None where it gave none."""

CONFIDENCE = "confidence_weighted"
"""The aggregation by the confidence that a language model states: an ablation, not calibrated."""

WEIGHTS: Mapping[str, Callable[[Scores, Callable[[], FloatArray]], FloatArray]] = {
    "mean": lambda scores, _: mean_weights(len(scores)),
    "rank_weighted": lambda scores, _: rank_weights(len(scores)),
    RECIPROCAL_RANK: lambda scores, _: reciprocal_rank_weights(len(scores)),
    "score_weighted": lambda scores, _: score_weights(scores),
    CONFIDENCE: lambda stated, _: score_weights(stated),
    "median": lambda _, deltas: median_weights(deltas()),
}
"""Aggregations by name: weights of one or more neighbours, (k_used,), ranked best first.

Each is given what :func:`values_of` says of the neighbours, and what reads their deltas, (k_used,
genes), where it must.
"""

SHRUNKEN = "shrunken"
"""The aggregation that also reads the rest of the pool: see :func:`shrunken_weights`."""

AGGREGATES = (*WEIGHTS, SHRUNKEN)


def values_of(how: str, neighbors: Sequence[Neighbor]) -> Scores:
    """What an aggregation weighs neighbours by: the stated confidence, or the selector's score."""
    if how == CONFIDENCE:
        return [None if n.structured is None else n.structured.stated_confidence for n in neighbors]
    return [neighbor.score for neighbor in neighbors]


def check_aggregate(how: str) -> None:
    """Raise ``UsageError`` unless that is the name of an aggregation."""
    if how not in AGGREGATES:
        known = ", ".join(AGGREGATES)
        raise UsageError(f"aggregation {how!r}", "unknown", f"Choose one of: {known}.")


def shrunken_weights(k_used: int, n_pool: int, strength: float) -> tuple[float, float]:
    """The weight of a neighbour, and of every other candidate: ``strength`` of it is the pool mean.

    With s the strength, neighbours weigh ``(1 - s) / k_used + s / n_pool``, the others
    ``s / n_pool``; together 1.
    """
    rest = strength / n_pool
    return (1 - strength) / k_used + rest, rest
