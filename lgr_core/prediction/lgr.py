"""LGR, retrieve and aggregate: a selector names neighbours, their measured deltas are averaged.

A question goes through ``selector -> resolve -> weights -> weighted sum``, n questions of a block
together or one alone: the weights of all queries make one matrix, (n, n_drugs), and the guard sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import (
    BoolArray,
    CandidatePool,
    Condition,
    Evidence,
    FloatArray,
    IntArray,
    Neighbor,
    Prediction,
    Reason,
    Retrieval,
    Selection,
    Selector,
    Term,
    TermSupport,
    require_k,
)
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import (
    EmptyPoolError,
    LeakageError,
    LgrError,
    NotSeparableError,
    UsageError,
)
from lgr_core.prediction.aggregate import (
    SHRUNKEN,
    STRENGTH,
    WEIGHTS,
    check_aggregate,
    shrunken_weights,
    values_of,
)
from lgr_core.prediction.method import NothingToFit, Predictions, Status
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.neighbors import Found, detail_of, no_neighbor_error, resolve_block, select
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.single_slot_cache import SingleSlotCache
from lgr_core.retrieval.sums import MeanOver

T = TypeVar("T")

NO_NEIGHBOR_SEPARABLE = "no neighbour can be separated from its plate"
"""Why there is no specific change."""

NO_FALLBACK = "none"
FALLBACKS = ("pool_mean", NO_FALLBACK)
"""What may answer when no neighbour stands: always labelled, never silent."""


class LGR(NothingToFit):
    """Retrieve and aggregate, for the n queries of a block.

    In its own line, a neighbour's delta is averaged. Where the regime opens nothing in the query's
    line (``in_line`` false), neighbours are training drugs and their means over training lines are.

    Parameters
    ----------
    selector
        Names the neighbours of a query.
    catalog
        Reads the names that it gives.
    k
        How many neighbours are averaged, the whole pool if it is smaller.
    in_line
        Whether neighbours are drawn from the query's own line.
    how
        A name in ``AGGREGATES``: how neighbours are weighted.
    fallback
        A name in ``FALLBACKS``; the first stands for the global mean where ``in_line`` is false.
    one_per_parent
        Keep only the better-ranked of two forms of one parent compound.

    Raises
    ------
    UsageError
        If the aggregation or the fallback is unknown.
    """

    def __init__(
        self,
        selector: Selector,
        catalog: DrugCatalog,
        k: int = 10,
        *,
        in_line: bool = True,
        how: str = "mean",
        fallback: str = FALLBACKS[0],
        one_per_parent: bool = False,
    ) -> None:
        check_aggregate(how)
        if fallback not in FALLBACKS:
            do = f"Choose one of: {', '.join(FALLBACKS)}."
            raise UsageError(f"fallback {fallback!r}", "unknown", do)
        self.selector, self.catalog, self.k = selector, catalog, k
        self.how, self.fallback, self.one_per_parent = how, fallback, one_per_parent
        self.basis = VectorBasis.LINE if in_line else VectorBasis.DRUG_MEANS
        self.evidence = selector.evidence | {Evidence.TARGET_POOL if in_line else Evidence.TRAIN}
        self._found = SingleSlotCache[list[Found]]()

    @property
    def name(self) -> str:
        """The method's id: ``lgr_`` and the selector's name; controls keep their own names."""
        controls = {"random": "random_k", "oracle": "oracle_k"}
        return controls.get(self.selector.name, f"lgr_{self.selector.name}")

    def predict(self, block: QueryBlock) -> Predictions:
        """The weighted sum of each query's realised neighbours, or the labelled fallback."""
        return self.at(block, self.retrieve(block, self.k), self.k)

    def retrieve(self, block: QueryBlock, k: int, *, ask: int | None = None) -> list[Found]:
        """The ``k`` realised neighbours of every query, best first, or why there are none.

        The selector is asked for ``ask`` names, or for ``k``. What was found last is kept: other
        methods stand on it.

        Raises
        ------
        UsageError
            If ``k`` is not positive; the selector was not asked then.
        LeakageError
            If the selector reads beyond the evidence that it declares.
        """
        require_k(k)
        ask = k if ask is None else ask
        return self._found.get((block, k, ask), lambda: self._retrieve(block, k, ask))

    def at(
        self, block: QueryBlock, found: Sequence[Found], k: int, *, how: str | None = None
    ) -> Predictions:
        """The weighted sums of the first ``k`` of the neighbours that were found.

        ``how`` is another aggregation than the method's own.
        """
        weights, used = self._weights(block, found, k, self.how if how is None else how)
        return self.summed(block, weights, used, found)

    def share_in_pool(self, block: QueryBlock) -> FloatArray:
        """(n,) the share of the drugs ranked for each query that its pool holds; 0 without any."""
        shares = []
        for one in self.retrieve(block, self.k):
            if isinstance(one, LgrError):
                shares.append(0.0)
                continue
            withheld = sum(r.reason is Reason.NOT_IN_SPLIT for r in one.rejected)
            shares.append(one.k_used / max(one.k_used + withheld, 1))
        return np.array(shares)

    def explain(
        self,
        block: QueryBlock,
        over: QueryBlock | None = None,
        found: Sequence[Found] | None = None,
    ) -> list[Prediction | LgrError]:
        """Each query's prediction with its neighbours and every weight, or why there is none.

        For queries that may read their own line. ``over`` holds the same queries read over other
        genes, all of the atlas's perhaps; ``found`` are neighbours that were found before.
        """
        found = self.retrieve(block, self.k) if found is None else found
        over = block if over is None else over
        weights, used = self._weights(over, found, self.k, self.how)
        sums = self.summed(over, weights, used, found)
        place = over.guard(self.evidence).places(self.basis)
        return [
            self._prediction(over, i, sums, weights[i], place, one)
            for i, one in enumerate(self._required(found))
        ]

    def selections(self, block: QueryBlock, k: int) -> list[Selection | LgrError]:
        """What the selector proposes for each query, or why it proposes nothing."""
        return select(self.selector, block, k)

    def _retrieve(self, block: QueryBlock, k: int, ask: int) -> list[Found]:
        return resolve_block(
            self.selections(block, ask),
            block,
            self.catalog,
            k,
            selector=self.selector.name,
            one_per_parent=self.one_per_parent,
        )

    def _weights(
        self, block: QueryBlock, found: Sequence[Found], k: int, how: str
    ) -> tuple[FloatArray, BoolArray]:
        """(n, n_names) each query's weights on the drugs of the basis, and which are neighbours."""
        guard = block.guard(self.evidence)
        place = guard.places(self.basis)
        weights, used = np.zeros((len(block), len(place))), np.zeros((len(block), len(place)), bool)
        for i, retrieval in enumerate(found):
            if isinstance(retrieval, Retrieval) and retrieval.neighbors:
                neighbors = retrieval.neighbors[:k]
                at = places_of(place, [neighbor.drug for neighbor in neighbors], block.cell_line)
                used[i, at] = True
                if how == SHRUNKEN:
                    pool = places_of(place, block.pool_of(i).drugs, block.cell_line)
                    own, weights[i, pool] = shrunken_weights(len(at), len(pool), STRENGTH)
                    weights[i, at] = own
                else:
                    weights[i, at] = self._of_neighbors(how, guard, i, neighbors, at)
        return weights, used

    def _of_neighbors(
        self,
        how: str,
        guard: EvidenceGuard,
        i: int,
        neighbors: Sequence[Neighbor],
        places: IntArray,
    ) -> FloatArray:
        values = values_of(how, neighbors)
        read = partial(guard.vectors, i, places, self.basis)
        return WEIGHTS[how](values, lambda: np.nan_to_num(read()))

    def summed(
        self,
        block: QueryBlock,
        weights: FloatArray,
        used: BoolArray,
        found: Sequence[Found | CandidatePool],
    ) -> Predictions:
        """Weighted sums; ``found`` says of each query why there is none, if so."""
        outcomes = self._required(found)
        delta = block.guard(self.evidence).combine(csr_array(weights), self.basis)
        k_used = used.sum(axis=1).astype(float)
        refused = np.array([isinstance(one, LgrError) for one in outcomes])
        fallback = self._fall_back(block, delta, (k_used == 0) & ~refused)
        lost = np.isnan(delta[:, 0]) & ~refused
        delta[refused], k_used[refused] = np.nan, np.nan
        status = [_status(one) for one in outcomes]
        detail = [detail_of(one) for one in outcomes]
        for i in np.flatnonzero(lost).tolist():
            status[i], detail[i] = Status.NOT_SEPARABLE, NO_NEIGHBOR_SEPARABLE
        return Predictions(
            delta=delta,
            status=status,
            k_used=k_used,
            fallback=fallback,
            detail=detail,
            used=used if self.basis is VectorBasis.LINE else None,
        )

    def _required(self, found: Sequence[T]) -> list[T | LgrError]:
        """What was found; without a fallback, an error where no neighbour was."""
        if self.fallback != NO_FALLBACK:
            return list(found)
        return [
            no_neighbor_error(one) if isinstance(one, Retrieval) and not one.neighbors else one
            for one in found
        ]

    def _fall_back(
        self, block: QueryBlock, delta: FloatArray, lacking: BoolArray
    ) -> list[str | None]:
        """Fill the rows without a neighbour with a mean, and name it."""
        if not lacking.any():
            return [None] * len(lacking)
        in_line = self.basis is VectorBasis.LINE
        guard = block.some(np.flatnonzero(lacking)).guard(self.evidence)
        delta[lacking], _ = guard.mean(MeanOver.LINE if in_line else MeanOver.EVERYWHERE)
        name = FALLBACKS[0] if in_line else "global_mean"
        return [name if missing else None for missing in lacking]

    def _prediction(
        self,
        block: QueryBlock,
        i: int,
        sums: Predictions,
        weights: FloatArray,
        place: Mapping[str, int],
        found: Found,
    ) -> Prediction | LgrError:
        """One query's part of what was computed for all."""
        if isinstance(found, LgrError):
            return found
        if sums.status[i] is Status.NOT_SEPARABLE:
            asked = f"specific change of {block.queries[i]}"
            return NotSeparableError(asked, NO_NEIGHBOR_SEPARABLE, "Look at the total change.")
        own = tuple(weights[[place[drug] for drug in found.drugs]].tolist())
        if sums.fallback[i] is not None:
            pool = block.pool_of(i).drugs
            weights = np.zeros_like(weights)
            weights[places_of(place, pool, block.cell_line)] = 1 / len(pool)
        return Prediction(
            block.queries[i],
            self.name,
            sums.delta[i],
            found,
            own,
            sums.fallback[i],
            _terms(block.queries[i], tuple(place), weights),
        )


