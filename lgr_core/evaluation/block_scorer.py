"""Scores a block's predictions against the measured truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, Change, Evidence, FloatArray, IntArray
from lgr_core.evaluation.folds import Fold
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import METRICS, ReferenceSet, Scorer, metrics_of
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
        store = self._reader.truth_store
        drugs = store.measured_drugs(block.cell_line, block.dose_um)
        rows = store.rows(block.cell_line, drugs, block.dose_um)
        read = block.labels.measured(block.cell_line, block.dose_um)[0]
        place = None if read == drugs else pd.Index(read).get_indexer(pd.Index(drugs))
        deltas = self._reader.truths(rows)
        truth = np.argsort(rows)[np.searchsorted(np.sort(rows), block.rows)]
        if self._reader.change is Change.SPECIFIC:
            return Measured(deltas, truth, place, change=Change.SPECIFIC)
        pool = self._pools.block(block.cell_line, block.dose_um, block.drugs)
        line_mean, counts = pool.guard({Evidence.TARGET_POOL}).mean(MeanOver.LINE)
        return Measured(
            deltas,
            truth,
            place,
            change=Change.TOTAL,
            line_mean=np.nan_to_num(line_mean),
            has_pool=counts > 0,
        )


class Measured:
    """The truth of a block, ``deltas`` (n, genes), and what stands around it.

    ``line`` (n_rows, genes) are the line's measured changes, NaN of what cannot be separated from
    its plate, and ``truth`` (n,) the queries' places among them. ``place`` (n_rows,) are their
    places among the drugs that predictions average, -1 for none, None where they are the same.
    ``line_mean`` and ``has_pool`` are those of the queries' pools, which the specific change needs
    not.
    """

    def __init__(
        self,
        line: FloatArray,
        truth: IntArray,
        place: IntArray | None,
        *,
        change: Change,
        line_mean: FloatArray | None = None,
        has_pool: BoolArray | None = None,
    ) -> None:
        self.deltas = line[truth]
        self._metrics, self._has_pool = list(metrics_of(change)), has_pool
        self._defined = ~np.isnan(self.deltas[:, 0])
        standing = np.flatnonzero(~np.isnan(line[:, 0]))
        self._standing = standing if len(standing) < len(line) else slice(None)
        self._place = place
        own = np.searchsorted(standing, truth[self._defined])
        self._scorer = None
        if self._defined.any():
            self._scorer = Scorer(
                self.deltas[self._defined],
                references=ReferenceSet(line[self._standing], own),
                line_mean=line_mean,
                change=change,
            )

    def score(self, variants: Sequence[Predictions]) -> Scored:
        """The mean of the variants' scores; what is undefined in one is left out of its mean.

        A query whose truth is not defined has none.
        """
        scored = _scored(variants, [self._values(found) for found in variants])
        if self._defined.all():
            return scored
        known = self._defined.tolist()
        status = [
            s if ok else Status.NOT_SEPARABLE for ok, s in zip(known, scored.status, strict=True)
        ]
        detail = [d if ok else NO_SPECIFIC for ok, d in zip(known, scored.detail, strict=True)]
        return replace(scored, status=status, detail=detail)

    def _values(self, found: Predictions) -> FloatArray:
        values = np.full((len(found.ok), len(self._metrics)), np.nan)
        ok, defined = found.ok, self._defined
        if self._scorer is None or not (ok & defined).any():
            return values
        delta = np.where(ok[:, None], found.delta, 0)[defined]
        used = found.used
        if used is not None and self._place is not None:
            used = used[:, self._place] & (self._place >= 0)
        exclude = None if used is None else used[defined][:, self._standing]
        scores = self._scorer.score(delta, exclude=exclude)
        if self._has_pool is not None:
            for name in _OF_LINE_MEAN:
                scores[name][~self._has_pool] = np.nan
        values[defined] = np.column_stack([scores[name] for name in self._metrics])
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
