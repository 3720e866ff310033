"""Which way a change goes, and whether it stands out of the spread of what it is the mean of."""

from __future__ import annotations

import numpy as np

from lgr_core.domain import FloatArray, IntArray

NOISE_ERRORS = 2.0
"""A mean within so many standard errors of zero is noise."""

FEWEST_FOR_SPREAD = 3
"""Of fewer neighbours no spread is known, so nothing is called noise."""


def direction(predicted: FloatArray, neighbor_deltas: FloatArray) -> IntArray:
    """Which way each gene is predicted to go, (n_genes,): 1 up, -1 down, 0 within noise.

    Within noise is ``|x| <= 2 s / sqrt(n)``, ``s`` the standard deviation (n - 1) of the n
    neighbours' deltas, (n, n_genes). Of fewer than three neighbours no spread is known: the sign
    alone decides.
    """
    sign = np.sign(predicted).astype(np.intp)
    n = len(neighbor_deltas)
    if n < FEWEST_FOR_SPREAD:
        return sign
    error = neighbor_deltas.std(axis=0, ddof=1, dtype=np.float64) / np.sqrt(n)
    return np.where(np.abs(predicted) <= NOISE_ERRORS * error, 0, sign)
