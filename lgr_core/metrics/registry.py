"""The one table of metrics, and many of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray
from lgr_core.errors import UsageError, unknown
from lgr_core.metrics.discrimination import ReferenceSet, discrimination_score_cosine
from lgr_core.metrics.moments import SHARED, Moments
from lgr_core.metrics.ranks import (
    overlap_at_50,
    overlap_at_100,
    sign_accuracy_top50,
    spearman_delta,
)
from lgr_core.metrics.row_kernels import ScoreArray, pair
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


class Direction(StrEnum):
    """Which way a score is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True)
class Metric:
    """A row of the table: how a metric is computed, named and read.

    ``formula`` is plain text in x, y and m. ``direction`` is how scores approach ``best``;
    ``NEAREST`` means from either side. ``scale_dependent`` says that the right shape at the wrong
    magnitude scores differently, so that the value kind must stand beside the number. ``needs``
    names the arguments of :func:`score` that ``compute`` takes after the prediction. ``paper``
    marks the paper's six.
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
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.id: metric for metric in _TABLE})
"""Every metric by its id, in the order in which tables show them."""


def score(
    predicted: ArrayLike,
    measured: ArrayLike,
    *,
    line_mean: ArrayLike | None = None,
    references: ReferenceSet | None = None,
    exclude: BoolArray | None = None,
    metrics: Iterable[str] | None = None,
) -> dict[str, ScoreArray]:
    """Many metrics at once, each (n,), in the order asked; one pass serves all that are moments.

    ``metrics`` are ids of :data:`METRICS`; unset, all that the context given allows. ``line_mean``
    is the m of :func:`pearson_vs_line_mean`; ``references`` and ``exclude`` are those of
    :func:`discrimination_score_cosine`.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    NotFoundError
        A metric is not in the table.
    UsageError
        A metric is asked for without the context it needs.
    """
    given = {"line_mean": line_mean, "references": references, "exclude": exclude}
    context = {name: value for name, value in given.items() if value is not None}
    x, y = pair(predicted, measured)
    context["measured"] = y
    wanted = _wanted(metrics, context.keys())
    shared = Moments.of(x, y) if any(metric.id in SHARED for metric in wanted) else None
    scores = {}
    for metric in wanted:
        if shared is not None and metric.id in SHARED:
            scores[metric.id] = SHARED[metric.id](shared)
        else:
            scores[metric.id] = metric.compute(x, **{name: context[name] for name in metric.needs})
    return scores


def _wanted(metrics: Iterable[str] | None, context: Iterable[str]) -> list[Metric]:
    have = set(context)
    if metrics is None:
        return [metric for metric in METRICS.values() if have.issuperset(metric.needs)]
    wanted = []
    for name in metrics:
        if name not in METRICS:
            raise unknown("metric", name, METRICS, "the table of metrics")
        if lacking := sorted(set(METRICS[name].needs) - have):
            found = f"{' and '.join(lacking)} not given"
            raise UsageError(f"metric {name!r}", found, "Pass it, or leave the metric out.")
        wanted.append(METRICS[name])
    return wanted
