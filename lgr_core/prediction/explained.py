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
from lgr_core.prediction.drug_kernels import DrugKernels, Newcomer
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.means import GlobalMean
from lgr_core.prediction.weighted import Share, Term, Weighted
from lgr_core.retrieval.blocks import Block, FoldReader, Labels
from lgr_core.retrieval.selectors import make_selector

Selectors = Callable[[str], Selector]
"""Gives the selector of a name; a language model's replays recorded answers."""

METHODS: Mapping[str, Callable[[DrugKernels], Weighted]] = {
    BestEvidence.name: lambda kernels: BestEvidence(Kriging(kernels)),
    Kriging.name: Kriging,
    TwoWay.name: lambda kernels: TwoWay(Kriging(kernels)),
}
"""Methods that declare the weight of every condition, by name."""


@dataclass(frozen=True, slots=True)
class Support:
    """One term of a prediction: the measured conditions it stands on.

    ``conditions`` with their signed weights, heaviest first: all ``n`` of them, or as many as were
    asked for. ``share`` is the term's part of all absolute weights.
    """

    term: Term
    share: float
    conditions: tuple[tuple[Condition, float], ...]
    n: int


@dataclass(frozen=True, slots=True)
class Explained:
    """A prediction and all that it stands on; without a term, the labelled fallback answered."""

    prediction: Prediction
    terms: tuple[Support, ...]


def make_method(name: str, reader: FoldReader, *, selectors: Selectors | None = None) -> Weighted:
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
    return METHODS[name](DrugKernels(reader.labels, make, _newcomers(reader)))


def explain(
    reader: FoldReader, method: Weighted, query: Condition, *, all_genes: bool = False
) -> Explained:
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
    (found,) = explain_block(block, method)
    if np.isnan(found.prediction.delta).all():
        raise EmptyPoolError("prediction", "nothing measured may be read", "Choose another dose.")
    if not all_genes:
        return found
    delta = _over_all_genes(store, block, method, found.terms)
    return replace(found, prediction=replace(found.prediction, delta=delta))


def explain_block(block: Block, method: Weighted, *, most: int | None = None) -> list[Explained]:
    """Predict the n queries of a block over the metric panel, and compute once what they share.

    Of each term the ``most`` heaviest conditions are named, all if unset; the rest is as for
    :func:`explain`, but that a prediction is NaN where nothing may be read.
    """
    found: dict[int, Explained] = {}
    for suited, share in _shares(method, block):
        told = _explained(suited, block.some(share.places), share, most)
        found.update(zip(share.places.tolist(), told, strict=True))
    return [found[place] for place in range(len(block))]


def _newcomers(reader: FoldReader) -> Sequence[Newcomer]:
    """The drugs of a store that have no row."""
    store, names = reader.store, reader.store.drugs["drug"].tolist()
    places = np.flatnonzero(reader.labels.drug_numbers(names) < 0)
    return [Newcomer(names[i], store.fingerprints[i], store.annotations[names[i]]) for i in places]


def _shares(method: Weighted, block: Block) -> Iterator[tuple[Weighted, Share]]:
    """The shares of a block and who made each; where a kernel decides, one that suits the drug."""
    for share in method.weigh(block, block.gate(method.evidence)):
        if share.route != Route.KRIGING:
            yield method, share
            continue
        each = [method.suited(block.drugs[place]) for place in share.places]
        chosen = np.array([suited.chosen for suited in each])
        for settings in dict.fromkeys(chosen.tolist()):
            alike = np.flatnonzero(chosen == settings)
            suited, places = each[alike[0]], share.places[alike]
            part = block.some(places)
            (own,) = suited.weigh(part, part.gate(suited.evidence))
            yield suited, replace(own, places=places)


def _explained(
    method: Weighted, block: Block, share: Share, most: int | None
) -> Iterator[Explained]:
    """Each query of a share, predicted."""
    delta, unanswered = share.combine(block.gate(method.evidence))
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
            Support(term, float(shares[term][i]), *name(each[i])) for term, each in terms.items()
        )
        yield Explained(prediction, tuple(support for support in supports if support.n))


def _heaviest(
    labels: Labels, rows: IntArray, most: int | None, weights: FloatArray
) -> tuple[tuple[tuple[Condition, float], ...], int]:
    """The conditions of ``rows`` that have a weight, the heaviest first, and how many there are."""
    used = np.flatnonzero(weights)
    used = used[np.argsort(-np.abs(weights[used]), kind="stable")]
    named, sizes = rows[used[:most]], weights[used[:most]].tolist()
    lines, drugs = labels.lines[labels.line[named]], labels.drugs[labels.drug[named]]
    doses = (None if np.isnan(dose) else dose for dose in labels.doses[named].tolist())
    return tuple(zip(map(Condition, lines, drugs, doses), sizes, strict=True)), len(used)


def _over_all_genes(
    store: AtlasStore, block: Block, method: Weighted, terms: Sequence[Support]
) -> FloatArray:
    """The one query's weights on every gene of the atlas, (n_genes,); without any, the mean."""
    pairs = [pair for term in terms for pair in term.conditions]
    rows = np.array([store.row(condition) for condition, _ in pairs], dtype=np.intp)
    weights = np.array([weight for _, weight in pairs])
    if not pairs:
        gate = block.gate(method.evidence)
        grid = gate.grid()
        rows = grid[(grid >= 0) & gate.allows(np.zeros_like(grid), grid)]
        weights = np.full(len(rows), 1 / len(rows))
    deltas = block.view(0, method.evidence).deltas(rows, all_genes=True)
    return (weights @ deltas.astype(np.float64)).astype(np.float32)
