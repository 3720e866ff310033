"""Scores a block's predictions against the measured truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lgr_core.domain import Evidence, FloatArray
from lgr_core.evaluation.folds import Fold
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import METRICS, ReferenceSet, Scorer
from lgr_core.prediction.method import Predictions, Status
from lgr_core.retrieval.query_block import EvidenceReader, QueryBlock
from lgr_core.retrieval.sums import MeanOver

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

    def of(self, metric: str) -> FloatArray:
        """The scores on one metric, (n,)."""
        return self.scores[:, list(METRICS).index(metric)]


class BlockScorer:
    """Scores blocks of one fold against what was measured.

    The line mean that :func:`~lgr_core.metrics.pearson_vs_line_mean` takes away is the scorer's
    own, the same for every method: the mean of the query's pool in its line, in the strict regime
    too, where no method may read it.
    """

    def __init__(self, reader: EvidenceReader) -> None:
        self._store = reader.store
        fold = reader.fold
        if isinstance(fold, Fold) and not fold.in_line:
            fold = replace(fold, regime=Regime.UNSEEN_CELL_LINE)
        self._pools = EvidenceReader(reader.store, fold)

    def of(self, block: QueryBlock) -> _Measured:
        """What the block's predictions are compared with."""
        twin = self._pools.block(block.cell_line, block.dose_um, block.drugs)
        line_mean, counts = twin.guard({Evidence.TARGET_POOL}).mean(MeanOver.LINE)
        _, rows = block.labels.measured(block.cell_line, block.dose_um)
        deltas = self._store.deltas(rows)
        truth = np.searchsorted(rows, block.rows)
        return _Measured(deltas, truth, np.nan_to_num(line_mean), counts > 0)


class _Measured:
    """The truth of a block, (n, genes), and what stands around it."""

    def __init__(
        self, line: FloatArray, truth: np.ndarray, line_mean: FloatArray, has_pool: np.ndarray
    ) -> None:
        self.deltas = line[truth]
        self._has_pool = has_pool
        self._scorer = Scorer(
            self.deltas, line_mean=line_mean, references=ReferenceSet(line, truth)
        )

    def score(self, variants: Sequence[Predictions]) -> Scored:
        """The mean of the variants' scores; what is undefined in one is left out of its mean."""
        each = np.stack([self._values(found) for found in variants])
        defined = ~np.isnan(each)
        n = defined.sum(axis=0)
        total = np.where(defined, each, 0).sum(axis=0)
        values = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
        k_used = np.mean([found.k_used for found in variants], axis=0)
        first = variants[0]
        return Scored(values, first.status, k_used, first.fallback, first.detail, each)

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
