"""Scores in the file format of cell-eval."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import Table
from pyarrow.csv import write_csv

CELL_EVAL = "cell_eval"
"""The folder in a run's."""

_NAMED = {"drug": "perturbation", "cell_line": "celltype", "dose_um": "dose_um"}


def write_cell_eval(folder: Path, scores: pd.DataFrame) -> None:
    """One CSV a regime and method: a row a condition, a column a metric.

    Beside each stands the summary that cell-eval calls ``agg_results``. ``scores`` holds a method's
    metrics of a query in a run, in the order of their table.
    """
    names = scores["metric"].unique().tolist()
    shutil.rmtree(folder, ignore_errors=True)
    columns = [*_NAMED, "value"]
    for (regime, method), group in scores.groupby(["regime", "method"], observed=True)[columns]:
        values = group["value"].to_numpy().reshape(-1, len(names))
        table = group[list(_NAMED)].iloc[:: len(names)].rename(columns=_NAMED)
        metrics = pd.DataFrame(values, columns=names, index=table.index)
        table = pd.concat([table, metrics], axis=1)[~np.isnan(values).all(axis=1)]
        table = table.sort_values(list(_NAMED.values()))
        (folder / regime).mkdir(parents=True, exist_ok=True)
        # A tenth of the time that pandas takes.
        arrow = Table.from_pandas(table, preserve_index=False)
        write_csv(arrow, folder / regime / f"{method}_results.csv")
        about = table[names].describe().rename_axis("statistic").reset_index()
        about.to_csv(folder / regime / f"{method}_agg_results.csv", index=False)
