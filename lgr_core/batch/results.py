"""A batch run, query by query: finished predictions are kept, failures have a reason."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from lgr_core.answer import LGR_METHOD, Answer
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.atlas.store import AtlasStore
from lgr_core.batch.engine import Ask
from lgr_core.domain import (
    CandidatePool,
    Change,
    Condition,
    FloatArray,
    IntArray,
    Retrieval,
    TermSupport,
)
from lgr_core.errors import LgrError, UsageError
from lgr_core.prediction.attribution import METHODS as WEIGHTED
from lgr_core.prediction.trust import TrustLevel
from lgr_core.retrieval.specific_change import View, changes_of

VALUES = 4_000_000
"""Most predicted values that are held at once: 16 MB."""

QUERIES = 2_000
"""Most queries at once, whatever the panel."""

TOGETHER = 100
"""Most queries that are answered together, between two looks at whether to stop."""

TOP = 5
"""Genes that a table names each way."""


@dataclass(frozen=True, slots=True)
class BatchRow:
    """What became of one query, the one at ``place`` in the list.

    ``up`` and ``down`` name the genes that are predicted to change most, of those that stand out of
    the noise, strongest first; ``metrics`` compare with the truth where the query was measured.
    ``terms`` name the heaviest of what a method that weighs everything stands on. ``expected`` is
    the Pearson r that is expected, with its 90 % limits; where it is None, ``trust_note`` may say
    why. ``error`` says why there is no prediction.
    """

    place: int
    query: Condition
    method: str = ""
    retrieval: Retrieval | None = None
    fallback: str | None = None
    metrics: Mapping[str, float] | None = None
    up: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    terms: tuple[TermSupport, ...] = ()
    expected: tuple[float, float, float] | None = None
    light: TrustLevel | None = None
    trust_note: str | None = None
    error: LgrError | None = None


class BatchRun:
    """The outcomes of a list of queries and their predicted changes.

    ``deltas`` is (n, n_panel) float32, one row a query in the order of ``pools``, NaN where there
    is no prediction (yet). ``change`` says of which change they are: it must be that of the reader
    behind ``ask``. One thread predicts, any may read.
    """

    def __init__(
        self,
        store: AtlasStore,
        pools: Sequence[CandidatePool],
        k: int,
        method: str = LGR_METHOD,
        *,
        change: Change = Change.TOTAL,
    ) -> None:
        self.store, self.pools, self.k, self.method = store, tuple(pools), k, method
        self.change = change
        self.deltas = np.full((len(self.pools), store.n_panel), np.nan, dtype=np.float32)
        self._outcomes: list[BatchRow | None] = [None] * len(self.pools)

    def predict(self, ask: Ask, *, cancel: threading.Event | None = None) -> None:
        """Predict what is not done yet, line by line, until ``cancel`` is set."""
        for places in self._open():
            if cancel is not None and cancel.is_set():
                return
            answers = _each(ask, [self.pools[place] for place in places])
            for place, answer in zip(places, answers, strict=True):
                if isinstance(answer, Answer) and answer.change is not self.change:
                    found = f"answers of the {answer.change} change"
                    raise UsageError(f"batch of the {self.change} change", found, "Ask for one.")
                self._outcomes[place] = self._outcome(place, answer)

    @cached_property
    def changes(self) -> Callable[[IntArray], FloatArray]:
        """Reads measured changes of the kind that is predicted: rows to (n_rows, n_panel)."""
        return changes_of(self.store, View(self.change))

    @property
    def is_linear(self) -> bool:
        """Whether its method weighs every condition, not neighbours alone."""
        return self.method in WEIGHTED

    @property
    def outcomes(self) -> list[BatchRow]:
        """What is done so far, in the order of the list."""
        return [outcome for outcome in self._outcomes if outcome is not None]

    @property
    def predicted(self) -> int:
        """How many queries have a prediction."""
        return sum(outcome.error is None for outcome in self.outcomes)

    def table(self) -> pd.DataFrame:
        """One row an outcome, in the order of the list: what it stands on, how well it fits.

        Of methods that weigh everything, how many conditions; of others, which neighbours.
        """
        stands_on = _WEIGHTS if self.is_linear else _NEIGHBORS
        scores = _SPECIFIC if self.change is Change.SPECIFIC else ()
        columns = (*_QUERY, *stands_on, *_FOUND, *scores)
        return pd.DataFrame([_row(outcome) for outcome in self.outcomes], columns=columns)

    def _open(self) -> list[list[int]]:
        """The places that are not done, those of one line and dose together."""
        found: dict[tuple[str, float | None], list[int]] = {}
        for place, pool in enumerate(self.pools):
            if self._outcomes[place] is None:
                query = pool.query
                found.setdefault((query.cell_line, query.dose_um), []).append(place)
        return [
            places[start : start + TOGETHER]
            for places in found.values()
            for start in range(0, len(places), TOGETHER)
        ]

    def _outcome(self, place: int, answer: Answer | LgrError) -> BatchRow:
        query = self.pools[place].query
        if isinstance(answer, LgrError):
            return BatchRow(place, query, error=answer)
        prediction, trust = answer.prediction, answer.trust
        self.deltas[place] = prediction.delta
        up, down = strongest_genes(answer, TOP, sure=True)
        return BatchRow(
            place,
            query,
            method=prediction.method,
            retrieval=answer.retrieval,
            fallback=prediction.fallback,
            metrics=answer.metrics,
            up=tuple(answer.genes[up].tolist()),
            down=tuple(answer.genes[down[::-1]].tolist()),
            notes=answer.notes,
            terms=answer.terms if self.is_linear else (),
            expected=None if trust is None else (trust.expected, trust.low, trust.high),
            light=None if trust is None else trust.light,
            trust_note=answer.trust_note,
        )


def _each(ask: Ask, pools: Sequence[CandidatePool]) -> Sequence[Answer | LgrError]:
    """The answers together; where that fails, one by one, so that a failure is of its own query."""
    try:
        return ask(pools)
    except LgrError as err:
        if len(pools) == 1:
            return [err]
    return [_each(ask, [pool])[0] for pool in pools]


def most_queries(store: AtlasStore) -> int:
    """How many queries of an atlas may be predicted at once."""
    return max(1, min(QUERIES, VALUES // store.n_panel))


_QUERY = ("drug", "cell_line", "dose_um", "method")
_NEIGHBORS = ("selector", "k_used", "pool_size")
_WEIGHTS = ("stands_on", "n_conditions")
_FOUND = (
    *("fallback", "measured", "pearson_delta", "sign_accuracy"),
    *("expected_pearson", "expected_low", "expected_high", "trust", "up", "down", "note"),
)

_SPECIFIC = ("pearson_specific",)


def _row(outcome: BatchRow) -> dict[str, object]:
    query, found, scores = outcome.query, outcome.retrieval, outcome.metrics or {}
    expected, low, high = outcome.expected or (np.nan, np.nan, np.nan)
    return {
        "drug": query.drug,
        "cell_line": query.cell_line,
        "dose_um": np.nan if query.dose_um is None else query.dose_um,
        "method": outcome.method,
        "selector": "" if found is None else found.selector,
        "k_used": 0 if found is None else found.k_used,
        "pool_size": 0 if found is None else found.pool_size,
        "stands_on": "" if found is None else found.provenance.get("why", ""),
        "n_conditions": sum(term.n for term in outcome.terms),
        "fallback": outcome.fallback or "",
        "measured": outcome.metrics is not None,
        "pearson_delta": scores.get("pearson_delta", np.nan),
        "pearson_specific": scores.get("pearson_specific", np.nan),
        "sign_accuracy": scores.get("sign_accuracy", np.nan),
        "expected_pearson": expected,
        "expected_low": low,
        "expected_high": high,
        "trust": "" if outcome.light is None else str(outcome.light),
        "up": " ".join(outcome.up),
        "down": " ".join(outcome.down),
        "note": " ".join(outcome.notes) if outcome.error is None else str(outcome.error),
    }
