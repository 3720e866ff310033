"""Features of a prediction that predict its score without the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, Evidence, FloatArray
from lgr_core.metrics import pearson_of_defined
from lgr_core.retrieval.evidence_guard import EvidenceGuard, VectorBasis
from lgr_core.retrieval.query_block import QueryBlock
from lgr_core.retrieval.sums import MeanOver

FEATURES: Mapping[str, str] = {
    "pool_agreement": "how alike the effects of this line's other drugs are",
    "drug_agreement": "how alike the drug's effects in other lines are",
    "lines": "in how many other lines the drug was measured",
    "pool": "how many other drugs were measured in this line",
    "likeness": "how close the prediction is to the line's mean",
    "size": "how large the prediction is beside the spread of measured effects",
    "neighbors_agreement": "how alike the effects of the averaged neighbours are",
    "neighbors_standing": "how much more alike they are than random picks from the pool",
    "cells": "how many cells stand behind a measured change of this line that is read",
}
"""What is known of a prediction, in words; numbers of lines, drugs and cells are logarithms."""

_FLOOR = 0.1


@dataclass(frozen=True, slots=True)
class TrustFeatures:
    """What may be read around the n queries of a block, before anything is predicted.

    ``known`` (n, 4) are the features that hang on the query alone, ``mean`` (n, genes) the line's
    mean, or that of all where no other drug of the line may be read. ``unit`` (n, genes) is the
    unit of a gene's interval: the spread of the line's other drugs, or over all where fewer than
    two may be read. A gene that hardly varies counts as a tenth of the median gene; 1 where
    nothing is known. ``guard`` is what was read through.
    """

    known: FloatArray
    mean: FloatArray
    unit: FloatArray
    block: QueryBlock
    guard: EvidenceGuard

    @classmethod
    def of(cls, block: QueryBlock, evidence: frozenset[Evidence]) -> TrustFeatures:
        """Of a block, by what the evidence opens; the truth is not read, declared or not."""
        guard = block.guard(evidence - {Evidence.TRUTH})
        (mean, pool), (_, lines) = guard.mean(MeanOver.LINE), guard.mean(MeanOver.DRUG)
        spread, few = guard.spread(MeanOver.LINE), pool < 2  # noqa: PLR2004 - one row has no spread
        if few.any():
            spread[few] = guard.spread(MeanOver.EVERYWHERE)[few]
            mean[pool == 0] = guard.mean(MeanOver.EVERYWHERE)[0][pool == 0]
        alike = guard.agreement(MeanOver.LINE), guard.agreement(MeanOver.DRUG)
        known = np.column_stack([*alike, np.log1p(lines), np.log1p(pool)])
        spread = np.nan_to_num(spread)
        floored = np.maximum(spread, _FLOOR * np.median(spread, axis=1, keepdims=True))
        unit = np.where(floored > 0, floored, 1.0)
        return cls(np.nan_to_num(known), mean, unit, block, guard)

    def features(self, delta: FloatArray, used: BoolArray | None = None) -> FloatArray:
        """What is known of n predictions (n, genes), (n, n_features), beside ``FEATURES``.

        ``used`` flags the measured drugs of the line that each averages, (n, n_names), as
        ``Predictions`` has it; None where none is averaged. What is not known is 0.
        """
        size = np.sqrt(np.square(delta / self.unit).mean(axis=1))
        size = np.log(np.maximum(size, np.finfo(np.float32).tiny))
        likeness = _likeness(delta, self.mean)
        used = used if used is not None and used.any() else None
        alike = np.zeros((len(delta), 2)) if used is None else self._neighbors(used)
        cells = np.log1p(self._cells(used))
        return np.nan_to_num(np.column_stack([self.known, likeness, size, alike, cells]))

    def _neighbors(self, used: BoolArray) -> FloatArray:
        """How alike the averaged neighbours are, and that less what random picks come to, (n, 2).

        Of k picks out of a pool of m drugs whose agreement is A, as
        :meth:`EvidenceGuard.agreement` has it,
        ``1/k + (1 - 1/k) (m A - 1) / (m - 1)`` is expected.
        """
        k, pool = used.sum(axis=1), np.expm1(self.known[:, 3])
        weights = used / np.maximum(k, 1)[:, None]
        agreement = self.guard.weighted_agreement(csr_array(weights), VectorBasis.LINE)
        with np.errstate(invalid="ignore", divide="ignore"):
            shared = (pool * self.known[:, 0] - 1) / (pool - 1)
            expected = 1 / k + (1 - 1 / k) * shared
        return np.column_stack([agreement, agreement - expected])

    def _cells(self, used: BoolArray | None) -> FloatArray:
        """Mean cells of the conditions that are averaged, else of the line's that may be read."""
        labels, block = self.block.labels, self.block
        _, rows = labels.measured(block.cell_line, block.dose_um)
        each = labels.n_cells[rows]
        read = self.guard.allows(np.arange(len(block))[:, None], rows[None, :])
        read = np.where(np.any(used, axis=1)[:, None], used, read) if used is not None else read
        counted = read & np.isfinite(each)
        n = counted.sum(axis=1)
        return np.divide(counted @ np.nan_to_num(each), n, out=np.zeros(len(n)), where=n > 0)


def _likeness(delta: FloatArray, mean: FloatArray) -> FloatArray:
    """Pearson r row by row, (n,); 0 where a row is not a number."""
    return np.nan_to_num(pearson_of_defined(delta, mean))
