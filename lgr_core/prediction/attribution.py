"""Questions answered by named, weighted conditions, with those that each answer stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition, FloatArray, IntArray, Prediction, Selector
from lgr_core.errors import EmptyPoolError, UsageError
from lgr_core.prediction.best_evidence import BestEvidence, Route, TwoWay
from lgr_core.prediction.drug_kernels import DrugKernels, UnmeasuredDrug
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.linear_methods import LinearMethod, RouteWeights, Term
from lgr_core.prediction.mean_baselines import GlobalMean
from lgr_core.retrieval.query_block import ConditionIndex, EvidenceReader, QueryBlock
from lgr_core.retrieval.selectors import make_selector

Selectors = Callable[[str], Selector]
"""Gives the selector of a name; a language model's replays recorded answers."""

METHODS: Mapping[str, Callable[[DrugKernels], LinearMethod]] = {
    BestEvidence.name: lambda kernels: BestEvidence(Kriging(kernels)),
    Kriging.name: Kriging,
    TwoWay.name: lambda kernels: TwoWay(Kriging(kernels)),
}
"""Methods that declare the weight of every condition, by name."""


@dataclass(frozen=True, slots=True)
class TermSupport:
    """One term of a prediction: the measured conditions it stands on.

    ``conditions`` with their signed weights, heaviest first: all ``n`` of them, or as many as were
    asked for. ``share`` is the term's part of all absolute weights.
    """

    term: Term
    share: float
    conditions: tuple[tuple[Condition, float], ...]
    n: int


@dataclass(frozen=True, slots=True)
class Attribution:
    """A prediction and all that it stands on; without a term, the labelled fallback answered."""

    prediction: Prediction
    terms: tuple[TermSupport, ...]


def make_method(
    name: str, reader: EvidenceReader, *, selectors: Selectors | None = None
) -> LinearMethod:
    """A method of ``METHODS`` with its usual settings, to be asked about many queries.

    ``selectors`` are for the language model's lists; unset, recorded answers give them. Drugs of
    the store that were measured nowhere are in its kernels.

    Raises
    ------
    UsageError
        If the method is unknown.
    """
    if name not in METHODS:
        known = ", ".join(METHODS)
        raise UsageError(f"method {name!r}", "it declares no weights", f"Choose one of: {known}.")
    store = reader.store
    make = partial(make_selector, store=store) if selectors is None else selectors
    return METHODS[name](DrugKernels(reader.labels, make, _unmeasured_drugs(reader)))


def attribute(
    reader: EvidenceReader, method: LinearMethod, query: Condition, *, all_genes: bool = False
) -> Attribution:
    """Predict one condition from all that was measured but its own (line, parent).

    ``provenance`` holds the ``route`` and its ``why`` in words, and the ``settings``.

    Parameters
    ----------
    reader
        An atlas in the open world.
    method
        From :func:`make_method`.
    query
        A condition of a line and dose that the atlas holds; it need not have been measured.
    all_genes
        Predict every gene of the atlas; otherwise the metric panel.

    Raises
    ------
    NotFoundError
        If the line, or the dose in that line, is not in the atlas.
    """
    store = reader.store
    store.measured_drugs(query.cell_line, query.dose_um)  # an unknown line or dose is said
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    (found,) = attribute_block(block, method)
    if np.isnan(found.prediction.delta).all():
        raise EmptyPoolError("prediction", "nothing measured may be read", "Choose another dose.")
    if not all_genes:
        return found
    delta = _over_all_genes(store, block, method, found.terms)
    return replace(found, prediction=replace(found.prediction, delta=delta))


def attribute_block(
    block: QueryBlock, method: LinearMethod, *, most: int | None = None
) -> list[Attribution]:
    """Predict the n queries of a block over the metric panel, and compute once what they share.

    Of each term the ``most`` heaviest conditions are named, all if unset; the rest is as for
    :func:`attribute`, but that a prediction is NaN where nothing may be read.
    """
    found: dict[int, Attribution] = {}
    for specialised, share in _shares(method, block):
        attributions = _explained(specialised, block.some(share.places), share, most)
        found.update(zip(share.places.tolist(), attributions, strict=True))
    return [found[place] for place in range(len(block))]


