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

from lgr_core.metrics.discrimination import ReferenceSet, discrimination_score_cosine
from lgr_core.metrics.ranks import (
    overlap_at_50,
    overlap_at_100,
    sign_accuracy_top50,
    spearman_delta,
)
from lgr_core.metrics.registry import (
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
    pearson_delta,
    pearson_vs_line_mean,
    r2_det,
    r2_fit,
    sign_accuracy,
    sign_accuracy_nonzero,
    slope,
)

__all__ = [
    "METRICS",
    "SPECIFIC_METRICS",
    "Direction",
    "Metric",
    "ReferenceSet",
    "ScoreArray",
    "Scorer",
    "cosine",
    "discrimination_score_cosine",
    "mae_delta",
    "magnitude_ratio",
    "metrics_of",
    "mse_delta",
    "overlap_at_50",
    "overlap_at_100",
    "pearson_delta",
    "pearson_vs_line_mean",
    "r2_det",
    "r2_fit",
    "score",
    "sign_accuracy",
    "sign_accuracy_nonzero",
    "sign_accuracy_top50",
    "slope",
    "spearman_delta",
]
