"""Predictors: each declares what it reads and gets a view of just that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core.domain import (
    CandidatePool,
    DeltaReader,
    Evidence,
    FloatArray,
    Prediction,
    Retrieval,
    Selector,
)
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import EmptyPoolError, UsageError
from lgr_core.prediction.aggregate import SHRUNKEN, STRENGTH, aggregate, shrunken_weights
from lgr_core.retrieval.resolve import retrieve

FALLBACKS = ("pool_mean", "none")
"""What may answer when no neighbour stands: always labelled, never silent."""


@dataclass(frozen=True, slots=True)
class PoolMean:
    """The mean over the query's whole pool: what the line does under any of its other drugs."""

    all_genes: bool = False
    name: str = "pool_mean"
    evidence: frozenset[Evidence] = frozenset({Evidence.TARGET_POOL})

    def predict(self, pool: CandidatePool, view: DeltaReader) -> Prediction:
        """Uniform mean of every candidate's delta."""
        deltas = _pool_deltas(pool, view, pool.drugs, all_genes=self.all_genes)
        return Prediction(
            pool.query, self.name, deltas.mean(axis=0, dtype=np.float64).astype(np.float32)
        )


@dataclass(frozen=True, slots=True)
class LGR:
    """Retrieve and aggregate: a selector names neighbours, their measured deltas are averaged."""

    selector: Selector
    catalog: DrugCatalog
    k: int = 10
    how: str = "mean"
    fallback: str = "pool_mean"
    one_per_parent: bool = False
    all_genes: bool = False

    def __post_init__(self) -> None:
        if self.fallback not in FALLBACKS:
            do = f"Choose one of: {', '.join(FALLBACKS)}."
            raise UsageError(f"fallback {self.fallback!r}", "unknown", do)

    @property
    def name(self) -> str:
        """The method's id: ``lgr_`` and the selector's name; controls keep their own names."""
        controls = {"random": "random_k", "oracle": "oracle_k"}
        return controls.get(self.selector.name, f"lgr_{self.selector.name}")

    @property
    def evidence(self) -> frozenset[Evidence]:
        """The target pool, and whatever the selector reads."""
        return self.selector.evidence | {Evidence.TARGET_POOL}

    def predict(self, pool: CandidatePool, view: DeltaReader) -> Prediction:
        """The aggregated delta of the realised neighbours, or the labelled fallback.

        Raises
        ------
        EmptyPoolError
            If no neighbour stands and the fallback is "none".
        """
        found = retrieve(
            self.selector, pool, view, self.catalog, self.k, one_per_parent=self.one_per_parent
        )
        return self.average(pool, view, found)

    def average(self, pool: CandidatePool, view: DeltaReader, retrieval: Retrieval) -> Prediction:
        """The same, of neighbours that were found before.

        Raises
        ------
        EmptyPoolError
            As :meth:`predict`.
        """
        if not retrieval.neighbors:
            return self._fall_back(pool, view, retrieval)
        if self.how == SHRUNKEN:
            return self._shrunken(pool, view, retrieval)
        deltas = _pool_deltas(pool, view, retrieval.drugs, all_genes=self.all_genes)
        scores = [neighbor.score for neighbor in retrieval.neighbors]
        delta, weights = aggregate(deltas, self.how, scores=scores)
        return Prediction(pool.query, self.name, delta, retrieval, tuple(weights.tolist()))

    def _shrunken(self, pool: CandidatePool, view: DeltaReader, retrieval: Retrieval) -> Prediction:
        """Neighbours drawn towards the pool mean; ``rest`` is the weight of every other drug."""
        own, rest = shrunken_weights(retrieval.k_used, len(pool.drugs), STRENGTH)
        weights = np.where(np.isin(pool.drugs, retrieval.drugs), own, rest)
        deltas = _pool_deltas(pool, view, pool.drugs, all_genes=self.all_genes)
        delta = (weights @ deltas.astype(np.float64)).astype(np.float32)
        shares = (own,) * retrieval.k_used
        return Prediction(
            pool.query, self.name, delta, retrieval, shares, provenance={"rest": rest}
        )

    def _fall_back(
        self, pool: CandidatePool, view: DeltaReader, retrieval: Retrieval
    ) -> Prediction:
        if self.fallback == "none":
            found = f"selector {self.selector.name} named none of the {len(pool.drugs)} candidates"
            raise EmptyPoolError(f"neighbours of {pool.query}", found, "Try another selector.")
        delta = PoolMean(self.all_genes).predict(pool, view).delta
        return Prediction(pool.query, self.name, delta, retrieval, fallback=self.fallback)


def _pool_deltas(
    pool: CandidatePool, view: DeltaReader, drugs: tuple[str, ...], *, all_genes: bool
) -> FloatArray:
    rows = view.rows(pool.query.cell_line, drugs, pool.query.dose_um)
    return view.deltas(rows, all_genes=all_genes)
