"""The paper's chemistry kNN: training drug means, whatever the line."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import Evidence, IntArray
from lgr_core.drugs.similarity import similarity
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.query_block import QueryBlock


class ChemKNN(NothingToFit):
    """Equations 10 and 11: the k training drugs of highest fingerprint cosine, their drug means.

    The query's own drug, every form of its parent compound and what was combined with it are left
    out. Ties go by name.
    """

    name = "chem_knn"
    evidence = frozenset({Evidence.TRAIN})

    def __init__(self, k: int) -> None:
        self.k = k
        self._ranked: dict[int, IntArray] = {}

    def predict(self, block: QueryBlock) -> Predictions:
        """The mean of the nearest training drugs' means; not applicable without a structure."""
        guard, labels = block.guard(self.evidence), block.labels
        known = np.any(labels.fingerprints, axis=1)
        trained = guard.opened(VectorBasis.DRUG_MEANS) & known
        parents = labels.parent_of_drug
        weights = np.zeros((len(block), len(labels.drugs)))
        for i, place in enumerate(labels.drug_numbers(block.drugs)):
            if place >= 0 and known[place]:
                ranked = self._ranking(labels, place)
                others = ~labels.related(parents[place], parents)
                nearest = ranked[(trained & others)[ranked]][: self.k]
                weights[i, nearest] = 1 / max(len(nearest), 1)
        delta = guard.combine(csr_array(weights), VectorBasis.DRUG_MEANS)
        delta[~weights.any(axis=1)] = np.nan
        without = "no structure is known of the drug, or of any training drug at this dose"
        return answered(delta, without=without, k_used=(weights > 0).sum(axis=1))

    def _ranking(self, labels: ConditionIndex, place: int) -> IntArray:
        """Places of the drugs that share a bit with one, the most similar first, ties by name."""
        if place not in self._ranked:
            bits = labels.fingerprints
            scores = similarity(bits[place], bits)
            ranked = np.argsort(-scores, kind="stable")
            self._ranked[place] = ranked[scores[ranked] > 0]
        return self._ranked[place]
