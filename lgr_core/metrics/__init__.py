"""Metrics of predicted against measured deltas: pure functions, and a registry of them.

Throughout, ``predicted`` (x) and ``measured`` (y) are (n, genes) over the same panel, one query a
row; a (genes,) pair is one row. Scores are (n,) float64, accumulated in float64 whatever comes in.
A score is NaN where its formula divides by zero, as a correlation does for a constant vector;
never 0 and never an exception, so that the runner can count it.

"The paper" is the LGR paper, section 4.3; "cell-eval" is ArcInstitute/cell-eval 0.8.2. A
name is cell-eval's where the formula is, but for ``overlap_at_*``: cell-eval counts significant
genes of a differential test, which deltas alone do not give.
"""

from __future__ import annotations

from lgr_core.metrics.collapse import collapse, mean_pairwise_pearson
from lgr_core.metrics.discrimination import ReferenceSet, discrimination_score_cosine
from lgr_core.metrics.dynamic_range import (
    MIN_PARENTS,
    anchored_score,
    bound_discrimination_score,
    dynamic_range_fraction,
)
from lgr_core.metrics.ranks import (
    overlap_at_50,
    overlap_at_100,
    sign_accuracy_top50,
    spearman_delta,
)
from lgr_core.metrics.registry import (
    EVERY_METRIC,
    METRICS,
    SPECIFIC_METRICS,
    Direction,
    Metric,
    metrics_of,
)
from lgr_core.metrics.row_kernels import ScoreArray
from lgr_core.metrics.scorer import Scorer
from lgr_core.metrics.scoring import score
from lgr_core.metrics.vector_metrics import (
    cosine,
    mae_delta,
    magnitude_ratio,
    mse_delta,
    mse_noise_corrected,
    pearson_delta,
    pearson_of_defined,
    pearson_vs_line_mean,
    r2_det,
    r2_fit,
    sign_accuracy,
    sign_accuracy_nonzero,
    slope,
)
from lgr_core.metrics.weighted import effect_weights, r2_weighted, wmse

__all__ = [
    "EVERY_METRIC",
    "METRICS",
    "MIN_PARENTS",
    "SPECIFIC_METRICS",
    "Direction",
    "Metric",
    "ReferenceSet",
    "ScoreArray",
    "Scorer",
    "anchored_score",
    "bound_discrimination_score",
    "collapse",
    "cosine",
    "discrimination_score_cosine",
    "dynamic_range_fraction",
    "effect_weights",
    "mae_delta",
    "magnitude_ratio",
    "mean_pairwise_pearson",
    "metrics_of",
    "mse_delta",
    "mse_noise_corrected",
    "overlap_at_50",
    "overlap_at_100",
    "pearson_delta",
    "pearson_of_defined",
    "pearson_vs_line_mean",
    "r2_det",
    "r2_fit",
    "r2_weighted",
    "score",
    "sign_accuracy",
    "sign_accuracy_nonzero",
    "sign_accuracy_top50",
    "slope",
    "spearman_delta",
    "wmse",
]
