"""Scores a block's predictions against the measured truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Change, Evidence, FloatArray, IntArray
from lgr_core.evaluation.folds import Fold
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import METRICS, SPECIFIC_METRICS, ReferenceSet, Scorer, metrics_of, score
from lgr_core.prediction.method import Predictions, Status
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.sums import MeanOver

NO_SPECIFIC = "the truth cannot be separated from its plate"
"""Why a query has no score of the specific change."""

_OF_LINE_MEAN = [name for name, metric in METRICS.items() if "line_mean" in metric.needs]


@dataclass(frozen=True, slots=True)
class Scored:
    """A method's scores of one block: ``scores`` (n, n_metrics), NaN where undefined.

    ``per_seed``, (n_variants, n, n_metrics), holds those of each variant before they are averaged.
    """

    scores: FloatArray
    status: Sequence[Status]
    k_used: FloatArray
    fallback: Sequence[str | None]
    detail: Sequence[str | None]
    per_seed: FloatArray

    def of(self, metric: str, change: Change = Change.TOTAL) -> FloatArray:
        """The scores on one metric of a change, (n,)."""
        return self.scores[:, list(metrics_of(change)).index(metric)]


class BlockScorer:
    """Scores blocks of one fold against what was measured.

    The line mean that :func:`~lgr_core.metrics.pearson_vs_line_mean` takes away is the scorer's
    own, the same for every method: the mean of the query's pool in its line, in the strict regime
    too, where no method may read it.
    """

    def __init__(self, reader: EvidenceReader) -> None:
        self._reader = reader
        fold = reader.fold
        if isinstance(fold, Fold) and not fold.in_line:
            fold = replace(fold, regime=Regime.UNSEEN_CELL_LINE)
        self._pools = EvidenceReader(
            reader.store, fold, wells=reader.wells, truth_store=reader.truth_store
        )

    def of(self, block: QueryBlock) -> Measured:
        """What the block's predictions are compared with."""
        rows = _standing_rows(self._reader.truth_store, block)
        deltas = self._reader.truths(rows)
        truth = np.argsort(rows)[np.searchsorted(np.sort(rows), block.rows)]
        if self._reader.change is Change.SPECIFIC:
            return _MeasuredSpecific(deltas, truth)
        pool = self._pools.block(block.cell_line, block.dose_um, block.drugs)
        line_mean, counts = pool.guard({Evidence.TARGET_POOL}).mean(MeanOver.LINE)
        return _Measured(deltas, truth, np.nan_to_num(line_mean), counts > 0)


def _standing_rows(store: AtlasStore, block: QueryBlock) -> IntArray:
    """The rows that stand in a block's line for its dose."""
    drugs = store.measured_drugs(block.cell_line, block.dose_um)
    return store.rows(block.cell_line, drugs, block.dose_um)


class Measured(Protocol):
    """The truth of a block, ``deltas`` (n, genes), against which predictions are scored."""

    deltas: FloatArray

    def score(self, variants: Sequence[Predictions]) -> Scored:
        """The mean of the variants' scores; what is undefined in one is left out of its mean."""
        ...


class _Measured:
    """The deltas of a block, and what stands around them."""

    def __init__(
        self, line: FloatArray, truth: IntArray, line_mean: FloatArray, has_pool: BoolArray
    ) -> None:
        self.deltas = line[truth]
        self._has_pool = has_pool
        self._scorer = Scorer(
            self.deltas, line_mean=line_mean, references=ReferenceSet(line, truth)
        )

    def score(self, variants: Sequence[Predictions]) -> Scored:
        """The mean of the variants' scores; what is undefined in one is left out of its mean."""
        return _scored(variants, [self._values(found) for found in variants])

    def _values(self, found: Predictions) -> FloatArray:
        ok = found.ok
        if not ok.any():
            return np.full((len(ok), len(METRICS)), np.nan)
        delta = np.where(ok[:, None], found.delta, 0)
        scores = self._scorer.score(delta, exclude=found.used)
        for name in _OF_LINE_MEAN:
            scores[name][~self._has_pool] = np.nan
        values = np.column_stack([scores[name] for name in METRICS])
        values[~ok] = np.nan
        return values


class _MeasuredSpecific:
    """The specific changes of a block, NaN of what cannot be separated from its plate."""

    def __init__(self, line: FloatArray, truth: IntArray) -> None:
        self.deltas = line[truth]
        self._defined = ~np.isnan(self.deltas[:, 0])
        standing = np.flatnonzero(~np.isnan(line[:, 0]))
        place = np.searchsorted(standing, truth[self._defined])
        self._references = ReferenceSet(line[standing], place) if len(standing) else None

    def score(self, variants: Sequence[Predictions]) -> Scored:
        """The mean of the variants' scores; a query without a specific change has none."""
        scored = _scored(variants, [self._values(found) for found in variants])
        unknown = ~self._defined
        status = [
            Status.NOT_SEPARABLE if no else s for no, s in zip(unknown, scored.status, strict=True)
        ]
        detail = [NO_SPECIFIC if no else d for no, d in zip(unknown, scored.detail, strict=True)]
        return replace(scored, status=status, detail=detail)

    def _values(self, found: Predictions) -> FloatArray:
        values = np.full((len(found.ok), len(SPECIFIC_METRICS)), np.nan)
        ok = found.ok & self._defined
        if not ok.any() or self._references is None:
            return values
        delta = np.where(ok[:, None], found.delta, 0)[self._defined]
        scores = score(
            delta,
            self.deltas[self._defined],
            references=self._references,
            metrics=SPECIFIC_METRICS,
            change=Change.SPECIFIC,
        )
        values[self._defined] = np.column_stack([scores[name] for name in SPECIFIC_METRICS])
        values[~ok] = np.nan
        return values


def _scored(variants: Sequence[Predictions], values: Sequence[FloatArray]) -> Scored:
    each = np.stack(values)
    defined = ~np.isnan(each)
    n = defined.sum(axis=0)
    total = np.where(defined, each, 0).sum(axis=0)
    mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    k_used = np.mean([found.k_used for found in variants], axis=0)
    first = variants[0]
    return Scored(mean, first.status, k_used, first.fallback, first.detail, each)
