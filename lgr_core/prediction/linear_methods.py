"""Methods that predict a weighted sum of measured conditions, each with its weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray, Term
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.mean_baselines import GlobalMean
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.inner_folds import inner_blocks
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

TUNED_BLOCKS = 2
TUNED_QUERIES = 40
TUNED_GENES = 500
"""Of each fold inside a fold's training rows, and of the panel, what tuning looks at."""

Candidate = TypeVar("Candidate")


class Weights:
    """Weights of n queries on measured conditions: ``rows`` (m,), and for each term (n, m)."""

    @property
    def rows(self) -> IntArray:
        """(m,) the conditions that are weighed."""
        raise NotImplementedError

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """(n, m) the weights on the rows, by term."""
        raise NotImplementedError

    @property
    def total(self) -> FloatArray:
        """(n, m) the weights that make the prediction."""
        return np.sum(list(self.terms.values()), axis=0)

    def has_weight(self) -> BoolArray:
        """(n,) whether a query has any weight."""
        return np.any(self.total, axis=1)

    def combine(self, guard: EvidenceGuard) -> FloatArray:
        """The weighted sums, (n, genes) float32.

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read.
        """
        return guard.combine_rows(self.total, self.rows)

    def shares(self) -> dict[Term, FloatArray]:
        """How much each term weighs, (n,): its absolute weights over those of all terms."""
        sizes = {term: np.abs(weights).sum(axis=1) for term, weights in self.terms.items()}
        total = np.maximum(np.sum(list(sizes.values()), axis=0), np.finfo(float).tiny)
        return {term: size / total for term, size in sizes.items()}


class RowWeights(Weights):
    """Weights, row by row."""

    def __init__(self, rows: IntArray, terms: Mapping[Term, FloatArray]) -> None:
        self._rows, self._terms = rows, terms

    @property
    def rows(self) -> IntArray:
        """(m,) the conditions that are weighed."""
        return self._rows

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """(n, m) the weights on the rows, by term."""
        return self._terms

    @classmethod
    def none(cls, n: int) -> RowWeights:
        """No weight on any row for n queries."""
        return cls(np.zeros(0, dtype=np.intp), {Term.NEIGHBORS_HERE: np.zeros((n, 0))})


@dataclass(frozen=True)
class MeanWeights(Weights):
    """Weights on the means of drugs, ``each`` (n, n_drugs), wherever these were measured.

    ``grid``, (n_lines, n_drugs), are the rows that share a drug's weight, -1 for none.
    """

    grid: IntArray
    each: FloatArray

    @property
    def rows(self) -> IntArray:
        """All of the grid's."""
        return self.grid[self.grid >= 0]

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """One term: other drugs in other lines."""
        # A drug's mean over its m lines: each of its m rows has 1/m of the drug's weight.
        measured = self.grid >= 0
        shared = self.each / np.maximum(measured.sum(axis=0), 1)
        return {Term.NEIGHBORS_OTHER_LINES: shared[:, np.nonzero(measured)[1]]}

    def has_weight(self) -> BoolArray:
        """(n,) whether a query has any weight."""
        return np.any(self.each, axis=1)

    def combine(self, guard: EvidenceGuard) -> FloatArray:
        """The weighted sums, (n, genes) float32, of means."""
        return guard.combine(csr_array(self.each), VectorBasis.DRUG_MEANS)


@dataclass(frozen=True)
class Mixture(Weights):
    """``part`` of the second answer, for all or each of n, (n, 1), and the rest of the first."""

    first: Weights
    second: Weights
    part: float | FloatArray

    @property
    def rows(self) -> IntArray:
        """Those of either, each once."""
        return np.unique(np.concatenate([self.first.rows, self.second.rows]))

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """The terms of either, weighed by its share."""
        # (1 - part) * first + part * second, on the union of their rows; a row may stand in both,
        # and twice in one of them, so weights are added rather than set.
        rows = self.rows
        summed: dict[Term, FloatArray] = {}
        for answer, share in ((self.first, 1 - self.part), (self.second, self.part)):
            places = np.searchsorted(rows, answer.rows)
            for term, weights in answer.terms.items():
                each = summed.setdefault(term, np.zeros((len(weights), len(rows))))
                # NumPy's stubs have no index of a slice and places.
                np.add.at(each, (slice(None), places), share * weights)  # type: ignore[arg-type]
        return summed

    def has_weight(self) -> BoolArray:
        """(n,) whether a query has any weight."""
        return self.first.has_weight() | self.second.has_weight()

    def combine(self, guard: EvidenceGuard) -> FloatArray:
        """The weighted sums, (n, genes) float32, answer by answer."""
        first, second = self.first.combine(guard), self.second.combine(guard)
        return (1 - self.part) * first + self.part * second


