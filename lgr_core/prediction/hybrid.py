"""LGR tuned: by k and weights, shrunken to the pool mean, or chemistry where confidence is low."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray, Prediction, Retrieval
from lgr_core.errors import LgrError
from lgr_core.prediction.aggregate import RECIPROCAL_RANK, STRENGTH
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.linear_methods import best_of
from lgr_core.prediction.method import Predictions
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.neighbors import Found
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

NEIGHBORS = (5, 10, 20)
FEWER = (1, 2, 3, 5, 7, 10)
STRENGTHS = (0.75, 0.5, 0.25, 0.0)
THRESHOLDS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.1)
"""What is chosen from, in folds inside a fold's training rows."""

USUAL_THRESHOLD = 0.3

T = TypeVar("T")


class Shrunken:
    """LGR drawn towards the pool mean: a share ``strength`` of the answer is the mean of all."""

    def __init__(self, lgr: LGR) -> None:
        self.lgr, self.k, self.strength = lgr, lgr.k, STRENGTH
        self.name = f"{lgr.name}_shrunken"
        self.evidence = lgr.evidence | {Evidence.TRAIN}

    @property
    def chosen(self) -> dict[str, float]:
        """What was learned."""
        return {"k": self.k, "strength": self.strength}

    def fit(self, view: TrainingView) -> None:
        """Choose k, up to the run's own, and the strength in folds inside the training rows."""

        def asking(block: QueryBlock) -> Callable[[tuple[int, float]], FloatArray]:
            answers, mean = {k: self._of(block, k).delta for k in ks}, self._mean(block)
            return lambda tried: _drawn(answers[tried[0]], mean, tried[1])

        ks = sorted({min(k, self.lgr.k) for k in NEIGHBORS})
        chosen = best_of(view, list(product(ks, STRENGTHS)), asking)
        self.k, self.strength = (self.k, self.strength) if chosen is None else chosen

    def predict(self, block: QueryBlock) -> Predictions:
        """Neighbours and pool, in these shares."""
        answer = self._of(block, self.k)
        return replace(answer, delta=_drawn(answer.delta, self._mean(block), self.strength))

    def _of(self, block: QueryBlock, k: int) -> Predictions:
        return self.lgr.at(block, self.lgr.retrieve(block, self.lgr.k), k)

    def _mean(self, block: QueryBlock) -> FloatArray:
        over = MeanOver.LINE if self.lgr.basis is VectorBasis.LINE else MeanOver.EVERYWHERE
        return block.guard(self.evidence).mean(over)[0]


class Tuned:
    """LGR with k, up to its own, and the weights of neighbours chosen for a new experiment.

    In folds inside the training rows, on the specific change where the atlas names plates.
    """

    def __init__(self, lgr: LGR) -> None:
        self.lgr, self.k, self.how = lgr, lgr.k, lgr.how
        self.name = f"{lgr.name}_tuned"
        self.evidence = lgr.evidence | {Evidence.TRAIN}

    @property
    def chosen(self) -> dict[str, object]:
        """What was learned."""
        return {"k": self.k, "weights": self.how}

    def fit(self, view: TrainingView) -> None:
        """Choose the pair of the highest mean Pearson r; LGR's own where none is better."""

        def asking(block: QueryBlock) -> Callable[[tuple[int, str]], FloatArray]:
            found = self.lgr.retrieve(block, self.lgr.k)
            return lambda tried: self.lgr.at(block, found, tried[0], how=tried[1]).delta

        ks = sorted({min(k, self.lgr.k) for k in FEWER}, reverse=True)
        tried = [(k, how) for how, k in product((self.lgr.how, RECIPROCAL_RANK), ks)]
        chosen = best_of(view.of_new_experiment(), tried, asking, by_correlation=True)
        self.k, self.how = (self.k, self.how) if chosen is None else chosen

    def predict(self, block: QueryBlock) -> Predictions:
        """The first k of the neighbours, so weighted."""
        return self.lgr.at(block, self.lgr.retrieve(block, self.lgr.k), self.k, how=self.how)


