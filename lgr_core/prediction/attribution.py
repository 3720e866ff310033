"""Predictions of linear methods, with the measured conditions and weights behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from lgr_core.domain import Condition, FloatArray, IntArray, Prediction, Selector, TermSupport
from lgr_core.errors import EmptyPoolError, LgrError, UsageError
from lgr_core.prediction.best_evidence import BestEvidence, Imputation, Route, TwoWay
from lgr_core.prediction.drug_kernels import DrugKernels, UnmeasuredDrug
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.linear_methods import LinearMethod, RouteWeights
from lgr_core.prediction.mean_baselines import GlobalMean
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.selectors import make_selector

Selectors = Callable[[str], Selector]
"""Gives the selector of a name; a language model's replays recorded answers."""

METHODS: Mapping[str, Callable[[DrugKernels], LinearMethod]] = {
    BestEvidence.name: lambda kernels: BestEvidence(Kriging(kernels)),
    Imputation.name: lambda kernels: Imputation(Kriging(kernels, same_wells=True)),
    Kriging.name: Kriging,
    TwoWay.name: lambda kernels: TwoWay(Kriging(kernels)),
}
"""Methods that declare the weight of every condition, by name."""


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


def attribute_block(
    block: QueryBlock,
    method: LinearMethod,
    *,
    over: QueryBlock | None = None,
    most: int | None = None,
) -> list[Prediction | LgrError]:
    """Predict the n queries of a block, and compute once what they share.

    From all that was measured but a query's own (line, parent); it need not have been measured. An
    error stands where nothing may be read. ``provenance`` holds the ``route`` and its ``why`` in
    words, and the ``settings``.

    Parameters
    ----------
    block
        Queries of a line and dose that the atlas holds, in the open world.
    method
        From :func:`make_method`.
    over
        The same queries read over other genes, all of the atlas's perhaps; weights are always
        learned from the block's.
    most
        How many conditions of each term to name, the heaviest first; all if unset.
    """
    found: dict[int, Prediction | LgrError] = {}
    for specialised, share in _shares(method, block):
        part = (block if over is None else over).some(share.places)
        used = share if over is None else share.by_row()
        predicted = _explained(specialised, part, used, most)
        found.update(zip(share.places.tolist(), predicted, strict=True))
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
) -> Iterator[Prediction | LgrError]:
    """Each query of a share, predicted."""
    delta, unanswered = share.combine(block.guard(method.evidence))
    route, weights = Route(share.route), share.weights
    provenance = {"route": str(route), "why": route.label, "settings": method.chosen}
    name = partial(_heaviest, block.labels, weights.rows, most)
    terms, shares = weights.terms, weights.shares()
    for i, query in enumerate(block.queries):
        if np.isnan(delta[i]).all():
            nothing = "nothing measured may be read"
            yield EmptyPoolError(f"prediction of {query}", nothing, "Choose another dose.")
            continue
        supports = (
            TermSupport(term, float(shares[term][i]), *name(each[i]))
            for term, each in terms.items()
        )
        yield Prediction(
            query,
            method.name,
            delta[i],
            fallback=GlobalMean.name if unanswered[i] else None,
            terms=tuple(support for support in supports if support.n),
            provenance=provenance,
        )


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
