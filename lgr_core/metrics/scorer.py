"""Many predictions of the same queries, scored: what hangs on the measured side is done once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError
from lgr_core.metrics.discrimination import Likeness, Lineup, kept_of, ranked
from lgr_core.metrics.moments import SHARED, Moments
from lgr_core.metrics.ranks import TOP, Ascending, Top
from lgr_core.metrics.registry import METRICS
from lgr_core.metrics.row_kernels import CHUNK_VALUES, ScoreArray, matrix, same_sign
from lgr_core.metrics.vector_metrics import beyond, correlation, signs_of_changed

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
        self._lineup, self._shape = lineup, y.shape
        likeness, step = Likeness(lineup), max(1, CHUNK_VALUES // y.shape[1])
        self._parts = [slice(i, i + step) for i in range(0, len(y), step)]
        self._chunks = [_Chunk.of(y[i], m[i], likeness, lineup.truth[i]) for i in self._parts]

    def score(
        self, predicted: ArrayLike, *, exclude: BoolArray | None = None
    ) -> dict[str, ScoreArray]:
        """Every metric, (n,) each, as :func:`lgr_core.metrics.score` has them.

        Without ``exclude``, nothing was retrieved, and nothing is taken out of the lineup.
        """
        x = matrix("predicted", predicted)
        if x.shape != self._shape:
            found = f"predicted is {x.shape}, measured {self._shape}"
            raise InputError("scorer", found, "Score both on the same queries and genes.")
        kept = kept_of(len(x), self._lineup, exclude)
        parts = [
            chunk.score(_finite("predicted", x[i]), kept[i])
            for chunk, i in zip(self._chunks, self._parts, strict=True)
        ]
        return {name: np.concatenate([part[name] for part in parts]) for name in METRICS}


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The measured side of some queries; all (rows, genes) or made from that."""

    y: FloatArray
    m: FloatArray
    beyond: tuple[FloatArray, ScoreArray]
    ranks: tuple[ScoreArray, ScoreArray]
    tops: tuple[Top, ...]
    likeness: Likeness
    truth: IntArray

    @classmethod
    def of(cls, y: FloatArray, m: FloatArray, likeness: Likeness, truth: IntArray) -> _Chunk:
        ascending = Ascending.of(y)
        ranks, tops = ascending.centred_ranks(), _tops(y, ascending)
        return cls(y, m, beyond(y, m), ranks, tops, likeness, truth)

    def score(self, x: FloatArray, kept: BoolArray) -> dict[str, ScoreArray]:
        """All metrics; overwrites x, rows of float64. ``kept`` stay in the lineup."""
        right, changed, ascending = same_sign(x, self.y), self.y != 0, Ascending.of(x)
        scores = {
            "sign_accuracy_nonzero": signs_of_changed(right, changed),
            f"sign_accuracy_top{TOP}": self.tops[SIZES.index(TOP)].signs(right, changed),
            "pearson_vs_line_mean": correlation(*beyond(x, self.m), *self.beyond),
            "spearman_delta": ascending.spearman(*self.ranks),
        }
        for own, top in zip(_tops(x, ascending), self.tops, strict=True):
            scores[f"overlap_at_{top.k}"] = own.overlap(top)
        cosines, told = self.likeness.of(x, self.truth)
        for name, lineup in (("", np.ones_like(kept)), ("_unretrieved", kept)):
            found = ranked(cosines, self.truth, told, lineup)
            scores[f"discrimination_score_cosine{name}"] = found
        moments = Moments.of_chunk(x, self.y)
        return scores | {name: compute(moments) for name, compute in SHARED.items()}


def _tops(values: FloatArray, ascending: Ascending) -> tuple[Top, ...]:
    """The largest genes, for each of ``SIZES``."""
    sizes = np.abs(values)
    return tuple(Top.of(sizes, k, ascending.edge(k)) for k in SIZES)


def _finite(name: str, values: ArrayLike) -> FloatArray:
    rows = matrix(name, values).astype(np.float64)
    if not np.isfinite(rows).all():
        raise InputError("metric", f"{name} holds a value that is not finite", "Drop its row.")
    return rows
