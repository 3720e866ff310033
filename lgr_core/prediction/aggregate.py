"""From the neighbours' deltas to one vector. Kernels: NumPy in, NumPy out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.errors import UsageError


def mean_weights(k_used: int) -> FloatArray:
    """Uniform weights, (k_used,): equation 4 of the LGR paper."""
    return np.full(k_used, 1.0 / k_used)


WEIGHTS: Mapping[str, Callable[[int], FloatArray]] = {"mean": mean_weights}
"""Aggregations by name: each gives the weights of neighbours ranked best first."""


def aggregate(deltas: FloatArray, how: str = "mean") -> tuple[FloatArray, FloatArray]:
    """Weighted sum of the neighbours' deltas and the weights it used.

    Parameters
    ----------
    deltas
        (k_used, n_genes), best neighbour first.
    how
        A name in ``WEIGHTS``.

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
        raise UsageError(f"aggregation {how!r}", "unknown", f"Choose one of: {', '.join(WEIGHTS)}.")
    if not len(deltas):
        raise UsageError("aggregation", "no neighbour to average", "Name a fallback.")
    weights = WEIGHTS[how](len(deltas))
    return (weights @ deltas.astype(np.float64)).astype(np.float32), weights
