"""Each treated group finds its vehicle."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.control_matching import plan_contrasts
from lgr_core.errors import InputError, UsageError

LABELS = ("DMSO", "Media")


def groups(*rows):
    """Groups from (line, drug, plate, n)."""
    frame = pd.DataFrame(rows, columns=["cell_line", "drug", "plate", "n"])
    return frame.assign(dose_um=1.0, is_control=frame["drug"].isin(LABELS))


def compared(frame, **options):
    """For each treated group its label's groups: {(line, drug, plate): vehicle's group numbers}."""
    plan = plan_contrasts(frame, LABELS, **options)
    pools = plan.pools.toarray()
    found = {}
    for i, row in plan.treated.iterrows():
        difference = plan.deltas.toarray()[i]
        assert difference[i] == 1
        vehicle = int(np.flatnonzero(difference == -1)[0])
        key = (row["cell_line"], row["drug"], row["plate"])
        found[key] = (np.flatnonzero(pools[vehicle]).tolist(), row["control"])
    return found, plan


PLATES = groups(
    ("A", "DMSO", "p1", 10),  # 0
    ("A", "DMSO", "p2", 20),  # 1
    ("A", "T", "p1", 5),  # 2
    ("A", "T", "p2", 5),  # 3
    ("A", "T", "p3", 5),  # 4
    ("B", "Media", "p1", 7),  # 5
    ("B", "T", "p1", 5),  # 6
    ("C", "T", "p1", 5),  # 7
)


def test_plates_are_matched_with_the_line_as_fallback():
    """p3 has no vehicle of line A: both others stand in, counted; line C has none at all."""
    found, plan = compared(PLATES)
    assert found == {
        ("A", "T", "p1"): ([0], "plate"),
        ("A", "T", "p2"): ([1], "plate"),
        ("A", "T", "p3"): ([0, 1], "cell_line"),
        ("B", "T", "p1"): ([5], "plate"),
    }
    assert plan.counts == {
        "controls": {"DMSO": 30, "Media": 7},
        "controls_unused": 0,
        "groups_without_control": 1,
        "groups_against_line_vehicle": 1,
    }


def test_line_scope_pools_the_plates():
    """Every plate is compared with all vehicles of the line; the profiles stay per plate."""
    found, plan = compared(PLATES, scope="cell_line")
    assert found["A", "T", "p1"] == ([0, 1], "cell_line")
    assert plan.vehicles[["cell_line", "plate", "n"]].to_numpy().tolist() == [
        ["A", "p1", 10],
        ["A", "p2", 20],
        ["B", "p1", 7],
    ]


def test_the_first_label_present_is_used():
    """Per line and plate; a plate with only the second label has that one."""
    frame = groups(
        ("A", "Media", "p1", 14),  # 0
        ("A", "DMSO", "p1", 1),  # 1
        ("A", "Media", "p2", 9),  # 2
        ("A", "T", "p1", 5),
        ("A", "T", "p2", 5),
        ("A", "T", "p3", 5),
    )
    found, plan = compared(frame)
    assert [vehicle for vehicle, _ in found.values()] == [[1], [2], [1]]
    assert plan.vehicles["label"].tolist() == ["DMSO", "Media"]
    assert plan.counts["controls_unused"] == 14


def test_labels_are_pooled_on_request():
    """Then every control cell is used, and the label says so."""
    frame = groups(("A", "Media", "p1", 14), ("A", "DMSO", "p1", 1), ("A", "T", "p1", 5))
    found, plan = compared(frame, pool_controls=True)
    assert found["A", "T", "p1"] == ([0, 1], "plate")
    assert plan.vehicles["label"].tolist() == ["DMSO + Media"]
    assert plan.counts["controls_unused"] == 0


def test_no_plates_known():
    """Without a plate column the line's vehicle is compared with, and that is said."""
    found, plan = compared(groups(("A", "DMSO", "", 10), ("A", "T", "", 5)))
    assert found == {("A", "T", ""): ([0], "cell_line")}
    assert plan.vehicles["plate"].tolist() == [""]


def test_groups_without_cells_do_not_exist():
    """A vehicle whose cells were all empty is none."""
    frame = groups(("A", "DMSO", "p1", 0), ("A", "DMSO", "p2", 3), ("A", "T", "p1", 5))
    assert compared(frame)[0] == {("A", "T", "p1"): ([1], "cell_line")}


@pytest.mark.parametrize(
    "frame",
    [groups(("A", "T", "p1", 5)), groups(("A", "DMSO", "p1", 5), ("B", "T", "p1", 5))],
)
def test_no_vehicle_in_any_treated_line_is_refused(frame):
    """No control at all, or none where it is needed."""
    with pytest.raises(InputError, match=r"none in common.*--control"):
        plan_contrasts(frame, LABELS)


def test_an_unknown_scope_is_refused():
    """The scopes are listed."""
    with pytest.raises(UsageError, match=r"'line' is unknown.*plate, cell_line"):
        plan_contrasts(PLATES, LABELS, scope="line")


def test_vehicles_that_nobody_is_compared_with_are_unused():
    """The line's vehicle is DMSO; Media stands alone on a plate, and is not in it."""
    frame = groups(("A", "DMSO", "p1", 10), ("A", "Media", "p2", 4), ("A", "T", "p2", 5))
    assert compared(frame, scope="plate")[1].counts["controls_unused"] == 10
    assert compared(frame, scope="cell_line")[1].counts["controls_unused"] == 4
