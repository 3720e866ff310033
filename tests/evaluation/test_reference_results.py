"""The means that ship: in their ranges, of known methods, and a run's own."""

import pandas as pd

from lgr_core.evaluation.reference_results import METRICS, shipped_results, shipped_table
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY


def test_what_ships_is_whole():
    """All regimes and metrics; limits about each mean."""
    table = shipped_results()
    assert set(table["regime"]) == set(map(str, Regime))
    assert set(table["metric"]) == set(METRICS)
    assert set(table["method"]) <= set(REGISTRY) - {"truth"}
    known = table.dropna(subset=["low"])
    assert ((known["low"] <= known["mean"]) & (known["mean"] <= known["high"])).all()
    assert (table["n"] > 0).all()


def test_a_table_is_the_summary_of_its_run(tmp_path):
    """Metrics that ship, defined means, the truth left out."""
    rows = [
        ("open_world", "pool_mean", "pearson_delta", 0.5),
        ("open_world", "pool_mean", "pearson_vs_line_mean", None),
        ("open_world", "pool_mean", "cosine", 0.4),
        ("open_world", "truth", "pearson_delta", 1.0),
    ]
    summary = pd.DataFrame(rows, columns=["regime", "method", "metric", "mean"])
    summary.assign(low=0.4, high=0.6, n_queries=3, n_undefined=1).to_csv(
        tmp_path / "summary.csv", index=False
    )
    table = shipped_table(tmp_path)
    assert table[["method", "metric", "mean"]].to_numpy().tolist() == [
        ["pool_mean", "pearson_delta", 0.5]
    ]
