"""Means of a benchmark run on real data that ship with the app: what good looks like."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lgr_core.config import SHIPPED

RESULTS = SHIPPED / "benchmark_tahoe_rank.csv"
"""Written by ``benchmarks/shipped_table.py`` from a run on the atlas ``tahoe_rank``."""

SOURCE = "lgr benchmark --atlas tahoe_rank --out runs/tahoe"
"""The command that makes such a run."""

METRICS = ("pearson_delta", "pearson_vs_line_mean", "sign_accuracy")

_COLUMNS = ["regime", "method", "metric", "mean", "low", "high", "n_queries", "n_undefined"]


def shipped_table(run: Path) -> pd.DataFrame:
    """The rows of a run's summary that ship: one a regime, method and metric that is defined.

    ``truth``, which is perfect on every metric, is left out.
    """
    summary = pd.read_csv(run / "summary.csv")
    kept = summary[summary["metric"].isin(METRICS) & summary["mean"].notna()]
    kept = kept[kept["method"] != "truth"]
    return kept[_COLUMNS].sort_values(_COLUMNS[:3])


def shipped_results() -> pd.DataFrame:
    """What ships: mean, 95 % limits (NaN where there are none) and n, best Pearson first."""
    table = pd.read_csv(RESULTS)
    table["n"] = table["n_queries"] - table["n_undefined"]
    return table.sort_values("mean", ascending=False, kind="stable")
