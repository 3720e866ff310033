"""LGR's controls for whole blocks: random neighbours, and those chosen with the truth in sight."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lgr_core.domain import CandidatePool, Evidence, FloatArray, Proposal, Selection
from lgr_core.errors import EmptyPoolError, LgrError
from lgr_core.prediction.lgr import LGR, places_of
from lgr_core.prediction.method import Predictions
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.selectors import RandomSelector


class RandomK(LGR):
    """``random_k``, one draw a query: what is drawn from the pool needs no judge."""

    selector: RandomSelector

    def predict(self, block: QueryBlock) -> Predictions:
        """The mean of k drugs of each pool, those that the selector names."""
        if self.one_per_parent:
            return super().predict(block)
        place = block.guard(self.evidence).places(self.basis)
        weights = np.zeros((len(block), len(place)))
        for i, pool in enumerate(block.pools):
            if isinstance(pool, CandidatePool):
                drawn = [pool.drugs[j] for j in self.selector.draw(pool, self.k).tolist()]
                weights[i, places_of(place, drawn, block.cell_line)] = 1 / len(drawn)
        return self.summed(block, weights, weights > 0, block.pools)


class Oracle(LGR):
    """``oracle_k``: ranks by Pearson with the measured truth, all queries of a block at once.

    Where neighbours are drug means over training lines, those are ranked.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*args, **options)
        reads = Evidence.TARGET_POOL if self.basis is VectorBasis.LINE else Evidence.TRAIN
        self.evidence = frozenset({Evidence.TRUTH, reads})

    def selections(self, block: QueryBlock, k: int) -> list[Selection | LgrError]:
        """The drugs of each pool that are most like the truth."""
        guard = block.guard(self.evidence)
        place, scores = guard.places(self.basis), guard.correlation(self.basis)
        return [
            pool if isinstance(pool, EmptyPoolError) else _best(pool, scores[i], place, k)
            for i, pool in enumerate(block.pools)
        ]


def _best(pool: CandidatePool, scores: FloatArray, place: Mapping[str, int], k: int) -> Selection:
    """The k drugs of the pool with the highest scores, ties by name."""
    own = np.nan_to_num(scores[[place[drug] for drug in pool.drugs]], nan=-1)
    best = np.argsort(-own, kind="stable")[:k]
    return Selection(tuple(Proposal(pool.drugs[i], score=float(own[i])) for i in best))
