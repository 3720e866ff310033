"""From queries to answers: predicted by one method, with what stands behind it, scored last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from lgr_core import metrics
from lgr_core.answer.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import (
    CandidatePool,
    Change,
    Condition,
    Evidence,
    FloatArray,
    Neighbor,
    Prediction,
    Retrieval,
    Term,
    TermSupport,
    require_k,
)
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.errors import LgrError, NotFoundError
from lgr_core.prediction.attribution import attribute_block
from lgr_core.prediction.hybrid import Hybrid
from lgr_core.prediction.lgr import LGR, places_of
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.prediction.method import Method, Predictions, Status
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.specific_change import not_separable, specific_changes
from lgr_core.retrieval.sums import MeanOver

AnsweringMethod = LGR | Hybrid | LinearMethod | Method
"""What answers a question; all but a baseline name what each prediction stands on."""


def answers(
    reader: EvidenceReader,
    block: QueryBlock,
    method: AnsweringMethod,
    k: int,
    *,
    all_genes: bool = False,
    most: int | None = None,
    notes: Sequence[str] = (),
) -> list[Answer | LgrError]:
    """The answers to the n queries of a block, of the open world, or why there is none.

    The deltas of the block's line are read once: predictions, neighbours' deltas and pool means are
    of that read. What was measured of the queries themselves is read last, by the scorer.

    Parameters
    ----------
    reader
        An atlas in the open world.
    block
        One query or more of one cell line at one dose, made by the reader.
    method
        Predicts them.
    k
        How many neighbours to name, where the method weighs every condition.
    all_genes
        Predict every gene of the atlas; otherwise the genes that the block reads.
    most
        How many conditions to name of each term, where the method weighs every condition.
    notes
        How the queries were read.

    Raises
    ------
    UsageError
        If ``k`` is not positive.
    """
    require_k(k)
    over = block.over_all_genes() if all_genes else block
    found = _predictions(block, over, method, k, most)
    guard = over.guard({Evidence.TARGET_POOL})
    pool_means, _ = guard.mean(MeanOver.LINE)
    own = _specific(reader, block, method, found)
    answered: list[Answer | LgrError] = []
    for i, (pool, one) in enumerate(zip(block.pools, found, strict=True)):
        if isinstance(pool, LgrError):
            answered.append(pool)
            continue
        if isinstance(one, LgrError):
            answered.append(one)
            continue
        neighbor_deltas = _neighbor_deltas(guard, i, one.retrieval)
        measured = _measured(over, i)
        separable = measured is None or not np.isnan(measured[0])
        answered.append(
            _answer(
                reader.store,
                pool,
                one,
                method,
                notes=notes,
                neighbor_deltas=neighbor_deltas,
                pool_mean=pool_means[i],
                measured=measured if separable else None,
                change=block.change,
                plate_note=None if separable else _plate_note(reader, over, i),
                specific=own[i],
            )
        )
    return answered


def _specific(
    reader: EvidenceReader,
    block: QueryBlock,
    method: AnsweringMethod,
    found: Sequence[Prediction | LgrError],
) -> list[FloatArray | None]:
    """What evidence from other wells than a query's own predicts of its specific change."""
    if reader.labels.plate_index.is_empty:
        return [None] * len(block)
    own = reader.specific.block(block.cell_line, block.dose_um, block.drugs)
    if isinstance(method, LinearMethod):
        deltas = _from_other_wells(reader.specific, own, method)
    else:
        guard = own.guard({Evidence.TARGET_POOL})
        place = guard.places(VectorBasis.LINE)
        weights = np.zeros((len(block), len(place)))
        for i, one in enumerate(found):
            if isinstance(one, Prediction) and one.retrieval is not None:
                at = places_of(place, one.retrieval.drugs, block.cell_line)
                weights[i, at] = one.weights
        deltas = guard.combine(csr_array(weights), VectorBasis.LINE)
        deltas[~weights.any(axis=1)] = np.nan
    return [None if np.isnan(delta).any() else delta for delta in deltas]