def _unmeasured_drugs(reader: EvidenceReader) -> Sequence[UnmeasuredDrug]:
    """The drugs of a store that have no row."""
    store, names = reader.store, reader.store.drugs["drug"].tolist()
    places = np.flatnonzero(reader.labels.drug_numbers(names) < 0)
    return [
        UnmeasuredDrug(names[i], store.fingerprints[i], store.annotations[names[i]]) for i in places
    ]


def _shares(method: LinearMethod, block: QueryBlock) -> Iterator[tuple[LinearMethod, RouteWeights]]:
    """The shares of a block and who made each; where a kernel decides, one that suits the drug."""
    for share in method.weights_for(block, block.guard(method.evidence)):
        if share.route != Route.KRIGING:
            yield method, share
            continue
        each = [method.specialised_for(block.drugs[place]) for place in share.places]
        chosen = np.array([specialised.chosen for specialised in each])
        for settings in dict.fromkeys(chosen.tolist()):
            alike = np.flatnonzero(chosen == settings)
            specialised, places = each[alike[0]], share.places[alike]
            part = block.some(places)
            (own,) = specialised.weights_for(part, part.guard(specialised.evidence))
            yield specialised, replace(own, places=places)


def _explained(
    method: LinearMethod, block: QueryBlock, share: RouteWeights, most: int | None
) -> Iterator[Attribution]:
    """Each query of a share, predicted."""
    delta, unanswered = share.combine(block.guard(method.evidence))
    route, weights = Route(share.route), share.weights
    provenance = {"route": str(route), "why": route.label, "settings": method.chosen}
    name = partial(_heaviest, block.labels, weights.rows, most)
    terms, shares = weights.terms, weights.shares()
    for i, query in enumerate(block.queries):
        fallback = GlobalMean.name if unanswered[i] else None
        prediction = Prediction(
            query, method.name, delta[i], fallback=fallback, provenance=provenance
        )
        supports = (
            TermSupport(term, float(shares[term][i]), *name(each[i]))
            for term, each in terms.items()
        )
        yield Attribution(prediction, tuple(support for support in supports if support.n))


def _heaviest(
    labels: ConditionIndex, rows: IntArray, most: int | None, weights: FloatArray
) -> tuple[tuple[tuple[Condition, float], ...], int]:
    """The conditions of ``rows`` that have a weight, the heaviest first, and how many there are."""
    used = np.flatnonzero(weights)
    used = used[np.argsort(-np.abs(weights[used]), kind="stable")]
    named, sizes = rows[used[:most]], weights[used[:most]].tolist()
    lines, drugs = labels.lines[labels.line[named]], labels.drugs[labels.drug[named]]
    doses = (None if np.isnan(dose) else dose for dose in labels.doses[named].tolist())
    return tuple(zip(map(Condition, lines, drugs, doses), sizes, strict=True)), len(used)


def _over_all_genes(
    store: AtlasStore, block: QueryBlock, method: LinearMethod, terms: Sequence[TermSupport]
) -> FloatArray:
    """The one query's weights on every gene of the atlas, (n_genes,); without any, the mean."""
    pairs = [pair for term in terms for pair in term.conditions]
    rows = np.array([store.row(condition) for condition, _ in pairs], dtype=np.intp)
    weights = np.array([weight for _, weight in pairs])
    if not pairs:
        guard = block.guard(method.evidence)
        grid = guard.grid()
        rows = grid[(grid >= 0) & guard.allows(np.zeros_like(grid), grid)]
        weights = np.full(len(rows), 1 / len(rows))
    deltas = block.view(0, method.evidence).deltas(rows, all_genes=True)
    return (weights @ deltas.astype(np.float64)).astype(np.float32)
