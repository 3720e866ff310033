"""Groups of measured doses: chained within 10 %, named by the median, counted."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources import read_deltas
from lgr_core.atlas.sources.dose_column import group_doses
from lgr_core.domain import ValueKind


def test_doses_are_chained_and_named_by_the_median_of_their_rows():
    """9.1 to 10 are one, since 10 / 9.7 and 9.7 / 9.1 are below 1.1; 11.1 is another."""
    found = group_doses(np.array([9.1, 10, 10, 10, 9.7, 11.1, 3, np.nan]))
    np.testing.assert_array_equal(found.um, [10, 10, 10, 10, 10, 11.1, 3, np.nan])
    assert (found.measured, found.groups) == (5, 3)
    assert dict(found.members) == {"10": "9.1;9.7;10"}


def test_of_an_even_number_of_rows_the_lower_median_is_taken():
    """So that a group's name was measured."""
    np.testing.assert_array_equal(group_doses(np.array([0.31, 0.3])).um, [0.3, 0.3])


def test_exactly_ten_percent_is_one_dose():
    """1.1 / 1 is 10 %, in floating point a little more."""
    assert group_doses(np.array([1.0, 1.1])).groups == 1
    assert group_doses(np.array([1.0, 1.11])).groups == 2


@pytest.mark.parametrize(
    "doses", [[0.05, 0.5, 5], [0.04, 0.12, 0.37, 1.11, 3.33, 10], [np.nan], []]
)
def test_nominal_doses_stay_as_they_are(doses):
    """The very array comes back, and nothing is recorded."""
    um = np.array(doses, dtype=float)
    found = group_doses(um)
    assert found.um is um
    assert found.record() == {}


def read(tmp_path, **choices):
    """Talc on two plates at 9.8 and 10 uM, Zinc at 10."""
    frame = pd.DataFrame(
        {
            "cell_line": "A549",
            "drug": ["Talc", "Talc", "Zinc"],
            "dose_um": [9.8, 10, 10],
            "plate": ["p1", "p2", "p2"],
            "TP53": [1.0, 2.0, 4.0],
            "MYC": [-1.0, -3.0, 4.0],
        }
    )
    frame.to_csv(tmp_path / "x.csv", index=False)
    return read_deltas(
        tmp_path / "x.csv", value_kind=ValueKind.LOG2FC, choices=ReadOptions(**choices)
    )


def test_plates_at_measured_doses_become_one_condition(tmp_path):
    """The condition is the average of both plates; the doses as measured stand beside it."""
    table = read(tmp_path)
    assert table.conditions[["drug", "dose_um"]].to_numpy().tolist() == [["Talc", 10], ["Zinc", 10]]
    assert table.conditions["doses_um"].tolist() == ["9.8;10", "10"]
    np.testing.assert_array_equal(table.deltas, [[1.5, -2], [4, 4]])
    np.testing.assert_array_equal(table.plate_deltas, [[1, -1], [2, -3], [4, 4]])
    assert table.provenance["doses_grouped"] == {"measured": 2, "groups": 1}
    assert table.provenance["dose_groups"] == {"10": "9.8;10"}


def test_doses_are_kept_apart_where_that_is_asked_for(tmp_path):
    """Three conditions, and no word of groups."""
    table = read(tmp_path, exact_doses=True)
    assert table.conditions["dose_um"].tolist() == [9.8, 10, 10]
    assert "doses_grouped" not in table.provenance


@pytest.mark.parametrize(("asked", "rows"), [(10, 3), (9.8, 1)])
def test_a_dose_that_is_asked_for_is_a_groups_name_or_a_measured_value(tmp_path, asked, rows):
    """10 means its whole group; 9.8 means what was measured at it."""
    assert len(read(tmp_path, doses=(asked,)).plates) == rows