def _from_other_wells(
    reader: EvidenceReader, block: QueryBlock, method: LinearMethod
) -> FloatArray:
    """Predictions of specific changes, (n, n_panel), by a method that reads other lines.

    Where lines share wells, or may, the compound in other lines stands in wells of the query.
    """
    labels, store = reader.labels, reader.store
    if store.shared_wells == "no":
        return method.predict(block).delta
    deltas = []
    for drug, parent in zip(block.drugs, block.parents, strict=True):
        own_wells = (labels.parent == parent) & (labels.lines[labels.line] != block.cell_line)
        other = EvidenceReader(store, change=Change.SPECIFIC, hidden=own_wells, labels=labels)
        alone = other.block(block.cell_line, block.dose_um, [drug])
        deltas.append(method.specialised_for(drug).predict(alone).delta[0])
    return np.array(deltas)


def _plate_note(reader: EvidenceReader, block: QueryBlock, i: int) -> str:
    """Why the measured change of query ``i`` has no specific part."""
    n_others = int(specific_changes(reader.store, block.labels).n_others[block.rows[i]])
    return not_separable(block.queries[i], n_others).found


def _predictions(
    block: QueryBlock, over: QueryBlock, method: AnsweringMethod, k: int, most: int | None
) -> list[Prediction | LgrError]:
    """Each query's prediction over the genes of ``over``; an error without a pool."""
    if isinstance(method, LGR | Hybrid):
        return method.explain(block, over)
    if not isinstance(method, LinearMethod):
        found = method.predict(over)
        each = enumerate(zip(over.queries, over.pools, strict=True))
        return [_of_baseline(found, i, query, pool, k, method.name) for i, (query, pool) in each]
    wider = None if over is block else over
    supported = attribute_block(block, method, over=wider, most=most)
    return [_with_heaviest(one, pool, k) for pool, one in zip(block.pools, supported, strict=True)]


def _of_baseline(
    found: Predictions,
    i: int,
    query: Condition,
    pool: CandidatePool | LgrError,
    k: int,
    name: str,
) -> Prediction | LgrError:
    """A baseline's prediction of query ``i``, which has no neighbours, or why there is none."""
    if isinstance(pool, LgrError):
        return pool
    if found.status[i] is not Status.OK:
        why = found.detail[i] or str(found.status[i]).replace("_", " ")
        return NotFoundError(f"{name} of {query}", why, "Choose another method or drug.")
    nobody = Retrieval(query, name, k, len(pool.drugs), ())
    return Prediction(query, name, found.delta[i], nobody, fallback=found.fallback[i])


def _with_heaviest(
    prediction: Prediction | LgrError, pool: CandidatePool | LgrError, k: int
) -> Prediction | LgrError:
    """With the k heaviest conditions of other drugs in the query's line as its neighbours."""
    if isinstance(prediction, LgrError) or isinstance(pool, LgrError):
        return pool if isinstance(pool, LgrError) else prediction
    heaviest = _here(prediction.terms)[:k]
    retrieval = Retrieval(
        pool.query,
        prediction.method,
        k,
        len(pool.drugs),
        tuple(_neighbor(i, *one) for i, one in enumerate(heaviest, start=1)),
        provenance=prediction.provenance,
    )
    weights = tuple(weight for _, weight in heaviest)
    return replace(prediction, retrieval=retrieval, weights=weights)


def _here(terms: Sequence[TermSupport]) -> tuple[tuple[Condition, float], ...]:
    """The conditions of other drugs in the query's line with their weights, heaviest first."""
    return next((term.conditions for term in terms if term.term is Term.NEIGHBORS_HERE), ())


def _neighbor(rank: int, condition: Condition, weight: float) -> Neighbor:
    return Neighbor(condition.drug, rank, weight, f"weighs {weight:+.3f} in the sum")


