"""Effect sizes of measured conditions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray
from lgr_core.signatures.library import CONSTANT


def strengths(store: AtlasStore) -> pd.DataFrame:
    """Effect size and distinctness of every condition of an atlas, over the panel.

    Returns
    -------
    DataFrame
        ``effect``, the Euclidean norm of the measured change, NaN for rank scores, which have no
        effect size; ``distinct``, 1 - Pearson's r between the change and the mean of the other
        drugs in its line at its dose: 0 is a drug like all others, 1 one that shares nothing with
        them. NaN where it is alone there or either is constant.
    """
    table = store.conditions
    effect, distinct = np.full(len(table), np.nan), np.full(len(table), np.nan)
    blocks = table.groupby(
        ["cell_line", "dose_um"], dropna=False, sort=False, observed=True
    ).indices
    for rows in blocks.values():
        changes = store.deltas(rows)
        if store.value_kind.has_effect_size:
            effect[rows] = np.linalg.norm(changes, axis=1)
        distinct[rows] = 1 - _r_with_others(changes)
    return pd.DataFrame({"effect": effect, "distinct": distinct}, index=table.index)


def _r_with_others(changes: FloatArray) -> FloatArray:
    """Pearson's r of each row with the sum, and so the mean, of the other rows, (n,)."""
    x = changes - changes.mean(axis=1, keepdims=True)
    total = x.sum(axis=0, dtype=np.float64).astype(x.dtype)
    squares = np.vecdot(x, x).astype(np.float64)
    with_all = (x @ total).astype(np.float64)
    of_others = np.vecdot(total, total) - 2 * with_all + squares
    norms = np.sqrt(squares * of_others.clip(0))
    defined = (squares > 0) & (of_others > CONSTANT * squares)
    r = np.divide(with_all - squares, norms, out=np.full(len(x), np.nan), where=defined)
    return r.clip(-1, 1)
