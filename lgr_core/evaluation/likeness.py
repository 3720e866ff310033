"""How alike a method's predictions are beside how alike the truths are: collapse, over a run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from lgr_core.domain import FloatArray
from lgr_core.metrics import mean_pairwise_pearson
from lgr_core.prediction.method import Predictions

_KEYS = ["regime", "method"]
_SUMS = ["predicted", "measured", "n_pairs"]


class LikenessTable:
    """Sums of Pearson r between the predictions of a block, and between their truths."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, float, float, int]] = []

    def add(self, method: str, predictions: Predictions, measured: FloatArray) -> None:
        """A block's predictions by a method, and the truth, (n, genes), NaN where undefined.

        Queries whose prediction or truth is constant are left out of both.
        """
        kept = predictions.ok & (np.nan_to_num(measured).std(axis=1) > 0)
        kept &= np.nan_to_num(predictions.delta).std(axis=1) > 0
        n = int(kept.sum())
        if n > 1:
            pairs = n * (n - 1)
            each = (mean_pairwise_pearson(v[kept]) for v in (predictions.delta, measured))
            predicted, among_truths = (pairs * r for r in each)
            self._rows.append((method, predicted, among_truths, pairs))

    def table(self, regime: str) -> pd.DataFrame:
        """One row a method and block."""
        table = pd.DataFrame(self._rows, columns=["method", *_SUMS])
        table.insert(0, "regime", regime)
        return table


def collapse_table(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """One row a regime and method: mean r among predictions and among truths, and their ratio.

    Over pairs of queries of one line, dose and fold. ``collapse`` is 1 where predictions differ as
    truths do, and far above 1 where a method says the same of every drug; see
    :func:`lgr_core.metrics.collapse`. NaN where the truths are not alike at all.
    """
    every = pd.concat([table for table in tables if len(table)] or [LikenessTable().table("")])
    sums = every.groupby(_KEYS, as_index=False, sort=False)[_SUMS].sum()
    for name in ("predicted", "measured"):
        sums[name] /= sums["n_pairs"]
    sums["collapse"] = (sums["predicted"] / sums["measured"]).where(sums["measured"] > 0)
    return sums
