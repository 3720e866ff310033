"""The protocol of a method: fitted once per fold, then asked block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

import numpy as np

from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.errors import UsageError
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.query_block import QueryBlock


class Status(StrEnum):
    """What became of a query."""

    OK = "ok"
    NOT_APPLICABLE = "not_applicable"
    EMPTY_POOL = "empty_pool"
    NOT_SEPARABLE = "not_separable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Predictions:
    """A method's answers to the n queries of a block.

    ``delta`` is (n, genes) float32; rows whose ``status`` is not ok hold NaN and are not scored.
    ``k_used``, (n,), counts the drugs averaged, NaN where nobody is retrieved. ``fallback``, (n,),
    names the method that answered instead, ``detail``, (n,), says in words why, or which model
    ranked; None if nothing. ``used``, (n, n_drugs of the line), flags the measured drugs that a
    prediction averages.
    """

    delta: FloatArray
    status: Sequence[Status]
    k_used: FloatArray
    fallback: Sequence[str | None]
    detail: Sequence[str | None]
    used: BoolArray | None = None

    def __post_init__(self) -> None:
        n = len(self.delta)
        sizes = {len(x) for x in (self.status, self.k_used, self.fallback, self.detail)}
        if self.delta.ndim != 2 or sizes != {n}:  # noqa: PLR2004 - queries by genes
            found = f"delta is {self.delta.shape}, the rest {sorted(sizes)}"
            raise UsageError("predictions", found, "Give one row and one entry a query.")

    @property
    def ok(self) -> BoolArray:
        """(n,) the queries that have an answer."""
        return np.array([status is Status.OK for status in self.status], dtype=bool)


@runtime_checkable
class Method(Protocol):
    """Predicts the deltas of a block from what its declared evidence lets it read."""

    @property
    def name(self) -> str:
        """Its id in tables."""
        ...

    @property
    def evidence(self) -> frozenset[Evidence]:
        """What it reads."""
        ...

    def fit(self, view: TrainingView) -> None:
        """Learn from the training rows of a fold; called once before its first block."""
        ...

    def predict(self, block: QueryBlock) -> Predictions:
        """Answer every query, or say why not."""
        ...


class NothingToFit:
    """A method that learns nothing."""

    def fit(self, view: TrainingView) -> None:
        """Nothing to do."""


def answered(
    delta: FloatArray,
    *,
    without: str | None = None,
    status: Status = Status.NOT_APPLICABLE,
    k_used: FloatArray | IntArray | None = None,
    fallback: Sequence[str | None] | None = None,
    used: BoolArray | None = None,
) -> Predictions:
    """Predictions with NaN rows marked by ``status`` and explained by ``without``."""
    n = len(delta)
    defined = ~np.any(np.isnan(delta), axis=1)
    return Predictions(
        delta=delta,
        status=[Status.OK if ok else status for ok in defined],
        k_used=np.full(n, np.nan) if k_used is None else np.asarray(k_used, dtype=float),
        fallback=[None] * n if fallback is None else fallback,
        detail=[None if ok else without for ok in defined],
        used=used,
    )
