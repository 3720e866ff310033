"""Methods whose predictions are weighted sums of named, measured conditions, term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

from lgr_core.domain import Evidence, FloatArray, IntArray
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.batch import Predictions, Unfitted, answered
from lgr_core.prediction.means import GlobalMean
from lgr_core.retrieval.blocks import Block, rehearse
from lgr_core.retrieval.gate import Gate, Over
from lgr_core.retrieval.pool import TrainingView

TUNED_BLOCKS = 6
TUNED_QUERIES = 40
"""Of a fold's validation rows, what tuning looks at."""

Candidate = TypeVar("Candidate")


class Term(StrEnum):
    """What a group of conditions does in a weighted sum."""

    DRUG_ELSEWHERE = "drug_elsewhere"
    NEIGHBORS_HERE = "neighbors_here"
    NEIGHBORS_ELSEWHERE = "neighbors_elsewhere"

    @property
    def label(self) -> str:
        """In words, for users."""
        return _LABELS[self]


_LABELS = {
    Term.DRUG_ELSEWHERE: "the drug itself in other cell lines",
    Term.NEIGHBORS_HERE: "other drugs in this cell line",
    Term.NEIGHBORS_ELSEWHERE: "other drugs in other cell lines",
}


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights on measured conditions: ``rows`` (m,), and for each term (n, m)."""

    rows: IntArray
    terms: Mapping[Term, FloatArray]

    @property
    def total(self) -> FloatArray:
        """(n, m) the weights that make the prediction."""
        return np.sum(list(self.terms.values()), axis=0)

    @classmethod
    def none(cls, n: int) -> Weights:
        """No weight on any row for n queries."""
        return cls(np.zeros(0, dtype=np.intp), {Term.NEIGHBORS_HERE: np.zeros((n, 0))})

    def shares(self) -> dict[Term, FloatArray]:
        """How much each term weighs, (n,): its absolute weights over those of all terms."""
        sizes = {term: np.abs(weights).sum(axis=1) for term, weights in self.terms.items()}
        total = np.maximum(np.sum(list(sizes.values()), axis=0), np.finfo(float).tiny)
        return {term: size / total for term, size in sizes.items()}


@dataclass(frozen=True, slots=True)
class Share:
    """Some queries of a block, ``places`` (n,), and the weights of their answers.

    ``route`` names the evidence that was found. Where all weights of a query are 0, nothing close
    was measured, and the global mean answers, labelled.
    """

    places: IntArray
    route: str
    weights: Weights


class Weighted(Unfitted):
    """Answers by the weights that :meth:`weigh` gives to what may be read."""

    name: str
    evidence: frozenset[Evidence]

    @property
    def chosen(self) -> str:
        """What was learned, or the usual settings, in words."""
        raise NotImplementedError

    def weigh(self, block: Block, gate: Gate) -> Sequence[Share]:
        """The weights of every query, in one or more shares of the block."""
        raise NotImplementedError

    def predict(self, block: Block) -> Predictions:
        """The weighted sums; where nothing close was measured, the global mean, labelled."""
        gate = block.gate(self.evidence)
        n = len(block)
        delta = np.full((n, block.labels.n_genes), np.nan, dtype=np.float32)
        fallback: list[str | None] = [None] * n
        for share in self.weigh(block, gate):
            part = block.some(share.places).gate(self.evidence)
            answer = part.combine_rows(share.weights.total, share.weights.rows)
            unanswered = ~share.weights.total.any(axis=1)
            if unanswered.any():
                answer[unanswered] = part.mean(Over.EVERYWHERE)[0][unanswered]
            delta[share.places] = answer
            for place in share.places[unanswered]:
                fallback[place] = GlobalMean.name
        return answered(delta, without="nothing measured may be read", fallback=fallback)


def best_of(
    view: TrainingView,
    candidates: Sequence[Candidate],
    predict: Callable[[Candidate, Block], FloatArray | None],
) -> Candidate | None:
    """The candidate of highest mean Pearson r on a fold's validation rows; None without any.

    ``predict`` gives a block's deltas, (n, genes), None where the candidates do not apply; of
    equals the first is taken.
    """
    totals, n = np.zeros(len(candidates)), 0
    for block, measured in rehearse(view, max_blocks=TUNED_BLOCKS, max_queries=TUNED_QUERIES):
        for i, candidate in enumerate(candidates):
            found = predict(candidate, block)
            if found is not None:
                told = ~np.isnan(found).any(axis=1)
                totals[i] += np.nansum(pearson_delta(found[told], measured[told]))
                n += 1
    return candidates[int(np.argmax(totals))] if n else None
