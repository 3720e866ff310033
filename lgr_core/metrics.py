"""How well a predicted delta matches the measured one: pure functions and one table of them.

Throughout, ``predicted`` (x) and ``measured`` (y) are (n, genes) over the same panel, one query a
row; a (genes,) pair is one row. Scores are (n,) float64, accumulated in float64 whatever comes in.
A score is NaN where its formula divides by zero, as a correlation does for a constant vector;
never 0 and never an exception, so that the runner can count it.

"The paper" is the LGR paper, section 4.3; "cell-eval" is ArcInstitute/cell-eval 0.8.2. A
name is cell-eval's where the formula is, but for ``overlap_at_*``: cell-eval counts significant
genes of a differential test, which deltas alone do not give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError, UsageError, unknown

ScoreArray = NDArray[np.float64]

CHUNK_VALUES = 1 << 17
"""Values in a chunk of rows, 1 MB in float64: small enough for the cache, large enough that calls
are few (measured: 2^17 to 2^19 alike, 2^15 half as slow again)."""

CONSTANT = 1e-13
"""A vector whose centred norm is below this share of its norm varies by rounding alone."""

FLAT = 1e-3
"""Where less than this share of the squares is left about the mean, sums alone cost digits."""

SAME_AS_LINE_MEAN = 1e-5
"""Nearer to the line mean than this share of its norm, a vector differs from it by rounding."""

TIE = 1e-12
"""Cosines closer than this are equal: a matrix product rounds no finer."""

TOP = 50
"""Genes that ``sign_accuracy_top50`` looks at."""

ROLES = ("predicted", "measured", "line_mean")
"""What an error calls the arrays of a metric, in the order in which kernels take them."""


def pearson_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Pearson correlation over genes, (n,).

    ``sum((x - mean x)(y - mean y)) / (norm(x - mean x) norm(y - mean y))``; the paper's r and
    cell-eval's ``pearson_delta``. NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).pearson()


def cosine(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Cosine of the angle between the vectors, (n,).

    ``x.y / (norm x * norm y)``; the paper's. NaN where x or y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).cosine()


def mae_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Mean absolute error in the delta's own unit, (n,).

    ``mean |x - y|``; the paper's MAE and cell-eval's ``mae_delta``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).mae()


def mse_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Mean squared error in the delta's unit squared, (n,).

    ``mean (x - y)^2``; the paper's MSE and cell-eval's ``mse_delta``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).mse()


def sign_accuracy(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of genes with the same sign, zero being a sign of its own, (n,).

    ``mean [sign x = sign y]`` with ``sign 0 = 0``; the paper's. A silent gene counts as right when
    both are exactly zero, which favours averages over few neighbours: read it beside
    ``sign_accuracy_nonzero`` and ``random_k``.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).sign_accuracy()


def r2_fit(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """R2 of the least-squares line of y on x, (n,).

    ``pearson^2``; one reading of the paper's "regression slope (R2)", and its figures' "R2 of
    linear regression". NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).r2_fit()


