"""Two halves of each condition's cells: how much the sampling of cells blurs a measured change.

Both halves come from one well, so that their agreement is a ceiling for what that well can show,
and no repeat of the experiment.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, FloatArray, IntArray
from lgr_core.errors import UsageError
from lgr_core.metrics import pearson_of_defined
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.query_block import EvidenceReader

_KEYS = ["cell_line", "drug", "dose_um"]


def half_table(first: AtlasStore, second: AtlasStore) -> pd.DataFrame:
    """One row a condition that both atlases hold: Pearson r over the panels' shared genes.

    Columns ``cell_line``, ``drug``, ``dose_um``, ``total`` and ``specific``; the specific change is
    NaN where either half does not define it.

    Raises
    ------
    UsageError
        If they share no condition, or too few genes.
    """
    stores = first, second
    genes = [pd.Index(store.gene_names[: store.n_panel]) for store in stores]
    shared = genes[0].intersection(genes[1], sort=False)
    numbered = [
        store.conditions[_KEYS].assign(row=np.arange(len(store.conditions))) for store in stores
    ]
    pairs = numbered[0].merge(numbered[1], on=_KEYS, suffixes=("_a", "_b"))
    if pairs.empty or len(shared) < 3:  # noqa: PLR2004 - of two points r is 1 or -1
        found = f"they share {len(pairs):,} conditions and {len(shared):,} genes"
        do = "Give both halves of the same plates: lgr fetch tahoe --halves --ingest NAME."
        raise UsageError(f"halves {first.name} and {second.name}", found, do)
    rows = [pairs[f"row_{half}"].to_numpy(np.intp) for half in "ab"]
    places = [index.get_indexer(shared) for index in genes]
    labels = [ConditionIndex(store) for store in stores]
    found = pairs[_KEYS].copy()
    for change in Change:
        halves = [
            _changes(store, change, index, at)[:, place]
            for store, index, at, place in zip(stores, labels, rows, places, strict=True)
        ]
        found[str(change)] = pearson_of_defined(*halves)
    return found


def _changes(
    store: AtlasStore, change: Change, labels: ConditionIndex, rows: IntArray
) -> FloatArray:
    """Changes of rows (n_rows, n_panel); NaN where they are not defined."""
    if change is Change.SPECIFIC and labels.plate_index.is_empty:
        return np.full((len(rows), store.n_panel), np.nan, dtype=np.float32)
    return EvidenceReader(store, change=change, labels=labels).truths(rows)
