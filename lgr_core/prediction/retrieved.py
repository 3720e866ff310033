"""LGR for whole blocks: the selector and the judge of one query, the averages of all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import (
    BoolArray,
    CandidatePool,
    Evidence,
    FloatArray,
    Proposal,
    Retrieval,
    Selection,
    Selector,
)
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import EmptyPoolError, LgrError
from lgr_core.prediction.method import NothingToFit, Predictions, Status
from lgr_core.prediction.predictors import LGR
from lgr_core.retrieval.evidence_guard import MeanOver, VectorBasis
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.resolve import resolve
from lgr_core.retrieval.selectors import RandomSelector
from lgr_core.retrieval.single_slot_cache import SingleSlotCache

RANKED, ASKED_IN = "ranked by ", ", asked in "
"""How a prediction's ``detail`` names the model that ranked, and the line that it was asked in."""

Found = Retrieval | LgrError
"""The neighbours of a query, or why there are none to be had."""


class Retrieved(NothingToFit):
    """Retrieve and average, as :class:`LGR`, for the n queries of a block.

    In its own line, a neighbour's delta is averaged. Where the regime opens nothing in the query's
    line (``in_line`` false), neighbours are training drugs and their means over training lines are.
    """

    def __init__(
        self,
        selector: Selector,
        catalog: DrugCatalog,
        k: int,
        *,
        in_line: bool,
        one_per_parent: bool = False,
    ) -> None:
        self.selector, self.catalog, self.k = selector, catalog, k
        self.one_per_parent = one_per_parent
        self.name = LGR(selector, catalog).name
        self.basis = VectorBasis.LINE if in_line else VectorBasis.DRUG_MEANS
        self.evidence = selector.evidence | {Evidence.TARGET_POOL if in_line else Evidence.TRAIN}
        self._found = SingleSlotCache[list[Found]]()

    def predict(self, block: QueryBlock) -> Predictions:
        """The mean of each query's realised neighbours, or the labelled fallback."""
        return self.at(block, self.retrieve(block, self.k), self.k)

    def retrieve(self, block: QueryBlock, k: int, *, ask: int | None = None) -> list[Found]:
        """The ``k`` realised neighbours of every query, best first, or why there are none.

        The selector is asked for ``ask`` names, or for ``k``. What was found last is kept: other
        methods stand on it.
        """
        ask = k if ask is None else ask
        return self._found.get((block, k, ask), lambda: self._retrieve(block, k, ask))

    def _retrieve(self, block: QueryBlock, k: int, ask: int) -> list[Found]:
        selections = self._selections(block, ask)
        return [
            selection if isinstance(selection, LgrError) else self._believed(selection, pool, k)
            for pool, selection in zip(block.pools, selections, strict=True)
        ]

    def at(self, block: QueryBlock, found: Sequence[Found], k: int) -> Predictions:
        """The means of the first ``k`` of the neighbours that were found."""
        place = self._places(block)
        used = np.zeros((len(block), len(place)), dtype=bool)
        for i, retrieval in enumerate(found):
            if isinstance(retrieval, Retrieval):
                used[i, [place[drug] for drug in retrieval.drugs[:k]]] = True
        return self._averages(block, used, found)

    def _averages(
        self, block: QueryBlock, used: BoolArray, found: Sequence[Found | CandidatePool]
    ) -> Predictions:
        """Means of who is ``used``; ``found`` says of each query why there is none, if so."""
        counts = used.sum(axis=1)
        weights = csr_array(used)
        weights.data = np.repeat(1 / np.maximum(counts, 1), counts)
        delta = block.guard(self.evidence).combine(weights, self.basis)
        refused = np.array([isinstance(retrieval, LgrError) for retrieval in found])
        fallback = self._fall_back(block, delta, (counts == 0) & ~refused)
        k_used = counts.astype(float)
        delta[refused], k_used[refused] = np.nan, np.nan
        return Predictions(
            delta=delta,
            status=[_status(retrieval) for retrieval in found],
            k_used=k_used,
            fallback=fallback,
            detail=[_detail(retrieval) for retrieval in found],
            used=used if self.basis is VectorBasis.LINE else None,
        )

    def _places(self, block: QueryBlock) -> dict[str, int]:
        """Where the weight of a drug stands."""
        return {name: i for i, name in enumerate(block.guard(self.evidence).names(self.basis))}

    def _fall_back(
        self, block: QueryBlock, delta: FloatArray, nobody: BoolArray
    ) -> list[str | None]:
        """Fill the rows without a neighbour with a mean, and name it."""
        if not nobody.any():
            return [None] * len(nobody)
        in_line = self.basis is VectorBasis.LINE
        guard = block.some(np.flatnonzero(nobody)).guard(self.evidence)
        delta[nobody], _ = guard.mean(MeanOver.LINE if in_line else MeanOver.EVERYWHERE)
        name = "pool_mean" if in_line else "global_mean"
        return [name if missing else None for missing in nobody]

    def _believed(self, selection: Selection, pool: CandidatePool, k: int) -> Retrieval:
        return resolve(
            selection,
            pool,
            self.catalog,
            k,
            selector=self.selector.name,
            one_per_parent=self.one_per_parent,
        )

    def _selections(self, block: QueryBlock, k: int) -> list[Selection | LgrError]:
        return [self._selection(block, i, k) for i in range(len(block))]

    def _selection(self, block: QueryBlock, i: int, k: int) -> Selection | LgrError:
        pool = block.pools[i]
        if isinstance(pool, EmptyPoolError):
            return pool
        try:
            return self.selector.select(pool, k, block.view(i, self.selector.evidence))
        except LgrError as err:
            return err