@dataclass(frozen=True, slots=True)
class RouteWeights:
    """Some queries of a block, ``places`` (n,), and the weights of their answers.

    ``route`` names the evidence that was found. Where all weights of a query are 0, nothing close
    was measured, and the global mean answers, labelled.
    """

    places: IntArray
    route: str
    weights: Weights

    def combine(self, guard: EvidenceGuard) -> tuple[FloatArray, BoolArray]:
        """The answers, (n, genes) float32, through the gate of its queries; which fell back, (n,).

        NaN where nothing may be read at all.
        """
        delta, unanswered = self.weights.combine(guard), ~self.weights.has_weight()
        if unanswered.any():
            delta[unanswered] = guard.mean(MeanOver.EVERYWHERE)[0][unanswered]
        return delta, unanswered

    def by_row(self) -> RouteWeights:
        """The same with a weight on every row: what other genes than the weights' can be summed by.

        The factors of a two-way regression hold the deltas that they were learned from.
        """
        return replace(self, weights=RowWeights(self.weights.rows, self.weights.terms))


class LinearMethod(NothingToFit):
    """Answers by the weights that :meth:`weigh` gives to what may be read."""

    name: str
    evidence: frozenset[Evidence]
    how = "weighted sum"

    @property
    def chosen(self) -> str:
        """What was learned, or the usual settings, in words."""
        raise NotImplementedError

    @property
    def params(self) -> Mapping[str, Any]:
        """What was learned, or the usual settings, as JSON has it; for :meth:`with_params`."""
        raise NotImplementedError

    def with_params(self, learned: Mapping[str, Any]) -> LinearMethod:
        """The same method with what another of its kind has learned."""
        raise NotImplementedError

    def specialised_for(self, drug: str) -> LinearMethod:
        """The same method as it answers best for one drug, before anything of it is fitted."""
        raise NotImplementedError

    def weights_for(self, block: QueryBlock, guard: EvidenceGuard) -> Sequence[RouteWeights]:
        """The weights of every query, in one or more shares of the block."""
        raise NotImplementedError

    def predict(self, block: QueryBlock) -> Predictions:
        """The weighted sums; where nothing close was measured, the global mean, labelled."""
        guard = block.guard(self.evidence)
        n = len(block)
        delta = np.full((n, block.labels.n_genes), np.nan, dtype=np.float32)
        fallback: list[str | None] = [None] * n
        for share in self.weights_for(block, guard):
            part = block.some(share.places).guard(self.evidence)
            delta[share.places], unanswered = share.combine(part)
            for place in share.places[unanswered]:
                fallback[place] = GlobalMean.name
        return answered(delta, without="nothing measured may be read", fallback=fallback)


def best_of(
    view: TrainingView,
    candidates: Sequence[Candidate],
    asking: Callable[[QueryBlock], Callable[[Candidate], FloatArray] | None],
    *,
    by_correlation: bool = False,
) -> Candidate | None:
    """The candidate that predicts best in folds inside a fold's training rows; None without any.

    Maximin: the candidate whose smaller gain over the first is largest, of the gain in mean Pearson
    r and the gain in mean squared error, as a share of the mean square of what was measured. So one
    that is worse than the first in either is not taken. ``asking`` makes of a block what gives its
    deltas, (n, genes), by each candidate, NaN in the same rows; None where the candidates do not
    apply. ``by_correlation`` looks at r alone: for candidates that cannot choose a scale.
    """
    # Pearson r alone would reward any scale, squared error alone would reward shrinking to zero.
    r, error = np.zeros((2, len(candidates)))
    size, n = 0.0, 0
    limits = {"max_blocks": TUNED_BLOCKS, "max_queries": TUNED_QUERIES, "max_genes": TUNED_GENES}
    for block, measured in inner_blocks(view, **limits):
        predict = asking(block)
        if predict is None:
            continue
        defined: BoolArray = np.zeros(len(measured), dtype=bool)
        for i, candidate in enumerate(candidates):
            found = predict(candidate)
            defined = ~np.any(np.isnan(found), axis=1)
            r[i] += np.nansum(pearson_delta(found[defined], measured[defined]))
            error[i] += np.square(found[defined] - measured[defined]).sum()
        size += np.square(measured[defined]).sum()
        n += defined.sum()
    if not size:
        return None
    gains = (r - r[0]) / n
    if not by_correlation:
        gains = np.minimum(gains, (error[0] - error) / size)
    return candidates[int(np.argmax(gains))]
