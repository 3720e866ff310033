"""One question answered by best evidence, with every measured condition that it stands on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import Condition, Prediction, Selector
from lgr_core.errors import UsageError
from lgr_core.prediction.best_evidence import BestEvidence, Route
from lgr_core.prediction.drug_kernels import DrugKernels
from lgr_core.prediction.kriging import Kriging
from lgr_core.prediction.trust import Calibration, Trust, trust_of
from lgr_core.prediction.weighted import Share, Weighted
from lgr_core.retrieval.blocks import Block, FoldReader, Labels
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.own_line import OwnLineFirst
from lgr_core.retrieval.question import LLMOptions, Scope
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import llm_selector

Selectors = Callable[[str], Selector]
"""Gives the selector of a name; of a language model's, only what it remembers is asked for."""

METHODS: dict[str, Callable[[Labels, Selectors], Weighted]] = {
    BestEvidence.name: lambda labels, make: BestEvidence(Kriging(DrugKernels(labels, make))),
    Kriging.name: lambda labels, make: Kriging(DrugKernels(labels, make)),
}
"""Methods that declare the weight of every condition, by name."""


def predict_with(
    store: AtlasStore, method: str, query: Condition, *, selectors: Selectors | None = None
) -> Prediction:
    """Predict one condition from all that was measured but its own (line, parent).

    ``provenance`` holds the ``route`` and its ``why`` in words, and ``terms``: for each its
    ``label``, its ``share`` of all absolute weights, and the weight of every condition in it,
    heaviest first. The sum over all terms of weight times measured delta is the prediction.

    Parameters
    ----------
    store
        An open atlas.
    method
        A name in ``METHODS``, with its usual settings.
    query
        A condition of a line and dose that the atlas holds; it need not have been measured.
    selectors
        For the language model's lists; unset, what is remembered, the drug's own line first.

    Raises
    ------
    UsageError
        If the method is unknown.
    NotFoundError
        If the line, or the dose in that line, is not in the atlas.
    """
    asked, block = _asked(store, method, query, selectors)
    found = asked.predict(block)
    (share,) = asked.weigh(block, block.gate(asked.evidence))
    route = share.route
    provenance = {
        "route": route,
        "why": Route(route).label,
        "terms": _terms(store, share),
        "settings": asked.chosen,
    }
    return Prediction(
        query, method, found.delta[0], fallback=found.fallback[0], provenance=provenance
    )


def trust_with(
    store: AtlasStore,
    prediction: Prediction,
    calibration: Calibration,
    *,
    selectors: Selectors | None = None,
) -> Trust:
    """How far a prediction of :func:`predict_with` may be trusted, by a run's calibration.

    Raises
    ------
    UsageError
        If the prediction is of another method.
    """
    asked, block = _asked(store, prediction.method, prediction.query, selectors)
    return trust_of(block, asked.evidence, prediction.delta[None], calibration)[0]


def _asked(
    store: AtlasStore, method: str, query: Condition, selectors: Selectors | None
) -> tuple[Weighted, Block]:
    if method not in METHODS:
        known = ", ".join(METHODS)
        raise UsageError(f"method {method!r}", "it declares no weights", f"Choose one of: {known}.")
    reader = FoldReader(store)
    block = reader.block(query.cell_line, query.dose_um, [query.drug])
    store.measured_drugs(query.cell_line, query.dose_um)  # an unknown line or dose is said
    make = partial(_remembered, store) if selectors is None else selectors
    return METHODS[method](reader.labels, make), block


def _remembered(store: AtlasStore, name: str) -> Selector:
    if name != LLMSelector.name:
        return make_selector(name, store)
    settings = Settings.from_environment()
    scopes = (LLMOptions(scope=scope) for scope in (Scope.LINE, Scope.DRUG))
    return OwnLineFirst(*(llm_selector(store, settings, options) for options in scopes))


def _terms(store: AtlasStore, share: Share) -> list[dict[str, Any]]:
    """What each term stands on; terms without a weight are left out."""
    weights, shares = share.weights, share.weights.shares()
    terms = []
    for term, each in weights.terms.items():
        order = np.argsort(-np.abs(each[0]), kind="stable")
        used = order[each[0, order] != 0]
        if len(used):
            conditions = [(store.condition(int(weights.rows[i])), float(each[0, i])) for i in used]
            terms.append(
                {
                    "term": str(term),
                    "label": term.label,
                    "share": float(shares[term][0]),
                    "conditions": conditions,
                }
            )
    return terms
