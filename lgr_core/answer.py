"""One question, one call: what this drug would do to this cell line.

Pages, command line and notebooks all ask through :func:`predict` and show the :class:`Answer`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from lgr_core import metrics
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, FloatArray, Prediction, Retrieval, Selector
from lgr_core.errors import UsageError
from lgr_core.prediction.predictors import LGR, PoolMean
from lgr_core.retrieval.pool import View, candidate_pool
from lgr_core.retrieval.query import read_query
from lgr_core.retrieval.resolve import retrieve as retrieve_neighbors
from lgr_core.retrieval.selectors import make_selector

_OURS = frozenset({"gene", "predicted", "measured"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A prediction with all that stands behind it.

    ``genes`` (n_genes,) name the columns of ``prediction.delta`` (n_genes,), of ``measured``
    (n_genes,) where the truth is known, of ``neighbor_deltas`` (k_used, n_genes), best neighbour
    first, and of ``pool_mean`` (n_genes,), the line's mean over the whole pool. ``metrics`` compare
    predicted with measured over the metric panel. ``notes`` say in words what was decided.
    """

    prediction: Prediction
    pool: CandidatePool
    genes: np.ndarray
    n_panel: int
    measured: FloatArray | None
    neighbor_deltas: FloatArray
    pool_mean: FloatArray
    metrics: Mapping[str, float] | None
    notes: tuple[str, ...]
    provenance: Mapping[str, Any]

    @property
    def retrieval(self) -> Retrieval:
        """The realised neighbours and what was rejected."""
        if self.prediction.retrieval is None:
            raise UsageError("retrieval", "this method retrieves nobody", "Ask an LGR method.")
        return self.prediction.retrieval

    def table(self) -> pd.DataFrame:
        """One row a gene: predicted, measured (if known), and each neighbour's measured delta.

        A neighbour's column is its name; one that is called like a column of ours is marked.
        """
        columns = {"gene": self.genes, "predicted": self.prediction.delta}
        if self.measured is not None:
            columns["measured"] = self.measured
        for drug, delta in zip(self.retrieval.drugs, self.neighbor_deltas, strict=True):
            columns[f"{drug} (neighbor)" if drug in _OURS else drug] = delta
        return pd.DataFrame(columns)

    def top_genes(self, n: int = 10) -> pd.DataFrame:
        """The n genes predicted to go up most and the n to go down most, strongest first."""
        table = self.table().sort_values("predicted", ascending=False, kind="stable")
        up = table[table["predicted"] > 0].head(n)
        down = table[table["predicted"] < 0].tail(n)
        return pd.concat([up, down])

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON has it: NaN becomes None."""
        return {
            **retrieval_dict(self.retrieval),
            "fallback": self.prediction.fallback,
            "genes": self.genes.tolist(),
            "delta": [_number(value) for value in self.prediction.delta.tolist()],
            "metrics": None
            if self.metrics is None
            else {key: _number(value) for key, value in self.metrics.items()},
            "provenance": dict(self.provenance),
        }


def retrieval_dict(retrieval: Retrieval) -> dict[str, Any]:
    """A retrieval as JSON has it."""
    query = retrieval.query
    return {
        "query": {"cell_line": query.cell_line, "drug": query.drug, "dose_um": query.dose_um},
        "selector": retrieval.selector,
        "k": retrieval.k,
        "k_used": retrieval.k_used,
        "pool_size": retrieval.pool_size,
        "neighbors": [
            {
                "drug": n.drug,
                "rank": n.rank,
                "score": None if n.score is None else _number(float(n.score)),
                "rationale": n.rationale,
                "same_parent_as": n.same_parent_as,
            }
            for n in retrieval.neighbors
        ],
        "rejected": [
            {"text": r.text, "reason": str(r.reason), "suggestion": r.suggestion}
            for r in retrieval.rejected
        ],
    }


def retrieve(
    store: AtlasStore,
    *,
    cell_line: str,
    drug: str,
    dose_um: float | None = None,
    selector: str | Selector = "mechanism",
    k: int = 10,
    seed: int = 0,
    one_per_parent: bool = False,
) -> Retrieval:
    """The realised neighbours of a drug in a cell line, without predicting.

    Raises
    ------
    LgrError
        If a name, the dose, the selector or ``k`` is refused; the message says what to do.
    """
    pool, _ = _pool(store, cell_line, drug, dose_um)
    chosen = _selector(store, selector, seed)
    view = View(store, pool.query, chosen.evidence)
    return retrieve_neighbors(
        chosen, pool, view, store.drug_catalog, k, one_per_parent=one_per_parent
    )


def predict(  # noqa: PLR0913 - the one public call; all but the question is optional
    store: AtlasStore,
    *,
    cell_line: str,
    drug: str,
    dose_um: float | None = None,
    selector: str | Selector = "mechanism",
    k: int = 10,
    aggregate: str = "mean",
    fallback: str = "pool_mean",
    seed: int = 0,
    one_per_parent: bool = False,
    all_genes: bool = False,
) -> Answer:
    """Predict a drug's effect on a cell line from the measured effects of its neighbours.

    Parameters
    ----------
    store
        An open atlas.
    cell_line, drug, dose_um
        The question; names are matched by their closest reading, the dose is in micromolar.
    selector
        A name in ``SELECTORS``, or any object with the ``Selector`` protocol.
    k
        How many neighbours to average; the whole pool if it is smaller.
    aggregate, fallback
        How neighbours are combined, and what answers (labelled) when there are none.
    seed
        For the random selector.
    one_per_parent
        Keep only the better-ranked of two forms of one parent compound.
    all_genes
        Predict every gene of the atlas; otherwise the metric panel.

    Returns
    -------
    Answer
        With ``measured`` and ``metrics`` where the condition was measured. The measured values
        are read by the scorer only, after the prediction is made.

    Raises
    ------
    LgrError
        If a name, the dose or an option is refused; the message says what to do.
    """
    pool, notes = _pool(store, cell_line, drug, dose_um)
    method = LGR(
        _selector(store, selector, seed),
        store.drug_catalog,
        k=k,
        how=aggregate,
        fallback=fallback,
        one_per_parent=one_per_parent,
        all_genes=all_genes,
    )
    view = View(store, pool.query, method.evidence)
    return _answer(store, method, method.predict(pool, view), pool, view, notes)


def _pool(
    store: AtlasStore, cell_line: str, drug: str, dose_um: float | None
) -> tuple[CandidatePool, tuple[str, ...]]:
    """Who may answer the question as it was read, and notes on how it was read."""
    query, notes = read_query(store, cell_line, drug, dose_um)
    return candidate_pool(store, query), notes


def _selector(store: AtlasStore, selector: str | Selector, seed: int) -> Selector:
    return make_selector(selector, store, seed=seed) if isinstance(selector, str) else selector


def _answer(
    store: AtlasStore,
    method: LGR,
    prediction: Prediction,
    pool: CandidatePool,
    view: View,
    notes: tuple[str, ...],
) -> Answer:
    notes = (*notes, *_notes(prediction, pool))
    retrieval = prediction.retrieval
    drugs = retrieval.drugs if retrieval is not None else ()
    rows = view.rows(pool.query.cell_line, drugs, pool.query.dose_um)
    pool_mean = PoolMean(method.all_genes).predict(pool, view).delta
    row = store.row(pool.query)
    measured = None if row is None else store.deltas(np.array([row]), all_genes=method.all_genes)[0]
    n_genes = len(store.genes) if method.all_genes else store.n_panel
    return Answer(
        prediction=prediction,
        pool=pool,
        genes=store.gene_names[:n_genes],
        n_panel=store.n_panel,
        measured=measured,
        neighbor_deltas=view.deltas(rows, all_genes=method.all_genes),
        pool_mean=pool_mean,
        metrics=_score(prediction.delta, measured, pool_mean, store.n_panel),
        notes=notes,
        provenance=_provenance(store, method, prediction, pool, notes),
    )


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
    retrieval, notes = prediction.retrieval, []
    if retrieval is not None and retrieval.k > len(pool.drugs):
        notes.append(
            f"k = {retrieval.k}, but the pool holds {len(pool.drugs)} drugs: all may be used."
        )
    if retrieval is not None and 0 < retrieval.k_used < min(retrieval.k, len(pool.drugs)):
        notes.append(
            f"Only {retrieval.k_used} of {retrieval.k} neighbours were found and averaged."
        )
    if prediction.fallback is not None:
        notes.append(f"No neighbour was found: the answer is the fallback, {prediction.fallback}.")
    if pool.twins:
        notes.append(f"Left out as forms of the same compound: {', '.join(pool.twins)}.")
    return tuple(notes)


def _provenance(
    store: AtlasStore,
    method: LGR,
    prediction: Prediction,
    pool: CandidatePool,
    notes: tuple[str, ...],
) -> dict[str, Any]:
    return {
        "atlas": store.name,
        "build_id": store.build_id,
        "value_kind": str(store.value_kind),
        "simulated": store.simulated,
        "method": method.name,
        "evidence": sorted(method.evidence),
        "aggregate": method.how,
        "weights": list(prediction.weights),
        "one_per_parent": method.one_per_parent,
        "twins_left_out": list(pool.twins),
        "selector": dict(prediction.retrieval.provenance) if prediction.retrieval else {},
        "notes": list(notes),
        "lgr_version": version("lgr-explorer"),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
