"""What is measured is counted right: grids, cells, plates."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas import coverage
from lgr_core.atlas.coverage import (
    cells_histogram,
    drug_spread,
    grid,
    plate_table,
    thresholds,
    under,
)

ROWS = [
    # line, drug, dose, cells
    ("A", "x", 1.0, 10),
    ("A", "x", 5.0, 20),
    ("A", "y", 1.0, 30),
    ("B", "x", 1.0, 5),
    ("B", "z", 5.0, 200),
    ("A", "z", 1.0, 40),
]


@pytest.fixture
def conditions():
    """Two lines, three drugs, two doses; half of it measured."""
    return pd.DataFrame(ROWS, columns=["cell_line", "drug", "dose_um", "n_cells"])


def test_every_dose_counts_doses(conditions):
    """The best covered line and drug come first; what is not measured is not 0."""
    found = grid(conditions, None, every_dose=True)
    assert (found.lines, found.drugs, found.counts) == (("A", "B"), ("x", "z", "y"), "doses")
    np.testing.assert_array_equal(found.values, [[2, 1, 1], [1, 1, np.nan]])
    assert (found.measured, found.possible, found.drugs_left_out) == (6, 12, 0)


def test_one_dose_counts_cells_where_all_are_known(conditions):
    """Else it says only what is measured; a line without anything stays in the grid."""
    found = grid(conditions, 1.0, every_dose=False)
    assert (found.drugs, found.counts) == (("x", "y", "z"), "cells")
    np.testing.assert_array_equal(found.values, [[10, 30, 40], [5, np.nan, np.nan]])
    assert (found.measured, found.possible) == (4, 6)
    conditions.loc[0, "n_cells"] = np.nan
    found = grid(conditions, 1.0, every_dose=False)
    assert found.counts == "conditions"
    np.testing.assert_array_equal(found.values, [[1, 1, 1], [1, np.nan, np.nan]])


def test_pooled_doses_are_a_dose(conditions):
    """None is the row without a dose."""
    pooled = conditions.iloc[[0, 2]].assign(dose_um=np.nan)
    found = grid(pooled, None, every_dose=False)
    np.testing.assert_array_equal(found.values, [[10, 30]])
    assert grid(pooled, None, every_dose=True).possible == 2


def test_of_too_many_drugs_those_with_gaps_are_shown(conditions, monkeypatch):
    """The rest is counted."""
    monkeypatch.setattr(coverage, "MOST_DRUGS", 2)
    found = grid(conditions, None, every_dose=True)
    assert (found.drugs, found.drugs_left_out) == (("z", "y"), 1)
    assert found.possible == 12


def test_conditions_under_a_number_of_cells(conditions):
    """Strictly fewer; unknown cells count nowhere."""
    conditions.loc[2, "n_cells"] = np.nan
    found = under(conditions, 20)
    assert found.to_dict("records") == [
        {"cell_line": "B", "known": 2, "under": 1, "share": 0.5},
        {"cell_line": "A", "known": 3, "under": 1, "share": 1 / 3},
    ]


def test_thresholds_reach_beyond_the_middle():
    """1, 2, 5 in each decade, up to the first above the median."""
    assert thresholds(pd.Series([3.0, 40.0, 90.0])) == (1, 2, 5, 10, 20, 50)
    assert thresholds(pd.Series([50.0])) == (1, 2, 5, 10, 20, 50, 100)
    assert thresholds(pd.Series([np.nan])) == ()


@pytest.mark.parametrize("cells", [[7, 7, 7], [20, 21, 22, 46], [1, 47, 900, 15_663], [0.5, 3]])
@pytest.mark.parametrize("least", [1, 7, 22, 1_000])
def test_every_condition_is_in_one_bin_and_no_bin_is_on_both_sides(cells, least):
    """All are counted; those under the number are those of the bins before it."""
    edges, conditions = cells_histogram(pd.Series([*cells, np.nan]), least)
    assert (np.diff(edges) > 0).all()
    assert conditions.sum() >= sum(n >= 1 for n in cells)
    below = conditions[edges[1:] <= least].sum()
    if edges[0] < least < edges[-1]:
        assert least in edges
        assert below == sum(1 <= n < least for n in cells)


def test_plates_are_listed_in_their_own_order(lab_store):
    """Ten after two; shares of the main dose."""
    table = plate_table(lab_store)
    assert table["plate"].tolist() == ["plate2", "plate10"]
    first = table.iloc[0]
    assert (first["conditions"], first["cell_lines"], first["drugs"]) == (3, 2, 2)
    assert (first["doses"], first["main_dose"]) == ("1, 5", 1.0)
    assert first["at_main_dose"] == pytest.approx(2 / 3)
    assert first["own_vehicle"] == pytest.approx(2 / 3)
    assert np.isnan(table.iloc[1]["own_vehicle"])


def test_drugs_of_one_plate_are_counted(lab_store):
    """Talc stands on two, Zinc on one; one condition is repeated."""
    expected = {"drugs": 2, "on_one_plate": 1, "conditions": 3, "repeated": 1}
    assert drug_spread(lab_store) == expected


@pytest.fixture
def lab_store():
    """What of a store is read: conditions and their plates."""

    class Store:
        conditions = pd.DataFrame(
            [("A", "Talc", 1.0), ("B", "Zinc", 5.0), ("A", "Zinc", 1.0)],
            columns=["cell_line", "drug", "dose_um"],
        )
        plates = pd.DataFrame(
            [
                (0, "plate10", "publisher"),
                (0, "plate2", "plate"),
                (1, "plate2", "cell_line"),
                (2, "plate2", "plate"),
            ],
            columns=["condition", "plate", "control"],
        )
        named_plates = plates

    return Store()