def _answer(  # noqa: PLR0913 - the parts of one record
    store: AtlasStore,
    pool: CandidatePool,
    prediction: Prediction,
    method: AnsweringMethod,
    *,
    notes: Sequence[str],
    neighbor_deltas: FloatArray,
    pool_mean: FloatArray,
    measured: FloatArray | None,
    change: Change,
    plate_note: str | None,
    specific: FloatArray | None,
) -> Answer:
    """The record of one answer, scored where the query was measured."""
    is_linear = isinstance(method, LinearMethod)
    retrieves = isinstance(method, LGR | Hybrid)
    about = (*notes, *_notes(prediction, pool, store.drug_catalog, retrieves=retrieves))
    return Answer(
        prediction=prediction,
        pool=pool,
        genes=store.gene_names[: len(pool_mean)],
        n_panel=store.n_panel,
        measured=measured,
        neighbor_deltas=neighbor_deltas,
        pool_mean=pool_mean,
        metrics=_score(prediction.delta, measured, pool_mean, store.n_panel, change),
        notes=about,
        provenance={**_provenance(store, method, prediction, pool, about), "change": str(change)},
        is_linear=is_linear,
        change=change,
        plate_note=plate_note,
        specific=specific,
    )


def _measured(block: QueryBlock, i: int) -> FloatArray | None:
    """The change of query ``i`` itself over the block's genes; None where it was not measured.

    NaN where it has no specific change.
    """
    if block.rows[i] < 0:
        return None
    return block.some(np.array([i])).guard({Evidence.TRUTH}).truth()[0]


def _neighbor_deltas(guard: EvidenceGuard, i: int, retrieval: Retrieval | None) -> FloatArray:
    """The neighbours' measured deltas, (k_used, genes), best first."""
    place = guard.places(VectorBasis.LINE)
    drugs = () if retrieval is None else retrieval.drugs
    places = np.array([place[drug] for drug in drugs], dtype=np.intp)
    return guard.vectors(i, places, VectorBasis.LINE)


def _score(
    predicted: FloatArray,
    measured: FloatArray | None,
    line_mean: FloatArray,
    n_panel: int,
    change: Change,
) -> dict[str, float] | None:
    if measured is None:
        return None
    pair = predicted[None, :n_panel], measured[None, :n_panel]
    if change is Change.SPECIFIC:
        scores = metrics.score(*pair, change=change)
    else:
        scores = metrics.score(*pair, line_mean=line_mean[None, :n_panel])
    return {name: float(values[0]) for name, values in scores.items()}


def _notes(
    prediction: Prediction, pool: CandidatePool, catalog: DrugCatalog, *, retrieves: bool
) -> tuple[str, ...]:
    retrieval = prediction.retrieval
    notes: list[str] = []
    if retrieval is not None and retrieves:
        notes += _shortfalls(retrieval)
    if prediction.fallback is not None:
        why = "Too few neighbours stand, or agree too little"
        if retrieval is None or not retrieval.neighbors:
            why = "No neighbour was found" if retrieves else "Nothing close was measured"
        notes.append(f"{why}: the answer is the fallback, {prediction.fallback}.")
    forms = [drug for drug in pool.twins if catalog.parent(drug) == catalog.parent(pool.query.drug)]
    if forms:
        notes.append(f"Left out as forms of the same compound: {', '.join(forms)}.")
    combined = [drug for drug in pool.twins if drug not in forms]
    if combined:
        notes.append(f"Left out, since they share a drug in a combination: {', '.join(combined)}.")
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
    method: AnsweringMethod,
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
        "evidence": sorted(method.evidence),
        "aggregate": getattr(method, "how", "mean"),
        "weights": list(prediction.weights),
        "one_per_parent": isinstance(method, LGR) and method.one_per_parent,
        "twins_left_out": list(pool.twins),
        "selector": dict(prediction.retrieval.provenance) if prediction.retrieval else {},
        "notes": list(notes),
        "lgr_version": version("lgr-explorer"),
    }
