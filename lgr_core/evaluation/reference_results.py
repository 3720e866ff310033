"""Mean scores on real data that ship with the app, as a reference."""

from __future__ import annotations

import pandas as pd

from lgr_core.evaluation.run_catalog import REFERENCE, SHIPPED_RUNS
from lgr_core.evaluation.run_store import load_run

SOURCE = "lgr benchmark --atlas tahoe_rank --out runs/tahoe"
"""The command that makes such a run."""

METRICS = ("pearson_delta", "pearson_vs_line_mean", "sign_accuracy")

_PERFECT = "truth"


def shipped_results() -> pd.DataFrame:
    """Means of the shipped run with 95 % limits (NaN where there are none) and n, best r first.

    One row a regime, method and metric that is defined; ``truth``, which is perfect on every
    metric, is left out.
    """
    summary = load_run(SHIPPED_RUNS / REFERENCE).summary
    kept = summary["metric"].isin(METRICS) & summary["mean"].notna()
    table = summary[kept & (summary["method"] != _PERFECT)]
    table = table.assign(n=table["n_queries"] - table["n_undefined"])
    return table.sort_values("mean", ascending=False, kind="stable")
