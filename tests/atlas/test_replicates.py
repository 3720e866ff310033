"""Plates, replicates and doses are averaged with the right weights."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from lgr_core.atlas import replicates as averaging
from lgr_core.atlas.replicates import averaging_matrix, mix, plan_averages
from lgr_core.errors import UsageError

NAN = float("nan")


def rows(*values):
    """Rows from (line, drug, dose, plate, cells)."""
    frame = pd.DataFrame(values, columns=["cell_line", "drug", "dose_um", "plate", "n_cells"])
    return frame.assign(weight=frame["n_cells"], n_replicates=1.0, control="plate")


def averaged(frame, deltas, **options):
    """The conditions' and the plates' deltas, and the plan."""
    plan = plan_averages(frame, **{"dose": "per_dose", "min_cells": 10, **options})
    deltas = np.array(deltas, dtype=float).reshape(len(frame), -1)
    return mix(plan.to_conditions, deltas).ravel(), mix(plan.to_plates, deltas).ravel(), plan


def test_plates_are_averaged_by_cells():
    """(1 * 30 + 5 * 10) / 40 = 2."""
    frame = rows(("A", "T", 5.0, "p1", 30.0), ("A", "T", 5.0, "p2", 10.0))
    deltas, on_plates, plan = averaged(frame, [1, 5])
    assert deltas.tolist() == [2.0]
    assert on_plates.tolist() == [1.0, 5.0]
    assert plan.conditions["n_cells"].tolist() == [40]
    assert plan.plates["condition"].tolist() == [0, 0]


def test_replicates_of_one_plate_are_one_plate():
    """Two rows on p1 (mean 2 of 20 cells) and one on p2: (2 * 20 + 6 * 20) / 40 = 4."""
    frame = rows(("A", "T", 5, "p1", 10), ("A", "T", 5, "p1", 10), ("A", "T", 5, "p2", 20))
    deltas, on_plates, plan = averaged(frame, [1, 3, 6])
    assert deltas.tolist() == [4.0]
    assert on_plates.tolist() == [2.0, 6.0]
    assert plan.counts["replicates_averaged"] == plan.counts["plates_averaged"] == 1
    assert plan.conditions["n_replicates"].tolist() == [3]


def test_an_unknown_number_of_cells_makes_equal_weights():
    """(1 + 5) / 2, and the sum is unknown; no flag for what is not counted."""
    deltas, _, plan = averaged(rows(("A", "T", 5, "p1", 30), ("A", "T", 5, "p2", NAN)), [1, 5])
    assert deltas.tolist() == [3.0]
    assert plan.conditions["n_cells"].isna().all()
    assert plan.conditions["underpowered"].tolist() == [False]


def test_few_cells_are_flagged():
    """Nine cells are under the default of ten, two plates of five are not."""
    frame = rows(("A", "S", 5, "p", 9), ("A", "T", 5, "p", 5), ("A", "T", 5, "q", 5))
    assert averaged(frame, [0, 0, 0])[2].conditions["underpowered"].tolist() == [True, False]


def test_conditions_are_sorted_by_line_dose_and_drug():
    """The order of the store."""
    frame = rows(
        ("B", "S", 1, "", 1), ("A", "T", 1, "", 1), ("A", "S", 5, "", 1), ("A", "S", 1, "", 1)
    )
    deltas, _, plan = averaged(frame, [0, 1, 2, 3])
    assert deltas.tolist() == [3, 1, 2, 0]
    assert plan.conditions["doses_um"].tolist() == ["1", "1", "5", "1"]


DOSES = rows(
    ("A", "S", 0.5, "p1", 90.0),
    ("A", "S", 5.0, "p1", 5.0),
    ("A", "S", 5.0, "p2", 5.0),
    ("B", "S", 0.5, "p1", 50.0),
)


def test_pooled_doses_are_weighted_by_cells():
    """(1 * 90 + 2 * 5 + 4 * 5) / 100 = 1.2; of plate p1 (1 * 90 + 2 * 5) / 95 = 100 / 95."""
    deltas, on_plates, plan = averaged(DOSES, [1, 2, 4, 7], dose="pool")
    np.testing.assert_allclose(deltas, [1.2, 7.0], rtol=1e-6)
    assert plan.conditions["dose_um"].isna().all()
    assert plan.conditions["doses_um"].tolist() == ["0.5;5", "0.5"]
    assert plan.conditions["n_cells"].tolist() == [100, 50]
    assert (plan.counts["doses_averaged"], plan.counts["doses_averaged_equally"]) == (1, 0)
    assert plan.plates[["condition", "plate"]].to_numpy().tolist() == [
        [0, "p1"],
        [0, "p2"],
        [1, "p1"],
    ]
    np.testing.assert_allclose(on_plates, [100 / 95, 4.0, 7.0], rtol=1e-6)


def test_doses_of_uncounted_cells_weigh_the_same():
    """One dose's cells are not known, so (1 + 3) / 2 = 2, and that is counted; B has one dose."""
    frame = rows(("A", "S", 0.5, "", 90.0), ("A", "S", 5.0, "", NAN), ("B", "S", 0.5, "", NAN))
    deltas, _, plan = averaged(frame, [1, 3, 7], dose="pool")
    assert deltas.tolist() == [2.0, 7.0]
    assert plan.counts["doses_averaged_equally"] == 1


def test_the_highest_dose_is_each_lines_own():
    """5 uM in A, 0.5 in B, where no higher dose was measured: named, the rest counted."""
    deltas, _, plan = averaged(DOSES, [1, 2, 4, 7], dose="max")
    assert deltas.tolist() == [3.0, 7.0]
    assert plan.conditions["doses_um"].tolist() == ["5", "0.5"]
    assert plan.conditions["dose_um"].isna().all()
    assert plan.counts["rows_of_lower_doses_left_out"] == 1


@pytest.mark.parametrize("dose", ["per_dose", "pool", "max"])
def test_no_dose_at_all(dose):
    """Without doses every policy averages the replicates."""
    frame = rows(("A", "T", NAN, "p", 1), ("A", "T", NAN, "q", 1))
    deltas, _, plan = averaged(frame, [1, 3], dose=dose)
    assert deltas.tolist() == [2.0]
    assert plan.conditions["doses_um"].tolist() == [""]
    assert plan.plates["condition"].tolist() == [0, 0]


def test_an_unknown_policy_is_refused():
    """The policies are listed."""
    with pytest.raises(UsageError, match=r"'mean' is unknown.*per_dose, pool, max"):
        averaged(DOSES, [1, 2, 4, 7], dose="mean")


def test_averaging_matrix():
    """Weighted, equal where a weight is unknown or all are zero; -1 is in no group."""
    codes = np.array([0, 0, 1, 1, 2, 2, -1])
    weight = np.array([1.0, 3.0, NAN, 9.0, 0.0, 0.0, 1.0])
    matrix = averaging_matrix(codes, weight, 3).toarray()
    np.testing.assert_array_equal(
        matrix,
        [[0.25, 0.75, 0, 0, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 0.5, 0.5, 0]],
    )


@pytest.mark.parametrize("at_once", [1, 15, 10**6])
def test_mix_in_slices_of_genes(monkeypatch, at_once):
    """More genes than one slice: nothing is lost at the seams."""
    monkeypatch.setattr(averaging, "AT_ONCE", at_once)
    profiles = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    weights = np.array([[0.5, 0.5, 0.0], [0.0, -1.0, 1.0]])
    expected = (weights @ profiles.astype(float)).astype(np.float32)
    np.testing.assert_array_equal(mix(sparse.csr_array(weights), profiles), expected)
