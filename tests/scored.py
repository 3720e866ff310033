"""Predictions and measurements for the metrics' tests: four genes on paper, and random rows."""

import numpy as np

from lgr_core.metrics import ReferenceSet

# Means 1.5 and 1; about them sums xx = 5, yy = 20, xy = 4; about zero 14, 24 and 10.
X = [3.0, 2.0, 1.0, 0.0]
Y = [2.0, 0.0, 4.0, -2.0]


def random_pairs(n=40, genes=150, dtype=np.float32, seed=0):
    """Correlated pairs; a quarter of each is exactly zero, and no row is constant."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal((n, genes)) * (rng.random((n, genes)) > 0.25)
    x = (0.6 * y + 0.1 + rng.standard_normal((n, genes))) * (rng.random((n, genes)) > 0.25)
    return x.astype(dtype), y.astype(dtype)


def context_of(x, y, seed=1):
    """A line mean, a lineup that holds y among 20 others, and some of these excluded."""
    rng = np.random.default_rng(seed)
    deltas = np.vstack([rng.standard_normal((20, x.shape[1])), y])
    exclude = rng.random((len(x), len(deltas))) < 0.3
    truth = np.arange(20, 20 + len(x))
    exclude[np.arange(len(x)), truth] = False
    references = ReferenceSet(deltas=deltas, truth=truth)
    return {"line_mean": y.mean(axis=0) + 0.1, "references": references, "exclude": exclude}
