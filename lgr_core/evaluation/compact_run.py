"""A compact copy of a run folder, which ships: it is opened by the reader of all runs."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.domain import Change
from lgr_core.evaluation.calibration_store import CALIBRATION
from lgr_core.evaluation.config import write_config
from lgr_core.evaluation.labels import panel_metrics
from lgr_core.evaluation.run_store import NAMES, OPTIONAL, RETRIEVAL, TABLES, Run
from lgr_core.files import atomic_write

SCORE_PLACES = 4
"""Places after the point of a score of one condition."""

_TABLE_FORMAT = "%.6g"
_PERFECT = "truth"


def write_compact(run: Run, folder: Path, *, title: str, metrics: Collection[str]) -> None:
    """Write a compact copy of a run; a folder of that name is replaced.

    Scores of single conditions are kept on ``metrics`` alone, as float32 of four places with names
    as categories, paired differences on the six metrics of the panels, both without ``truth``,
    which is perfect. All other tables are whole, in six digits. ``title`` names the data to
    readers.
    """
    change = Change(run.config.get("change", Change.TOTAL))
    with atomic_write(folder) as place:
        place.mkdir(parents=True)
        _compact(run.scores, metrics).to_parquet(
            place / "scores.parquet", index=False, compression="zstd", compression_level=19
        )
        for name in (*TABLES, *OPTIONAL):
            table = getattr(run, name)
            if name == "pairs":
                perfect = (table["a"] == _PERFECT) | (table["b"] == _PERFECT)
                table = table[table["metric"].isin(panel_metrics(change)) & ~perfect]
            if not table.empty:
                path = place / f"{name}.csv"
                table.to_csv(path, index=False, float_format=_TABLE_FORMAT)
        for name in (RETRIEVAL, CALIBRATION):
            if (run.folder / name).exists():
                shutil.copyfile(run.folder / name, place / name)
        write_config(place, {**run.config, "title": title})


def _compact(scores: pd.DataFrame, metrics: Collection[str]) -> pd.DataFrame:
    """The scores on some metrics without ``truth``, in the smallest types that hold them."""
    kept = scores["metric"].isin(metrics) & (scores["method"] != _PERFECT)
    rows = scores.loc[kept].sort_values(["regime", "metric", "method"], kind="stable")
    columns = {}
    for name, column in rows.items():
        if name in NAMES:
            columns[name] = column.astype("category").cat.remove_unused_categories()
        elif pd.api.types.is_float_dtype(column):
            columns[name] = column.round(SCORE_PLACES).astype(np.float32)
        else:
            columns[name] = column
    return pd.DataFrame(columns).reset_index(drop=True)
