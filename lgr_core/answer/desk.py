"""The desk that answers a question, by retrieval or by a weighted sum of all that was measured."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from lgr_core import metrics
from lgr_core.answer.answer import Answer
from lgr_core.answer.tuned import with_tuned_params
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import (
    CandidatePool,
    Condition,
    Evidence,
    FloatArray,
    Neighbor,
    Prediction,
    Retrieval,
)
from lgr_core.errors import LgrError
from lgr_core.prediction.attribution import METHODS as WEIGHTED
from lgr_core.prediction.attribution import (
    Attribution,
    Selectors,
    TermSupport,
    attribute,
)
from lgr_core.prediction.hybrid import Hybrid
from lgr_core.prediction.linear_methods import LinearMethod, Term
from lgr_core.prediction.predictors import LGR, PoolMean
from lgr_core.prediction.retrieved import Retrieved
from lgr_core.retrieval.candidate_pool import QueryView
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.resolve import require_k
from lgr_core.retrieval.selectors import make_selector


@dataclass(frozen=True, slots=True)
class _Made:
    """How a prediction was made: what may be read, how it was combined."""

    evidence: frozenset[Evidence]
    how: str
    one_per_parent: bool = False


class Desk:
    """Answers one question by one method or another."""

    def __init__(
        self,
        store: AtlasStore,
        pool: CandidatePool,
        notes: tuple[str, ...],
        k: int,
        *,
        all_genes: bool,
        reader: EvidenceReader | None,
    ) -> None:
        self.store, self.pool, self.notes, self.k, self.all_genes = store, pool, notes, k, all_genes
        self._reader = reader

    @property
    def reader(self) -> EvidenceReader:
        """What methods for many queries read through."""
        return EvidenceReader(self.store) if self._reader is None else self._reader

    def lgr(self, method: LGR) -> Answer:
        """The mean of retrieved neighbours, or however else they are combined."""
        prediction = method.predict(
            self.pool, QueryView(self.store, self.pool.query, method.evidence)
        )
        made = _Made(method.evidence, method.how, method.one_per_parent)
        return self._answer(prediction, made, _retrieved_terms(self.pool, prediction))

    def hybrid(self, selectors: Selectors | None) -> Answer:
        """The language model's neighbours where many stand and agree, else chemistry's."""
        make = partial(make_selector, store=self.store) if selectors is None else selectors
        first, second = (
            Retrieved(make(name), self.store.drug_catalog, self.k, in_line=True)
            for name in ("llm", "chemistry")
        )
        hybrid, query = Hybrid(first, second), self.pool.query
        block = self.reader.block(query.cell_line, query.dose_um, [query.drug])
        ((source, found),) = hybrid.sources(block)
        if isinstance(found, LgrError):
            raise found
        lgr = LGR(source.selector, self.store.drug_catalog, k=self.k, all_genes=self.all_genes)
        mean = lgr.average(self.pool, QueryView(self.store, query, hybrid.evidence), found)
        instead = source.name if mean.fallback is None and source is second else mean.fallback
        prediction = replace(mean, method=hybrid.name, fallback=instead)
        made = _Made(hybrid.evidence, lgr.how)
        return self._answer(prediction, made, _retrieved_terms(self.pool, prediction))

    def weighted(self, method: str | LinearMethod, selectors: Selectors | None) -> Answer:
        """The weighted sum of every condition that the method stands on."""
        require_k(self.k)
        reader = self.reader
        if isinstance(method, str):
            method = with_tuned_params(method, reader, selectors=selectors)
        found = attribute(reader, method, self.pool.query, all_genes=self.all_genes)
        return self.explained(found, method.evidence)

    def explained(self, found: Attribution, evidence: frozenset[Evidence]) -> Answer:
        """The answer of a method that weighs everything, once it has predicted."""
        heaviest = _here(found.terms)[: self.k]
        retrieval = Retrieval(
            self.pool.query,
            found.prediction.method,
            self.k,
            len(self.pool.drugs),
            tuple(_neighbor(i, *one) for i, one in enumerate(heaviest, start=1)),
            provenance=found.prediction.provenance,
        )
        weights = tuple(weight for _, weight in heaviest)
        prediction = replace(found.prediction, retrieval=retrieval, weights=weights)
        return self._answer(prediction, _Made(evidence, "weighted sum"), found.terms)

    def _answer(
        self, prediction: Prediction, made: _Made, terms: tuple[TermSupport, ...]
    ) -> Answer:
        store, pool, every = self.store, self.pool, self.all_genes
        view = QueryView(store, pool.query, {Evidence.TARGET_POOL})
        notes = (*self.notes, *_notes(prediction, pool))
        retrieval = prediction.retrieval
        drugs = retrieval.drugs if retrieval is not None else ()
        rows = view.rows(pool.query.cell_line, drugs, pool.query.dose_um)
        pool_mean = PoolMean(every).predict(pool, view).delta
        row = store.row(pool.query)
        measured = None if row is None else store.deltas(np.array([row]), all_genes=every)[0]
        n_genes = len(store.genes) if every else store.n_panel
        return Answer(
            prediction=prediction,
            pool=pool,
            genes=store.gene_names[:n_genes],
            n_panel=store.n_panel,
            measured=measured,
            neighbor_deltas=view.deltas(rows, all_genes=every),
            pool_mean=pool_mean,
            metrics=_score(prediction.delta, measured, pool_mean, store.n_panel),
            notes=notes,
            provenance=_provenance(store, made, prediction, pool, notes),
            terms=terms,
        )


def _here(terms: tuple[TermSupport, ...]) -> tuple[tuple[Condition, float], ...]:
    """The conditions of other drugs in the query's line with their weights, heaviest first."""
    return next((term.conditions for term in terms if term.term is Term.NEIGHBORS_HERE), ())