def places_of(place: Mapping[str, int], drugs: Sequence[str], cell_line: str) -> IntArray:
    """The columns of these drugs' weights.

    Raises
    ------
    LeakageError
        If one of them has none: its delta would be averaged where nothing was measured.
    """
    lacking = [drug for drug in drugs if drug not in place]
    if lacking:
        found = f"{lacking[0]} is not measured there"
        raise LeakageError(f"neighbours in {cell_line}", found, "Average means over other lines.")
    return np.array([place[drug] for drug in drugs], dtype=np.intp)


def _terms(query: Condition, names: Sequence[str], weights: FloatArray) -> tuple[TermSupport, ...]:
    """The one term of retrieval: other drugs in this line, heaviest first, ties by name."""
    used = np.flatnonzero(weights)
    used = used[np.argsort(-np.abs(weights[used]), kind="stable")]
    named = tuple(
        (Condition(query.cell_line, names[i], query.dose_um), float(weights[i]))
        for i in used.tolist()
    )
    return (TermSupport(Term.NEIGHBORS_HERE, 1.0, named, len(named)),) if named else ()


def _status(found: Found | CandidatePool) -> Status:
    if isinstance(found, EmptyPoolError):
        return Status.EMPTY_POOL
    return Status.FAILED if isinstance(found, LgrError) else Status.OK
