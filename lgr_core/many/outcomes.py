"""Many queries predicted one after the other: what is done is kept, what fails says why."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lgr_core.answer import Answer, predict
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import CandidatePool, Condition, Retrieval, Selector
from lgr_core.errors import LgrError

Choose = Callable[[CandidatePool], Selector]
"""Gives the selector of a query; raises an ``LgrError`` where nobody may choose."""

VALUES = 4_000_000
"""Most predicted values that are held at once: 16 MB."""

QUERIES = 2_000
"""Most queries at once, whatever the panel."""

TOP = 5
"""Genes that a table names each way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one query.

    ``up`` and ``down`` name the genes that are predicted to change most; ``metrics`` compare with
    the truth where the query was measured. ``error`` says why there is no prediction.
    """

    query: Condition
    retrieval: Retrieval | None = None
    fallback: str | None = None
    metrics: Mapping[str, float] | None = None
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error: LgrError | None = None


class Many:
    """The outcomes of a list of queries and their predicted changes.

    ``deltas`` is (n, n_panel) float32, one row a query in the order of ``pools``, NaN where there
    is no prediction (yet); ``outcomes`` holds what is done so far. One thread predicts, any may
    read.
    """

    def __init__(self, store: AtlasStore, pools: Sequence[CandidatePool], k: int) -> None:
        self.store, self.pools, self.k = store, tuple(pools), k
        self.deltas = np.full((len(self.pools), store.n_panel), np.nan, dtype=np.float32)
        self.outcomes: list[Outcome] = []

    def predict(
        self, choose: Choose, *, cancel: threading.Event | None = None, seed: int = 0
    ) -> None:
        """Predict what is not done yet, in order, until ``cancel`` is set."""
        for place in range(len(self.outcomes), len(self.pools)):
            if cancel is not None and cancel.is_set():
                return
            self.outcomes.append(self._outcome(place, choose, seed))

    @property
    def predicted(self) -> int:
        """How many queries have a prediction."""
        return sum(outcome.error is None for outcome in list(self.outcomes))

    def table(self) -> pd.DataFrame:
        """One row an outcome, in the order of the list: who was averaged, how well it fits."""
        return pd.DataFrame([_row(outcome) for outcome in list(self.outcomes)], columns=COLUMNS)

    def _outcome(self, place: int, choose: Choose, seed: int) -> Outcome:
        pool = self.pools[place]
        query = pool.query
        try:
            answer = predict(
                self.store,
                cell_line=query.cell_line,
                drug=query.drug,
                dose_um=query.dose_um,
                selector=choose(pool),
                k=self.k,
                seed=seed,
            )
        except LgrError as err:
            return Outcome(query, error=err)
        self.deltas[place] = answer.prediction.delta
        up, down = _strongest(answer)
        return Outcome(
            query,
            answer.retrieval,
            answer.prediction.fallback,
            answer.metrics,
            up,
            down,
            answer.notes,
        )


def most_queries(store: AtlasStore) -> int:
    """How many queries of an atlas may be predicted at once."""
    return max(1, min(QUERIES, VALUES // store.n_panel))


def _strongest(answer: Answer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    delta = answer.prediction.delta
    order = np.argsort(-delta, kind="stable")
    up, down = order[:TOP], order[::-1][:TOP]
    return (
        tuple(answer.genes[up[delta[up] > 0]].tolist()),
        tuple(answer.genes[down[delta[down] < 0]].tolist()),
    )


COLUMNS = (
    *("drug", "cell_line", "dose_um", "selector", "k_used", "pool_size", "fallback"),
    *("measured", "pearson_delta", "sign_accuracy", "up", "down", "note"),
)
"""Columns of :meth:`Many.table`."""


def _row(outcome: Outcome) -> dict[str, object]:
    query, found = outcome.query, outcome.retrieval
    scores = outcome.metrics or {}
    return {
        "drug": query.drug,
        "cell_line": query.cell_line,
        "dose_um": np.nan if query.dose_um is None else query.dose_um,
        "selector": "" if found is None else found.selector,
        "k_used": 0 if found is None else found.k_used,
        "pool_size": 0 if found is None else found.pool_size,
        "fallback": outcome.fallback or "",
        "measured": outcome.metrics is not None,
        "pearson_delta": scores.get("pearson_delta", np.nan),
        "sign_accuracy": scores.get("sign_accuracy", np.nan),
        "up": " ".join(outcome.up),
        "down": " ".join(outcome.down),
        "note": " ".join(outcome.notes) if outcome.error is None else str(outcome.error),
    }