def slope(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Slope of the least-squares line of y on x, (n,).

    ``sum((x - mean x)(y - mean y)) / sum((x - mean x)^2)``; above 1 the prediction is too small.
    Another reading of the paper's "regression slope (R2)". NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).slope()


def r2_det(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Coefficient of determination with x itself as the fit, (n,).

    ``1 - sum((y - x)^2) / sum((y - mean y)^2)``, negative where the mean of y would fit better;
    scikit-learn's ``r2_score``. NaN where y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).r2_det()


def magnitude_ratio(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Length of the predicted vector over that of the measured one, (n,).

    ``norm x / norm y`` (ours): 0 for a prediction of no effect, NaN where y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _Moments.of(predicted, measured).magnitude_ratio()


def sign_accuracy_nonzero(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of the genes that changed at all whose sign is right, (n,).

    ``mean [sign x = sign y]`` over genes with ``y != 0`` (ours): a zero in x is wrong. NaN where y
    is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _by_rows(_signs_of_changed, *_pair(predicted, measured))


def sign_accuracy_top50(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of the 50 genes with the largest absolute y whose sign is right, (n,).

    ``mean [sign x = sign y]`` over those genes (ours), of which one with ``y = 0`` is never part:
    where fewer changed, these are meant. Genes tied for the last places share them evenly. NaN
    where y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _by_rows(_signs_of_top, *_pair(predicted, measured))


def pearson_vs_line_mean(
    predicted: ArrayLike, measured: ArrayLike, line_mean: ArrayLike
) -> ScoreArray:
    """Pearson correlation of what sets the drug apart from others in its line, (n,).

    ``pearson(x - m, y - m)`` (ours), where ``line_mean`` (m), (n, genes) or (genes,), is the mean
    of the query's pool: the scorer's, the same for every method. NaN where ``norm(x - m)`` or
    ``norm(y - m)`` is below ``1e-5 norm m``, as for the pool mean itself, or a difference constant.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """
    x, y = _pair(predicted, measured)
    m = np.asarray(line_mean)
    if m.shape not in (x.shape, x.shape[1:]):
        found = f"line_mean is {m.shape}, predicted {x.shape}"
        raise InputError("metric", found, "Give one mean for all rows, or one a row.")
    return _by_rows(_pearson_around, x, y, np.broadcast_to(_matrix("line_mean", m), x.shape))


def spearman_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Rank correlation over genes, (n,).

    ``pearson(rank x, rank y)`` with mean ranks for ties (ours). NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _by_rows(_spearman, *_pair(predicted, measured))


def overlap_at_50(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Overlap of the 50 genes of largest absolute value, (n,).

    ``|top(x) & top(y)| / 50`` (ours). Genes tied for the last places share them evenly, and a gene
    counts with the smaller of its two shares, so the order of genes is of no account. NaN where
    all are tied in x or in y, and on panels of no more than 50 genes.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _by_rows(partial(_overlap, k=50), *_pair(predicted, measured))


def overlap_at_100(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Overlap of the 100 genes of largest absolute value, (n,).

    ``|top(x) & top(y)| / 100``; ties and NaN as in :func:`overlap_at_50`.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return _by_rows(partial(_overlap, k=100), *_pair(predicted, measured))


@dataclass(frozen=True, slots=True)
class Lineup:
    """The measured conditions of one line at one dose, among which a prediction must find its own.

    ``deltas`` is (n_conditions, genes); ``truth``, (n,), is each query's row in it.
    """

    deltas: FloatArray
    truth: IntArray

    def __post_init__(self) -> None:
        deltas, truth = self.deltas, self.truth
        if deltas.ndim == 1 or truth.ndim != 1 or truth.dtype.kind not in "iu":
            found = f"deltas are {deltas.shape}, truth is {truth.dtype} {truth.shape}"
            raise InputError("lineup", found, "Give (n_conditions, genes) and (n,) row numbers.")
        if not np.isfinite(_matrix("lineup", deltas)).all():
            raise InputError("lineup", "a delta is not finite", "Drop or repair its condition.")
        if ((self.truth < 0) | (self.truth >= len(self.deltas))).any():
            found = f"a true row lies outside its {len(self.deltas)} conditions"
            raise InputError("lineup", found, "Number the rows of deltas from 0.")


def discrimination_score_cosine(
    predicted: ArrayLike, lineup: Lineup, *, exclude: BoolArray | None = None
) -> ScoreArray:
    """How early the true condition comes when the line's conditions are sorted by distance, (n,).

    ``1 - rank / n``: ``rank`` is how many of the ``n`` conditions, the true one counted, lie nearer
    to x by ``1 - cosine``; 1 is best, 1/n worst, (n + 1)/2n chance. As cell-eval's, but that a tie,
    left there to an unstable sort, counts half, and that NaN stands where the order means nothing:
    x or the true delta zero throughout, or nobody else in the lineup. ``exclude``, (n,
    n_conditions), takes conditions out query by query, as the retrieved neighbours: a prediction
    resembles what it averages, and that alone puts them before the truth.

    Raises
    ------
    InputError
        The shapes do not agree, a value is not finite, or a true condition is excluded.
    """
    x = _matrix("predicted", predicted)
    kept = _kept(len(x), lineup, exclude)
    if x.shape[1] != lineup.deltas.shape[1]:
        found = f"predicted is {x.shape}, the lineup {lineup.deltas.shape}"
        raise InputError("metric", found, "Score both on the same genes.")
    similarity = _cosines(x, lineup.deltas)
    own = np.take_along_axis(similarity, lineup.truth[:, None], axis=1)
    nearer = (kept & (similarity > own + TIE)).sum(axis=1)
    tied = (kept & (np.abs(similarity - own) <= TIE)).sum(axis=1) - 1
    n = kept.sum(axis=1)
    score = 1 - (nearer + tied / 2) / n
    real = lineup.deltas.any(axis=1)[lineup.truth]
    return np.where(x.any(axis=1) & real & (n > 1), score, np.nan)


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
        needs=("lineup",),
    ),
    Metric(
        "discrimination_score_cosine_unretrieved",
        "Discrimination, neighbours taken out",
        "1 - rank/n of the true condition among the line's n that were not retrieved",
        discrimination_score_cosine,
        needs=("lineup", "exclude"),
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
    lineup: Lineup | None = None,
    exclude: BoolArray | None = None,
    metrics: Iterable[str] | None = None,
) -> dict[str, ScoreArray]:
    """Many metrics at once, each (n,), in the order asked; one pass serves all that are moments.

    ``metrics`` are ids of :data:`METRICS`; unset, all that the context given allows. ``line_mean``
    is the m of :func:`pearson_vs_line_mean`; ``lineup`` and ``exclude`` are those of
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
    given = {"line_mean": line_mean, "lineup": lineup, "exclude": exclude}
    context = {name: value for name, value in given.items() if value is not None}
    x, y = _pair(predicted, measured)
    context["measured"] = y
    wanted = _wanted(metrics, context.keys())
    shared = _Moments.of(x, y) if any(metric.id in _SHARED for metric in wanted) else None
    scores = {}
    for metric in wanted:
        if shared is not None and metric.id in _SHARED:
            scores[metric.id] = _SHARED[metric.id](shared)
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


@dataclass(frozen=True, slots=True)
class _Moments:
    """What one pass over the pairs leaves behind: means, centred products and errors, each (n,)."""

    genes: int
    mean_x: ScoreArray
    mean_y: ScoreArray
    xx: ScoreArray
    yy: ScoreArray
    xy: ScoreArray
    absolute_error: ScoreArray
    squared_error: ScoreArray
    same_sign: ScoreArray

    @classmethod
    def of(cls, predicted: ArrayLike, measured: ArrayLike) -> _Moments:
        x, y = _pair(predicted, measured)
        return cls(x.shape[1], *_by_rows(_moments, x, y))

    def norms(self) -> tuple[ScoreArray, ScoreArray]:
        """Squared norms about zero, of x and of y."""
        return self.xx + self.genes * self.mean_x**2, self.yy + self.genes * self.mean_y**2

    def pearson(self) -> ScoreArray:
        return _ratio(self.xy, np.sqrt(self.xx * self.yy)).clip(-1, 1)

    def cosine(self) -> ScoreArray:
        x, y = self.norms()
        dot = self.xy + self.genes * (self.mean_x * self.mean_y)
        return _ratio(dot, np.sqrt(x * y)).clip(-1, 1)

    def mae(self) -> ScoreArray:
        return self.absolute_error / self.genes

    def mse(self) -> ScoreArray:
        return self.squared_error / self.genes

    def sign_accuracy(self) -> ScoreArray:
        return self.same_sign / self.genes

    def r2_fit(self) -> ScoreArray:
        return self.pearson() ** 2

    def slope(self) -> ScoreArray:
        return _ratio(self.xy, np.where(self.yy > 0, self.xx, 0))

    def r2_det(self) -> ScoreArray:
        return 1 - _ratio(self.squared_error, self.yy)

    def magnitude_ratio(self) -> ScoreArray:
        x, y = self.norms()
        return np.sqrt(_ratio(x, y))


_SHARED: Mapping[str, Callable[[_Moments], ScoreArray]] = {
    "pearson_delta": _Moments.pearson,
    "cosine": _Moments.cosine,
    "mae_delta": _Moments.mae,
    "mse_delta": _Moments.mse,
    "sign_accuracy": _Moments.sign_accuracy,
    "r2_fit": _Moments.r2_fit,
    "slope": _Moments.slope,
    "r2_det": _Moments.r2_det,
    "magnitude_ratio": _Moments.magnitude_ratio,
}


def _moments(x: FloatArray, y: FloatArray) -> ScoreArray:
    """(8, rows), in the order of :class:`_Moments`; overwrites the chunk it is given."""
    same_sign = _count(_same_sign(x, y))
    genes, mean_x, mean_y = x.shape[1], x.mean(axis=1), y.mean(axis=1)
    norm_x, norm_y = np.vecdot(x, x), np.vecdot(y, y)
    xx, yy = norm_x - genes * mean_x**2, norm_y - genes * mean_y**2
    xy = np.vecdot(x, y) - genes * (mean_x * mean_y)
    flat = (xx < FLAT * norm_x) | (yy < FLAT * norm_y)
    if flat.any():
        xx[flat], yy[flat], xy[flat] = _centred(x[flat], y[flat])
    error = np.subtract(x, y, out=x)
    squared_error = np.vecdot(error, error)
    absolute_error = np.abs(error, out=error).sum(axis=1)
    return np.stack([mean_x, mean_y, xx, yy, xy, absolute_error, squared_error, same_sign])


def _centred(x: FloatArray, y: FloatArray) -> tuple[ScoreArray, ScoreArray, ScoreArray]:
    """Sums of xx, yy and xy about the means, 0 for the squares of a constant; centres in place."""
    return _centre(x), _centre(y), np.vecdot(x, y)


def _centre(x: FloatArray) -> ScoreArray:
    norm = np.vecdot(x, x)
    x -= x.mean(axis=1, keepdims=True)
    squares = np.vecdot(x, x)
    return np.where(squares <= CONSTANT**2 * norm, 0, squares)


def _pearson(x: FloatArray, y: FloatArray) -> ScoreArray:
    """Pearson by rows; centres its arguments in place."""
    xx, yy, xy = _centred(x, y)
    return _ratio(xy, np.sqrt(xx * yy)).clip(-1, 1)


def _pearson_around(x: FloatArray, y: FloatArray, m: FloatArray) -> ScoreArray:
    x -= m
    y -= m
    least = SAME_AS_LINE_MEAN * np.linalg.norm(m, axis=1)
    nearer = np.minimum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1))
    return np.where(nearer < least, np.nan, _pearson(x, y))


def _spearman(x: FloatArray, y: FloatArray) -> ScoreArray:
    return _pearson(rankdata(x, axis=1), rankdata(y, axis=1))


def _signs_of_changed(x: FloatArray, y: FloatArray) -> ScoreArray:
    changed = y != 0
    return _ratio(_count(_same_sign(x, y) & changed), _count(changed))


def _signs_of_top(x: FloatArray, y: FloatArray) -> ScoreArray:
    share = _top_share(np.abs(y), TOP) * (y != 0)
    return _ratio(np.vecdot(share, _same_sign(x, y).astype(np.float64)), share.sum(axis=1))


def _overlap(x: FloatArray, y: FloatArray, *, k: int) -> ScoreArray:
    shares = _top_share(np.abs(x), k), _top_share(np.abs(y), k)
    told = np.logical_and(*(share.min(axis=1) < share.max(axis=1) for share in shares))
    return np.where(told, np.minimum(*shares).sum(axis=1) / k, np.nan)


def _top_share(values: FloatArray, k: int) -> ScoreArray:
    """How much of each gene is among the k largest: 1, 0, or an even share of the last places."""
    k = min(k, values.shape[1])
    edge = np.partition(values, -k, axis=1)[:, [-k]]
    above, tied = values > edge, values == edge
    places = k - above.sum(axis=1, keepdims=True)
    return above + tied * (places / tied.sum(axis=1, keepdims=True))


def _same_sign(x: FloatArray, y: FloatArray) -> BoolArray:
    return ~(((x > 0) ^ (y > 0)) | ((x < 0) ^ (y < 0)))


def _count(flags: BoolArray) -> IntArray:
    """True values a row; packed to bits first, which is three times as fast as adding them."""
    return np.bitwise_count(np.packbits(flags, axis=1)).sum(axis=1, dtype=np.int64)


def _ratio(numerator: ArrayLike, denominator: ArrayLike) -> ScoreArray:
    """The quotient, NaN where the denominator is 0."""
    below = np.asarray(denominator, dtype=np.float64)
    return np.divide(numerator, below, out=np.full(below.shape, np.nan), where=below > 0)


def _cosines(x: FloatArray, deltas: FloatArray) -> ScoreArray:
    """(n, n_conditions); 0 wherever a vector is zero, as scikit-learn has it."""
    others = _unit(deltas.astype(np.float64))
    return _by_rows(lambda rows: others @ _unit(rows).T, x).T


def _unit(x: ScoreArray) -> ScoreArray:
    norm = np.linalg.norm(x, axis=1, keepdims=True)
    return np.divide(x, norm, out=np.zeros_like(x), where=norm > 0)


def _kept(n: int, lineup: Lineup, exclude: BoolArray | None) -> BoolArray:
    shape = (n, len(lineup.deltas))
    if len(lineup.truth) != n:
        found = f"{n} predictions, {len(lineup.truth)} true rows"
        raise InputError("lineup", found, "Give each prediction its true row.")
    if exclude is None:
        return np.ones(shape, dtype=bool)
    mask = np.atleast_2d(exclude)
    if mask.shape != shape or mask.dtype != bool:
        found = f"exclude is {mask.dtype} {mask.shape}, the lineup asks for bool {shape}"
        raise InputError("lineup", found, "Give one flag a query and condition.")
    if mask[np.arange(n), lineup.truth].any():
        raise InputError("lineup", "a true condition is excluded", "Keep it; exclude others.")
    return ~mask


def _by_rows(kernel: Callable[..., ScoreArray], *arrays: FloatArray) -> ScoreArray:
    """Run a kernel over chunks of rows, float64 copies that it may overwrite; (..., n)."""
    n, genes = arrays[0].shape
    step = max(1, CHUNK_VALUES // genes)
    # Reused: fresh buffers of this size go back to the system each time and cost page faults.
    buffers = [np.empty((min(step, n), genes)) for _ in arrays]
    parts = []
    for start in range(0, max(n, 1), step):
        named = zip(ROLES, arrays, buffers, strict=False)
        parts.append(kernel(*(_read(name, a[start : start + step], b) for name, a, b in named)))
    return np.concatenate(parts, axis=-1)


def _read(name: str, chunk: FloatArray, buffer: ScoreArray) -> ScoreArray:
    if not np.isfinite(chunk).all():
        raise InputError("metric", f"{name} holds a value that is not finite", "Drop its row.")
    filled = buffer[: len(chunk)]
    np.copyto(filled, chunk)
    return filled


def _pair(predicted: ArrayLike, measured: ArrayLike) -> tuple[FloatArray, FloatArray]:
    if np.shape(predicted) != np.shape(measured):
        found = f"predicted is {np.shape(predicted)}, measured {np.shape(measured)}"
        raise InputError("metric", found, "Score both on the same queries and genes.")
    return _matrix("predicted", predicted), _matrix("measured", measured)


def _matrix(name: str, values: ArrayLike) -> FloatArray:
    """As (n, genes); one vector is one row. Finite or not is seen where the rows are read."""
    array = np.asarray(values)
    matrix = np.atleast_2d(array)
    if array.ndim not in (1, 2) or matrix.shape[1] == 0 or array.dtype.kind not in "fiu":
        found = f"{name} is {array.dtype} {array.shape}"
        raise InputError("metric", found, "Give real numbers, (n, genes) or (genes,).")
    return matrix
