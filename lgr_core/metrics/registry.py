"""The tables of metrics: those of the total change, and those of the specific one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from lgr_core.domain import Change
from lgr_core.metrics.discrimination import discrimination_score_cosine
from lgr_core.metrics.ranks import (
    overlap_at_50,
    overlap_at_100,
    sign_accuracy_top50,
    spearman_delta,
)
from lgr_core.metrics.row_kernels import ScoreArray
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
from lgr_core.metrics.weighted import r2_weighted, wmse


class Direction(StrEnum):
    """Whether higher or lower scores are better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Metric:
    """A registered metric: its function, its names and its interpretation.

    ``formula`` is plain text in x, y and m. ``direction`` is how scores approach ``best``;
    ``NEAREST`` means from either side. ``scale_dependent`` says that the right shape at the wrong
    magnitude scores differently, so that the value kind must stand beside the number. ``needs``
    names the arguments of :func:`score` that ``compute`` takes after the prediction. ``paper``
    marks the paper's six. ``change`` says of which change x and y have to be; a metric of the
    specific change applies the formula of the total metric ``formula_of``.
    """

    id: str
    label: str
    formula: str
    compute: Callable[..., ScoreArray]
    best: float = 1.0
    direction: Direction = Direction.HIGHER
    scale_dependent: bool = False
    needs: tuple[str, ...] = ("measured",)
    paper: bool = False
    change: Change = Change.TOTAL
    formula_of: str | None = None


_HIGHER, _LOWER, _NEAREST = Direction
_TABLE = (
    Metric(
        "pearson_delta",
        "Pearson r",
        "sum((x - mean x)(y - mean y)) / (norm(x - mean x) norm(y - mean y))",
        pearson_delta,
        paper=True,
    ),
    Metric("cosine", "Cosine", "x.y / (norm x * norm y)", cosine, paper=True),
    Metric(
        "mae_delta", "MAE", "mean |x - y|", mae_delta, 0.0, _LOWER, scale_dependent=True, paper=True
    ),
    Metric(
        "mse_delta",
        "MSE",
        "mean (x - y)^2",
        mse_delta,
        0.0,
        _LOWER,
        scale_dependent=True,
        paper=True,
    ),
    Metric(
        "sign_accuracy",
        "Sign accuracy",
        "share of genes with sign x = sign y, where sign 0 = sign 0",
        sign_accuracy,
        paper=True,
    ),
    Metric("r2_fit", "R2 of the fitted line", "pearson(x, y)^2", r2_fit, paper=True),
    Metric(
        "slope",
        "Slope, measured on predicted",
        "sum((x - mean x)(y - mean y)) / sum((x - mean x)^2)",
        slope,
        direction=_NEAREST,
        scale_dependent=True,
    ),
    Metric(
        "r2_det",
        "R2 as 1 - SSE/SST",
        "1 - sum((y - x)^2) / sum((y - mean y)^2)",
        r2_det,
        scale_dependent=True,
    ),
    Metric(
        "sign_accuracy_nonzero",
        "Sign accuracy, changed genes",
        "share with sign x = sign y of the genes with y != 0",
        sign_accuracy_nonzero,
    ),
    Metric(
        "sign_accuracy_top50",
        "Sign accuracy, top 50 genes",
        "share with sign x = sign y of the 50 genes with largest |y|",
        sign_accuracy_top50,
    ),
    Metric(
        "pearson_vs_line_mean",
        "Pearson r beyond the line mean",
        "pearson(x - m, y - m), m = mean of the query's pool in its line",
        pearson_vs_line_mean,
        scale_dependent=True,
        needs=("measured", "line_mean"),
    ),
    Metric("spearman_delta", "Spearman rho", "pearson(rank x, rank y)", spearman_delta),
    Metric("overlap_at_50", "Overlap of top 50", "|top50 |x| & top50 |y|| / 50", overlap_at_50),
    Metric(
        "overlap_at_100", "Overlap of top 100", "|top100 |x| & top100 |y|| / 100", overlap_at_100
    ),
    Metric(
        "discrimination_score_cosine",
        "Discrimination",
        "1 - rank/n of the true condition among the line's n, by cosine distance to x",
        discrimination_score_cosine,
        needs=("references",),
    ),
    Metric(
        "discrimination_score_cosine_unretrieved",
        "Discrimination, neighbours taken out",
        "1 - rank/n of the true condition among the line's n that were not retrieved",
        discrimination_score_cosine,
        needs=("references", "exclude"),
    ),
    Metric(
        "magnitude_ratio",
        "Magnitude ratio",
        "norm x / norm y",
        magnitude_ratio,
        direction=_NEAREST,
        scale_dependent=True,
    ),
    Metric(
        "wmse",
        "Weighted MSE",
        "sum w (x - y)^2, w by the effect |y - m| against all others, squared",
        wmse,
        0.0,
        _LOWER,
        scale_dependent=True,
        needs=("measured", "line_mean"),
    ),
    Metric(
        "r2_weighted",
        "Weighted R2 beyond the line mean",
        "1 - sum w (x - y)^2 / sum w (d - sum w d)^2, d = y - m, w as in the weighted MSE",
        r2_weighted,
        scale_dependent=True,
        needs=("measured", "line_mean"),
    ),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.id: metric for metric in _TABLE})
"""The metrics of the total change by id, in the order in which tables and run folders have them."""


def _specific(name: str, label: str, formula_of: str) -> Metric:
    of = METRICS[formula_of]
    return replace(
        of,
        id=name,
        label=label,
        formula=f"{of.formula}, of specific changes",
        paper=False,
        change=Change.SPECIFIC,
        formula_of=formula_of,
    )


_SPECIFIC_TABLE = (
    _specific("pearson_specific", "Specific Pearson r", "pearson_delta"),
    _specific("sign_specific_top50", "Specific sign accuracy, top 50 genes", "sign_accuracy_top50"),
    _specific("overlap_specific_at_50", "Specific overlap of top 50", "overlap_at_50"),
    _specific("cosine_specific", "Specific cosine", "cosine"),
    _specific("mse_specific", "Specific MSE", "mse_delta"),
    _specific("magnitude_ratio_specific", "Specific magnitude ratio", "magnitude_ratio"),
    _specific(
        "discrimination_score_cosine_specific",
        "Specific discrimination",
        "discrimination_score_cosine",
    ),
)
SPECIFIC_METRICS: Mapping[str, Metric] = MappingProxyType({m.id: m for m in _SPECIFIC_TABLE})
"""The metrics of the specific change by id, in the order in which tables show them.

Each is the formula of a total metric (``formula_of``) applied to specific changes.
"""

EVERY_METRIC: Mapping[str, Metric] = MappingProxyType({**METRICS, **SPECIFIC_METRICS})
"""The metrics of both changes by id."""

_OF_CHANGE = {Change.TOTAL: METRICS, Change.SPECIFIC: SPECIFIC_METRICS}


def metrics_of(change: Change) -> Mapping[str, Metric]:
    """The metrics that score predictions of this change, by id in the order of their table."""
    return _OF_CHANGE[change]
