"""Scores many predictions of the same queries; computes the measured side once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, Change, FloatArray, IntArray
from lgr_core.errors import InputError, UsageError
from lgr_core.metrics.discrimination import (
    CosineSimilarity,
    ReferenceSet,
    reference_mask,
    score_from_cosines,
)
from lgr_core.metrics.moments import SHARED, Moments
from lgr_core.metrics.ranks import TOP, SortedRows, TopGenes
from lgr_core.metrics.registry import metrics_of
from lgr_core.metrics.row_kernels import (
    CHUNK_VALUES,
    ScoreArray,
    finite_rows,
    matrix,
    same_sign,
)
from lgr_core.metrics.vector_metrics import centred_on, correlation, signs_of_changed
from lgr_core.metrics.weighted import GeneWeights

SIZES = (50, 100)
"""Of the overlaps of largest genes."""


class Scorer:
    """Scores predictions of one block of queries on every metric of one change.

    Parameters
    ----------
    measured
        (n, genes), the measured changes: a block small enough to stay in memory several times.
    line_mean, references
        As :func:`lgr_core.metrics.score` takes them; the specific change needs no line mean.
    change
        Which change ``measured``, ``references`` and the predictions are: its table of metrics
        (:func:`~lgr_core.metrics.metrics_of`) is scored.

    Raises
    ------
    InputError
        The shapes do not agree, or a value is not finite.
    UsageError
        The total change is to be scored without a line mean.
    """

    def __init__(
        self,
        measured: ArrayLike,
        *,
        references: ReferenceSet,
        line_mean: ArrayLike | None = None,
        change: Change = Change.TOTAL,
    ) -> None:
        y, step = finite_rows("measured", measured), max(1, CHUNK_VALUES // np.shape(measured)[-1])
        self._references, self._shape, self._metrics = references, y.shape, metrics_of(change)
        self._parts = [slice(i, i + step) for i in range(0, len(y), step)]
        m = None if change is Change.SPECIFIC else _line_mean(line_mean)
        self._require_one_shape(m)
        similarity, truth = CosineSimilarity(references), references.truth
        self._chunks: list[_Chunk | _SpecificChunk] = [
            _SpecificChunk.of(y[i], similarity, truth[i])
            if m is None
            else _Chunk.of(y[i], m[i], similarity, truth[i])
            for i in self._parts
        ]

    def _require_one_shape(self, m: ScoreArray | None) -> None:
        genes = self._references.deltas.shape[1]
        if (m is not None and m.shape != self._shape) or genes != self._shape[1]:
            found = f"measured is {self._shape}, line_mean {None if m is None else m.shape}"
            found += f", lineup {self._references.deltas.shape}"
            raise InputError("scorer", found, "Give all on the same queries and genes.")

    def score(
        self, predicted: ArrayLike, *, exclude: BoolArray | None = None
    ) -> dict[str, ScoreArray]:
        """Every metric of the change, (n,) each, as :func:`lgr_core.metrics.score` has them.

        Without ``exclude``, nothing was retrieved, and nothing is taken out of the lineup.
        """
        x = matrix("predicted", predicted)
        if x.shape != self._shape:
            found = f"predicted is {x.shape}, measured {self._shape}"
            raise InputError("scorer", found, "Score both on the same queries and genes.")
        kept = reference_mask(len(x), self._references, exclude)
        parts = [
            chunk.score(finite_rows("predicted", x[i]), kept[i])
            for chunk, i in zip(self._chunks, self._parts, strict=True)
        ]
        return {
            name: np.concatenate([part[metric.formula_of or name] for part in parts])
            for name, metric in self._metrics.items()
        }


@dataclass(frozen=True, slots=True)
class _Chunk:
    """The measured side of some queries; all (rows, genes) or made from that."""

    y: FloatArray
    m: FloatArray
    centred_on: tuple[FloatArray, ScoreArray]
    ranks: tuple[ScoreArray, ScoreArray]
    tops: tuple[TopGenes, ...]
    weights: GeneWeights
    similarity: CosineSimilarity
    truth: IntArray

    @classmethod
    def of(
        cls, y: FloatArray, m: FloatArray, similarity: CosineSimilarity, truth: IntArray
    ) -> _Chunk:
        ascending = SortedRows.of(y)
        ranks, tops = ascending.centred_ranks(), _tops(y, ascending)
        weights = GeneWeights.of(y, m)
        return cls(y, m, centred_on(y, m), ranks, tops, weights, similarity, truth)

    def score(self, x: ScoreArray, kept: BoolArray) -> dict[str, ScoreArray]:
        """All metrics; overwrites x, rows of float64. ``kept`` stay in the lineup."""
        right, changed, ascending = same_sign(x, self.y), self.y != 0, SortedRows.of(x)
        scores = {
            "sign_accuracy_nonzero": signs_of_changed(right, changed),
            f"sign_accuracy_top{TOP}": self.tops[SIZES.index(TOP)].signs(right, changed),
            "pearson_vs_line_mean": correlation(*centred_on(x, self.m), *self.centred_on),
            "spearman_delta": ascending.spearman(*self.ranks),
            **self.weights.scores(x, self.y),
        }
        for own, top in zip(_tops(x, ascending), self.tops, strict=True):
            scores[f"overlap_at_{top.k}"] = own.overlap(top)
        cosines, defined = self.similarity.of(x, self.truth)
        for name, references in (("", np.ones_like(kept)), ("_unretrieved", kept)):
            found = score_from_cosines(cosines, self.truth, defined, references)
            scores[f"discrimination_score_cosine{name}"] = found
        moments = Moments.of_chunk(x, self.y)
        return scores | {name: compute(moments) for name, compute in SHARED.items()}


@dataclass(frozen=True, slots=True)
class _SpecificChunk:
    """The measured side of some queries' specific changes, (rows, genes) or made from that."""

    y: FloatArray
    top: TopGenes
    similarity: CosineSimilarity
    truth: IntArray

    @classmethod
    def of(cls, y: FloatArray, similarity: CosineSimilarity, truth: IntArray) -> _SpecificChunk:
        return cls(y, TopGenes.of(np.abs(y), TOP), similarity, truth)

    def score(self, x: ScoreArray, kept: BoolArray) -> dict[str, ScoreArray]:
        """The formulas that the specific metrics apply, and more; overwrites x."""
        cosines, defined = self.similarity.of(x, self.truth)
        scores = {
            f"sign_accuracy_top{TOP}": self.top.signs(same_sign(x, self.y), self.y != 0),
            f"overlap_at_{TOP}": TopGenes.of(np.abs(x), TOP).overlap(self.top),
            "discrimination_score_cosine": score_from_cosines(
                cosines, self.truth, defined, np.ones_like(kept)
            ),
        }
        moments = Moments.of_chunk(x, self.y)
        return scores | {name: compute(moments) for name, compute in SHARED.items()}


def _line_mean(values: ArrayLike | None) -> ScoreArray:
    if values is None:
        todo = "Give the mean of each query's pool in its line as line_mean."
        raise UsageError("scorer of the total change", "line_mean not given", todo)
    return finite_rows("line_mean", values)


def _tops(values: FloatArray, ascending: SortedRows) -> tuple[TopGenes, ...]:
    """The largest genes, for each of ``SIZES``."""
    sizes = np.abs(values)
    return tuple(TopGenes.of(sizes, k, ascending.edge(k)) for k in SIZES)