class Hybrid:
    """LGR where many of k neighbours stand and agree, else another's, labelled as a fallback.

    Confidence is the share of k that stands times how alike their effects are, from 0 to 1.
    """

    name = "hybrid"
    how = "mean"

    def __init__(self, lgr: LGR, other: LGR) -> None:
        self.lgr, self.other, self.threshold = lgr, other, USUAL_THRESHOLD
        self.evidence = lgr.evidence | other.evidence | {Evidence.TRAIN}

    @property
    def chosen(self) -> float:
        """The confidence below which the other answers."""
        return self.threshold

    def fit(self, view: TrainingView) -> None:
        """Choose the threshold in folds inside the training rows."""

        def asking(block: QueryBlock) -> Callable[[float], FloatArray]:
            both = self._both(block, *self._found(block))
            return lambda tried: self._at(*both, tried).delta

        chosen = best_of(view, THRESHOLDS, asking)
        self.threshold = self.threshold if chosen is None else chosen

    def predict(self, block: QueryBlock) -> Predictions:
        """The first method's answer, or the second's where confidence is too low."""
        return self._at(*self._both(block, *self._found(block)), self.threshold)

    def confidence(self, block: QueryBlock, found: Sequence[Found]) -> FloatArray:
        """(n,) coverage times agreement, 0 where nobody stands."""
        guard = block.guard(self.lgr.evidence)
        place = guard.places(self.lgr.basis)
        weights = np.zeros((len(block), len(place)))
        for i, retrieval in enumerate(found):
            if isinstance(retrieval, Retrieval):
                weights[i, [place[drug] for drug in retrieval.drugs]] = 1 / self.lgr.k
        sums = weights.sum(axis=1)
        return sums * np.nan_to_num(guard.weighted_agreement(csr_array(weights), self.lgr.basis))

    def explain(
        self, block: QueryBlock, over: QueryBlock | None = None
    ) -> list[Prediction | LgrError]:
        """Each query's prediction with its neighbours and every weight, or why there is none.

        Which of both answers is decided over the block's genes; see :meth:`LGR.explain`.
        """
        over = block if over is None else over
        ours, theirs = self._found(block)
        weak = _weak(*self._both(block, ours, theirs), self.threshold)
        first, second = [(self.lgr, one) for one in ours], [(self.other, one) for one in theirs]
        return [
            self._explain(source, over.some(np.array([i])), found)
            for i, (source, found) in enumerate(_either(weak, second, first))
        ]

    def _explain(self, source: LGR, query: QueryBlock, found: Found) -> Prediction | LgrError:
        """One query's prediction by the method that answers it, labelled where it is the second."""
        (answer,) = source.explain(query, found=[found])
        if isinstance(answer, LgrError):
            return answer
        instead = source.name if answer.fallback is None and source is self.other else None
        return replace(answer, method=self.name, fallback=answer.fallback or instead)

    def _found(self, block: QueryBlock) -> tuple[list[Found], list[Found]]:
        """The neighbours of both; each selector is asked once a query."""
        return self.lgr.retrieve(block, self.lgr.k), self.other.retrieve(block, self.other.k)

    def _both(
        self, block: QueryBlock, ours: Sequence[Found], theirs: Sequence[Found]
    ) -> tuple[Predictions, Predictions, FloatArray]:
        """Both answers, and the confidence in the first, (n,)."""
        first = self.lgr.at(block, ours, self.lgr.k)
        second = self.other.at(block, theirs, self.other.k)
        return first, second, self.confidence(block, ours)

    def _labels(self, second: Predictions) -> list[str]:
        """Whose answer the second's is: its own name, or that of what it fell back to itself."""
        return [self.other.name if name is None else name for name in second.fallback]

    def _at(
        self, first: Predictions, second: Predictions, confidence: FloatArray, threshold: float
    ) -> Predictions:
        weak = _weak(first, second, confidence, threshold)
        used = None
        if first.used is not None and second.used is not None:
            used = np.where(weak[:, None], second.used, first.used)
        return Predictions(
            delta=np.where(weak[:, None], second.delta, first.delta),
            status=_either(weak, second.status, first.status),
            k_used=np.where(weak, second.k_used, first.k_used),
            fallback=_either(weak, self._labels(second), first.fallback),
            detail=_either(weak, second.detail, first.detail),
            used=used,
        )


def _drawn(delta: FloatArray, mean: FloatArray, strength: float) -> FloatArray:
    return (1 - strength) * delta + strength * mean


def _weak(
    first: Predictions, second: Predictions, confidence: FloatArray, threshold: float
) -> BoolArray:
    """Where the second stands, (n,)."""
    return second.ok & (~first.ok | (confidence < threshold))


def _either(weak: BoolArray, second: Sequence[T], first: Sequence[T]) -> list[T]:
    return [b if other else a for other, a, b in zip(weak, first, second, strict=True)]