def _neighbor(rank: int, condition: Condition, weight: float) -> Neighbor:
    return Neighbor(condition.drug, rank, weight, f"weighs {weight:+.3f} in the sum")


def _retrieved_terms(pool: CandidatePool, prediction: Prediction) -> tuple[TermSupport, ...]:
    """The one term of retrieval: neighbours in this line, and the rest where it has a weight."""
    retrieval, query = prediction.retrieval, pool.query
    weights: dict[str, float] = {}
    if retrieval is not None and retrieval.neighbors:
        weights = dict.fromkeys(pool.drugs, prediction.provenance.get("rest", 0.0))
        weights |= dict(zip(retrieval.drugs, prediction.weights, strict=True))
    elif prediction.fallback is not None:
        weights = dict.fromkeys(pool.drugs, 1 / len(pool.drugs))
    named = tuple(
        (Condition(query.cell_line, drug, query.dose_um), weight)
        for drug, weight in sorted(weights.items(), key=lambda item: -abs(item[1]))
        if weight
    )
    return (TermSupport(Term.NEIGHBORS_HERE, 1.0, named, len(named)),) if named else ()


def _score(
    predicted: FloatArray, measured: FloatArray | None, line_mean: FloatArray, n_panel: int
) -> dict[str, float] | None:
    if measured is None:
        return None
    scores = metrics.score(
        predicted[None, :n_panel], measured[None, :n_panel], line_mean=line_mean[None, :n_panel]
    )
    return {name: float(values[0]) for name, values in scores.items()}


def _notes(prediction: Prediction, pool: CandidatePool) -> tuple[str, ...]:
    is_linear, retrieval, notes = prediction.method in WEIGHTED, prediction.retrieval, []
    if retrieval is not None and not is_linear:
        notes += _shortfalls(retrieval)
    if prediction.fallback is not None:
        why = "Too few neighbours stand, or agree too little"
        if retrieval is None or not retrieval.neighbors:
            why = "Nothing close was measured" if is_linear else "No neighbour was found"
        notes.append(f"{why}: the answer is the fallback, {prediction.fallback}.")
    if pool.twins:
        notes.append(f"Left out as forms of the same compound: {', '.join(pool.twins)}.")
    return tuple(notes)


def _shortfalls(retrieval: Retrieval) -> Iterator[str]:
    """Where fewer neighbours are averaged than were asked for."""
    k, pool_size = retrieval.k, retrieval.pool_size
    if k > pool_size:
        yield f"k = {k}, but the pool holds {pool_size} drugs: all may be used."
    if 0 < retrieval.k_used < min(k, pool_size):
        yield f"Only {retrieval.k_used} of {k} neighbours were found and averaged."


def _provenance(
    store: AtlasStore,
    made: _Made,
    prediction: Prediction,
    pool: CandidatePool,
    notes: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "atlas": store.name,
        "build_id": store.build_id,
        "value_kind": str(store.value_kind),
        "simulated": store.simulated,
        "method": prediction.method,
        "evidence": sorted(made.evidence),
        "aggregate": made.how,
        "weights": list(prediction.weights),
        "one_per_parent": made.one_per_parent,
        "twins_left_out": list(pool.twins),
        "selector": dict(prediction.retrieval.provenance) if prediction.retrieval else {},
        "notes": list(notes),
        "lgr_version": version("lgr-explorer"),
    }
