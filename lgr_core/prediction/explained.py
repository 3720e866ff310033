"""One question answered by named, weighted conditions, with every one that it stands on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import Condition, FloatArray, IntArray, Prediction, Selector
from lgr_core.errors import EmptyPoolError, UsageError
from lgr_core.prediction.best_evidence import BestEvidence, Route, TwoWay
from lgr_core.prediction.drug_kernels import DrugKernels, Newcomer
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.means import GlobalMean
from lgr_core.prediction.weighted import Share, Term, Weighted
from lgr_core.retrieval.blocks import FoldReader
from lgr_core.retrieval.gate import Gate
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.own_line import OwnLineFirst
from lgr_core.retrieval.question import LLMOptions, Scope
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import llm_selector

Selectors = Callable[[str], Selector]
"""Gives the selector of a name; of a language model's, only what it remembers is asked for."""

METHODS: Mapping[str, Callable[[DrugKernels], Weighted]] = {
    BestEvidence.name: lambda kernels: BestEvidence(Kriging(kernels)),
    Kriging.name: Kriging,
    TwoWay.name: lambda kernels: TwoWay(Kriging(kernels)),
}
"""Methods that declare the weight of every condition, by name."""


@dataclass(frozen=True, slots=True)
class Support:
    """One term of a prediction: the measured conditions it stands on, and what they add.

    ``conditions`` with their signed weights, heaviest first; ``share`` is the term's part of all
    absolute weights. ``change``, (n_genes,), is what the term adds; their sum is the prediction.
    """

    term: Term
    share: float
    conditions: tuple[tuple[Condition, float], ...]
    change: FloatArray


@dataclass(frozen=True, slots=True)
class Explained:
    """A prediction and all that it stands on; without a term, the labelled fallback answered."""

    prediction: Prediction
    terms: tuple[Support, ...]


def make_method(name: str, reader: FoldReader, *, selectors: Selectors | None = None) -> Weighted:
    """A method of ``METHODS`` with its usual settings, to be asked about many queries.

    ``selectors`` are for the language model's lists; unset, what is remembered, the line's own
    first. Drugs of the store that were measured nowhere are in its kernels.

    Raises
    ------
    UsageError
        If the method is unknown.
    """
    if name not in METHODS:
        known = ", ".join(METHODS)
        raise UsageError(f"method {name!r}", "it declares no weights", f"Choose one of: {known}.")
    store = reader.store
    make = partial(remembered, store) if selectors is None else selectors
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
    asked = method.suited(query.drug)
    gate = block.gate(asked.evidence)
    (share,) = asked.weigh(block, gate)
    read = partial(block.view(0, asked.evidence).deltas, all_genes=all_genes)
    terms = tuple(_terms(store, share, read))
    route = Route(share.route)
    provenance = {"route": str(route), "why": route.label, "settings": asked.chosen}
    fallback = None
    if terms:
        delta = np.sum([term.change for term in terms], axis=0)
    else:
        fallback, delta = GlobalMean.name, _mean(gate, read)
    prediction = Prediction(
        query, asked.name, delta.astype(np.float32), fallback=fallback, provenance=provenance
    )
    return Explained(prediction, terms)


def remembered(store: AtlasStore, name: str) -> Selector:
    """The selector of that name; a language model answers from memory, the line's own first."""
    if name != LLMSelector.name:
        return make_selector(name, store)
    settings = Settings.from_environment()
    scopes = (LLMOptions(scope=scope) for scope in (Scope.LINE, Scope.DRUG))
    return OwnLineFirst(*(llm_selector(store, settings, options) for options in scopes))


def _newcomers(reader: FoldReader) -> Sequence[Newcomer]:
    """The drugs of a store that have no row."""
    store, names = reader.store, reader.store.drugs["drug"].tolist()
    places = np.flatnonzero(reader.labels.drug_numbers(names) < 0)
    return [Newcomer(names[i], store.fingerprints[i], store.annotations[names[i]]) for i in places]


def _terms(
    store: AtlasStore, share: Share, read: Callable[[IntArray], FloatArray]
) -> Iterator[Support]:
    """What each term stands on; terms without a weight are left out."""
    weights, shares = share.weights, share.weights.shares()
    for term, each in weights.terms.items():
        used = _heaviest(each[0])
        if len(used):
            rows = weights.rows[used]
            named = zip(_conditions(store, rows), each[0, used].tolist(), strict=True)
            change = each[0, used] @ read(rows).astype(np.float64)
            yield Support(term, float(shares[term][0]), tuple(named), change)


def _conditions(store: AtlasStore, rows: IntArray) -> list[Condition]:
    """The conditions of many rows; a look at each alone takes a hundred times as long."""
    named = store.conditions.iloc[rows]
    doses = [None if np.isnan(dose) else dose for dose in named["dose_um"].tolist()]
    return list(map(Condition, named["cell_line"], named["drug"], doses))


def _heaviest(weights: FloatArray) -> IntArray:
    """Places of weights other than 0, the heaviest first."""
    order = np.argsort(-np.abs(weights), kind="stable")
    return order[weights[order] != 0]


def _mean(gate: Gate, read: Callable[[IntArray], FloatArray]) -> FloatArray:
    """The mean of all that may be read at the query's dose, (n_genes,)."""
    rows = gate.grid()
    rows = rows[rows >= 0]
    rows = rows[gate.allows(np.zeros(len(rows), dtype=np.intp), rows)]
    if not len(rows):
        raise EmptyPoolError("prediction", "nothing measured may be read", "Choose another dose.")
    return read(rows).mean(axis=0, dtype=np.float64)
