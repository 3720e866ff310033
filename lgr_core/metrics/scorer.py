"""Many predictions of the same queries, scored: what hangs on the measured side is done once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray
from lgr_core.errors import InputError
from lgr_core.metrics.discrimination import Lineup, kept_of, ranked, unit
from lgr_core.metrics.moments import SHARED, Moments
from lgr_core.metrics.pairs import around, signs_of_changed
from lgr_core.metrics.ranks import TOP, Top, centred_ranks, spearman_with
from lgr_core.metrics.rows import CHUNK_VALUES, ScoreArray, matrix, same_sign
from lgr_core.metrics.table import METRICS

SIZES = (50, 100)
"""Of the overlaps of largest genes."""


class Scorer:
    """Scores predictions of one block of queries on every metric of :data:`METRICS`.

    Parameters
    ----------
    measured
        (n, genes), the measured deltas: a block small enough to stay in memory several times.
    line_mean, lineup
        As :func:`lgr_core.metrics.score` takes them.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    """

    def __init__(self, measured: ArrayLike, *, line_mean: ArrayLike, lineup: Lineup) -> None:
        y, m = _finite("measured", measured), _finite("line_mean", line_mean)
        if m.shape != y.shape or lineup.deltas.shape[1] != y.shape[1]:
            found = f"measured is {y.shape}, line_mean {m.shape}, lineup {lineup.deltas.shape}"
            raise InputError("scorer", found, "Give all on the same queries and genes.")
        self.lineup = lineup
        self._others = unit(lineup.deltas.astype(np.float64))
        self._shape = y.shape
        step = max(1, CHUNK_VALUES // y.shape[1])
        starts = range(0, len(y), step)
        self._chunks = [_Chunk.of(y[i : i + step], m[i : i + step]) for i in starts]
        self._parts = [slice(i, i + step) for i in starts]

    def score(
        self, predicted: ArrayLike, *, exclude: BoolArray | None = None
    ) -> dict[str, ScoreArray]:
        """Every metric, (n,) each, as :func:`lgr_core.metrics.score` has them.

        Without ``exclude``, nothing was retrieved, and nothing is taken out of the lineup.
        """
        x = _finite("predicted", predicted)
        if x.shape != self._shape:
            found = f"predicted is {x.shape}, measured {self._shape}"
            raise InputError("scorer", found, "Score both on the same queries and genes.")
        parts = [c.score(x[i]) for c, i in zip(self._chunks, self._parts, strict=True)]
        scores = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        similarity, told = unit(x) @ self._others.T, x.any(axis=1)
        for name, out in (("", None), ("_unretrieved", exclude)):
            kept = kept_of(len(x), self.lineup, out)
            scores[f"discrimination_score_cosine{name}"] = ranked(
                similarity, told, self.lineup, kept
            )
        return {name: scores[name] for name in METRICS}


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The measured side of some queries; all (rows, genes) or made from that."""

    y: FloatArray
    m: FloatArray
    ranks: ScoreArray
    squares: ScoreArray
    tops: tuple[Top, ...]

    @classmethod
    def of(cls, y: FloatArray, m: FloatArray) -> _Chunk:
        sizes = np.abs(y)
        return cls(y, m, *centred_ranks(y), tuple(Top.of(sizes, k) for k in SIZES))

    def score(self, x: FloatArray) -> dict[str, ScoreArray]:
        """All metrics that look at a query alone."""
        right, changed, sizes = same_sign(x, self.y), self.y != 0, np.abs(x)
        shared = Moments.of(x, self.y)
        scores = {name: compute(shared) for name, compute in SHARED.items()}
        scores["sign_accuracy_nonzero"] = signs_of_changed(right, changed)
        scores[f"sign_accuracy_top{TOP}"] = self.tops[SIZES.index(TOP)].signs(right, changed)
        scores["pearson_vs_line_mean"] = around(x, self.y, self.m)
        scores["spearman_delta"] = spearman_with(x, self.ranks, self.squares)
        for k, top in zip(SIZES, self.tops, strict=True):
            scores[f"overlap_at_{k}"] = Top.of(sizes, k).overlap(top)
        return scores


def _finite(name: str, values: ArrayLike) -> FloatArray:
    rows = matrix(name, values).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError("metric", f"{name} holds a value that is not finite", "Drop its row.")
    return rows