class RandomK(Retrieved):
    """``random_k``, one draw a query: what is drawn from the pool needs no judge."""

    selector: RandomSelector

    def predict(self, block: QueryBlock) -> Predictions:
        """The mean of k drugs of each pool, those that the selector names."""
        if self.one_per_parent:
            return super().predict(block)
        place = self._places(block)
        used = np.zeros((len(block), len(place)), dtype=bool)
        for i, pool in enumerate(block.pools):
            if isinstance(pool, CandidatePool):
                drawn = self.selector.draw(pool, self.k).tolist()
                used[i, [place[pool.drugs[j]] for j in drawn]] = True
        return self._averages(block, used, block.pools)


class Oracle(Retrieved):
    """``oracle_k``: ranks by Pearson with the measured truth, all queries of a block at once.

    Where neighbours are drug means over training lines, those are ranked.
    """

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - handed on as they are
        super().__init__(*args, **options)
        reads = Evidence.TARGET_POOL if self.basis is VectorBasis.LINE else Evidence.TRAIN
        self.evidence = frozenset({Evidence.TRUTH, reads})

    def _selections(self, block: QueryBlock, k: int) -> list[Selection | LgrError]:
        guard = block.guard(self.evidence | {Evidence.TRUTH})
        place = self._places(block)
        scores = guard.correlation(self.basis)
        return [
            pool if isinstance(pool, EmptyPoolError) else _best(pool, scores[i], place, k)
            for i, pool in enumerate(block.pools)
        ]


def _best(pool: CandidatePool, scores: FloatArray, place: Mapping[str, int], k: int) -> Selection:
    """The k drugs of the pool with the highest scores, ties by name."""
    own = np.nan_to_num(scores[[place[drug] for drug in pool.drugs]], nan=-1)
    best = np.argsort(-own, kind="stable")[:k]
    return Selection(tuple(Proposal(pool.drugs[i], score=float(own[i])) for i in best))


def _status(found: Found | CandidatePool) -> Status:
    if isinstance(found, EmptyPoolError):
        return Status.EMPTY_POOL
    return Status.FAILED if isinstance(found, LgrError) else Status.OK


def _detail(found: Found | CandidatePool) -> str | None:
    """Why there is no answer, or who ranked, and in which line it was asked if not the query's."""
    if isinstance(found, LgrError):
        return str(found)
    provenance = {} if isinstance(found, CandidatePool) else found.provenance
    who = provenance.get("model", provenance.get("source"))
    if who is None:
        return None
    line = provenance.get("asked_in_line", found.query.cell_line)
    return f"{RANKED}{who}" + ("" if line == found.query.cell_line else f"{ASKED_IN}{line}")
