"""The range of a metric on given data: what a replicate gains over a mean baseline.

The *baseline* is a prediction that says the same of every drug, such as the mean of the pool; the
*replicate* is a second measurement of the same condition. Where the replicate does not beat the
baseline, no difference between methods can be read off the metric.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.metrics.registry import Direction, Metric
from lgr_core.metrics.row_kernels import ScoreArray

MIN_PARENTS = 20
"""Parents that replicates have to cover before scores are anchored to them."""

_EDGE = 1e-6
"""Added to the width of the scale, as scPertEval does, where baseline and best value meet."""


def dynamic_range_fraction(replicate: ArrayLike, baseline: ArrayLike, metric: Metric) -> ScoreArray:
    """Share of the scale from the baseline to the best value that a replicate reaches, (n,).

    ``(replicate - baseline) / (best - baseline + 1e-6)``, cut to [-1, 1], for each query, where
    both arguments, (n,), are scores on ``metric``; its mean or median over queries is reported.
    scPertEval 0.2's ``drf`` (after Miller et al. 2025). Metrics that approach their best value from
    either side are taken as their distance from it (ours). NaN where a score is not finite, and
    where the baseline lies beyond the best value.
    """
    gained, width = _scale(replicate, baseline, metric)
    defined = np.isfinite(gained) & np.isfinite(width) & (width >= 0)
    share = np.divide(gained, width + _EDGE, out=np.full(gained.shape, np.nan), where=defined)
    return share.clip(-1, 1)


def bound_discrimination_score(
    replicate: ArrayLike, baseline: ArrayLike, metric: Metric
) -> ScoreArray:
    """1 where a replicate scores better than the baseline, else 0, (n,).

    The mean over queries is scPertEval 0.2's ``bds``: 0.5 means that the metric cannot tell a
    repeat of the measurement from a prediction without any knowledge of the drug. NaN where a score
    is NaN (there it counts as lost).
    """
    gained, _ = _scale(replicate, baseline, metric)
    return np.where(np.isnan(gained), np.nan, gained > 0)


def anchored_score(
    value: float, *, baseline: float, replicate: float, metric: Metric, n_parents: int
) -> float:
    """A mean score on the scale on which the mean baseline is 0 and a replicate is 1.

    ``(value - baseline) / (replicate - baseline)``, each a mean over the same queries. NaN where
    replicates cover fewer than ``MIN_PARENTS`` parents (``n_parents`` is how many), and where the
    replicate does not score better than the baseline: there the scale has no range.
    """
    if n_parents < MIN_PARENTS:
        return float("nan")
    (gained,), _ = _scale([value], [baseline], metric)
    (width,), _ = _scale([replicate], [baseline], metric)
    return float(gained / width) if width > 0 else float("nan")


def _scale(values: ArrayLike, baseline: ArrayLike, metric: Metric) -> tuple[ScoreArray, ScoreArray]:
    """How much better than the baseline the values are, and how much better the best value is."""
    value, from_ = (_higher_is_better(scores, metric) for scores in (values, baseline))
    best = 0.0 if metric.direction is Direction.NEAREST else _higher_is_better(metric.best, metric)
    return value - from_, best - from_


def _higher_is_better(scores: ArrayLike, metric: Metric) -> ScoreArray:
    found = np.asarray(scores, dtype=np.float64)
    match metric.direction:
        case Direction.HIGHER:
            return found
        case Direction.LOWER:
            return -found
        case Direction.NEAREST:
            return -np.abs(found - metric.best)
