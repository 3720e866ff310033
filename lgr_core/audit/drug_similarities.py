"""How alike the specific changes of a line's drugs are, for claims about how two effects relate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.metrics.vector_metrics import pearson_delta


class SimilarityRank(NamedTuple):
    """Pearson's r of two drugs, and its rank among the ``n`` drugs compared with the first."""

    r: float
    rank: int
    n: int


@dataclass(frozen=True)
class DrugSimilarities:
    """The specific changes of drugs in one line at one dose; ``changes`` are (n_drugs, n_genes)."""

    drugs: tuple[str, ...]
    changes: FloatArray

    @classmethod
    def of(cls, changes: Mapping[str, FloatArray]) -> DrugSimilarities:
        """From the change of each drug, (n_genes,)."""
        stacked = np.array(list(changes.values())) if changes else np.empty((0, 0))
        return cls(tuple(changes), stacked)

    def rank(self, drug: str, other: str) -> SimilarityRank | None:
        """How alike two drugs are among all pairs with ``drug``, 1 the most alike.

        None if either has no specific change, or its change is constant.
        """
        if drug not in self.drugs or other not in self.drugs or drug == other:
            return None
        own = self.drugs.index(drug)
        r = pearson_delta(self.changes[[own]].repeat(len(self.drugs), axis=0), self.changes)
        here = float(r[self.drugs.index(other)])
        if np.isnan(here):
            return None
        r[own] = np.nan
        return SimilarityRank(here, 1 + int((r > here).sum()), int((~np.isnan(r)).sum()))
