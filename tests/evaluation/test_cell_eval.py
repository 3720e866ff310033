"""Scores in cell-eval's shape: one row a condition, one column a metric."""

import numpy as np
import pandas as pd

from lgr_core.evaluation.cell_eval import write_cell_eval
from lgr_core.metrics import METRICS


def scores(values):
    """Rows of a method named ``mine``: a query for each row of ``values``, drugs in reverse."""
    n = len(METRICS)
    drugs = [f"drug, {i}" for i in reversed(range(len(values)))]
    return pd.DataFrame(
        {
            "regime": "open_world",
            "method": "mine",
            "cell_line": "A549",
            "drug": np.repeat(drugs, n),
            "dose_um": np.nan,
            "metric": np.tile(list(METRICS), len(values)),
            "value": values.ravel(),
        }
    )


def test_a_row_a_condition_sorted_by_name(tmp_path):
    """The very values, those undefined left empty, and no row without any."""
    values = np.arange(3.0 * len(METRICS)).reshape(3, -1) / 7
    values[1] = np.nan
    values[2, 0] = np.nan
    write_cell_eval(tmp_path / "shape", scores(values))
    path = tmp_path / "shape" / "open_world" / "mine_results.csv"
    table = pd.read_csv(path, float_precision="round_trip")
    assert table["perturbation"].tolist() == ["drug, 0", "drug, 2"]
    assert table["celltype"].tolist() == ["A549", "A549"]
    np.testing.assert_array_equal(table[list(METRICS)], values[[2, 0]])
    about = pd.read_csv(tmp_path / "shape" / "open_world" / "mine_agg_results.csv")
    assert about.set_index("statistic").loc["count", next(iter(METRICS))] == 1
