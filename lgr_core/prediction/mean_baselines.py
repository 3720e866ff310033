"""The paper's mean baselines, and the controls of every benchmark run."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Change, Evidence, FloatArray, IntArray
from lgr_core.prediction.method import NothingToFit, Predictions, Status, answered
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

_TRAIN = frozenset({Evidence.TRAIN})
_POOL = frozenset({Evidence.TARGET_POOL})


class GlobalMean(NothingToFit):
    """The mean of all training deltas at the query's dose."""

    name = "global_mean"
    evidence = _TRAIN

    def predict(self, block: QueryBlock) -> Predictions:
        """The same vector for every query, but for its own unit left out."""
        delta, _ = block.guard(self.evidence).mean(MeanOver.EVERYWHERE)
        return answered(delta, without="no training condition at this dose")


class CellMean(NothingToFit):
    """Equation 5 of the paper: the mean of the line's training deltas, else the global mean."""

    name = "cell_mean"
    evidence = _TRAIN

    def predict(self, block: QueryBlock) -> Predictions:
        """The line's mean at the query's dose."""
        return _or_global(block.guard(self.evidence), MeanOver.LINE)


class DrugMean(NothingToFit):
    """Equation 6 of the paper: the drug's mean over training lines; unseen, the global mean."""

    name = "drug_mean"
    evidence = _TRAIN

    def predict(self, block: QueryBlock) -> Predictions:
        """The drug's mean at the query's dose."""
        return _or_global(block.guard(self.evidence), MeanOver.DRUG)


class PoolMeans(NothingToFit):
    """The mean over the query's whole candidate pool in its line: what retrieval must beat."""

    name = "pool_mean"
    evidence = _POOL

    def predict(self, block: QueryBlock) -> Predictions:
        """The pool's mean."""
        guard = block.guard(self.evidence)
        delta, counts = guard.mean(MeanOver.LINE)
        without = "nothing measured in this line may be read"
        return answered(delta, without=without, status=Status.EMPTY_POOL, k_used=counts)


class PlateMean(NothingToFit):
    """The mean of the other drugs on the query's plates in its line: the technical share.

    Each plate's mean counts alike. A drug on several plates stands on each with its one delta.
    """

    name = "plate_mean"
    evidence = _POOL

    def predict(self, block: QueryBlock) -> Predictions:
        """The plates' mean; not applicable where no plate is known."""
        guard = block.guard(self.evidence)
        labels = block.labels
        if labels.plate_index.is_empty:
            why = "the atlas does not say which plates were used"
            return NotApplicable(self.name, self.evidence, why).predict(block)
        if block.change is Change.SPECIFIC:  # zero by construction, so that nothing is rounded
            return answered(guard.mean(MeanOver.LINE)[0], without="nothing may be read here")
        _, rows = labels.measured(block.cell_line, block.dose_um)
        candidates, own = labels.plate_index.standing(rows, block.rows)
        weights = self._weights(guard, rows, candidates, own)
        delta = guard.combine(csr_array(weights), VectorBasis.LINE)
        delta[weights.sum(axis=1) == 0] = np.nan
        used = weights > 0
        without = "no other drug that may be read stands on its plates"
        return answered(delta, without=without, k_used=used.sum(axis=1), used=used)

    @staticmethod
    def _weights(
        guard: EvidenceGuard, rows: IntArray, candidates: BoolArray, own: BoolArray
    ) -> FloatArray:
        """(n, n_names): for each plate of the query, a uniform mean over who may be read there."""
        n, m = len(own), len(rows)
        queries = np.repeat(np.arange(n), m)
        allowed = guard.allows(queries, np.tile(rows, n)).reshape(n, m)
        weights = np.zeros((n, m))
        met = np.zeros(n)
        for plate in range(candidates.shape[1]):
            there = allowed & candidates[:, plate] & own[:, [plate]]
            count = there.sum(axis=1, keepdims=True)
            weights += np.divide(there, count, out=np.zeros((n, m)), where=count > 0)
            met += count[:, 0] > 0
        return weights / np.maximum(met, 1)[:, None]


class Zero(NothingToFit):
    """No change at all."""

    name = "zero"
    evidence: frozenset[Evidence] = frozenset()

    def predict(self, block: QueryBlock) -> Predictions:
        """Zeros."""
        return answered(np.zeros((len(block), block.labels.n_genes), dtype=np.float32))


class NotApplicable(NothingToFit):
    """A method where it is not defined: says so of every query."""

    def __init__(self, name: str, evidence: frozenset[Evidence], why: str) -> None:
        self.name, self.evidence, self._why = name, evidence, why

    def predict(self, block: QueryBlock) -> Predictions:
        """Nothing, and why."""
        nothing = np.full((len(block), block.labels.n_genes), np.nan, dtype=np.float32)
        return answered(nothing, without=self._why)


class Truth(NothingToFit):
    """The measured change itself: every metric must find it perfect."""

    name = "truth"
    evidence = frozenset({Evidence.TRUTH})

    def predict(self, block: QueryBlock) -> Predictions:
        """The queries' own measured deltas."""
        return answered(block.guard(self.evidence).truth())


def _or_global(guard: EvidenceGuard, over: MeanOver) -> Predictions:
    """A mean, and the global mean, marked, where it has no row."""
    delta, counts = guard.mean(over)
    empty = counts == 0
    if empty.any():
        delta[empty] = guard.mean(MeanOver.EVERYWHERE)[0][empty]
    fallback = [GlobalMean.name if missing else None for missing in empty]
    return answered(delta, without="no training condition at this dose", fallback=fallback)
