"""Twins by hand: two forms of one compound, alike in their drug, apart in their plate."""

import numpy as np
import pytest

from lgr_core.evaluation.twins import twin_table
from tests.support.plated_atlas import plated_atlas


def test_a_twin_of_another_plate_shares_the_drug_alone(tmp_path):
    """D00 and D01 are one compound on two plates: the plate mean foretells its own well only."""
    parents = ["A", "A", *(f"B{i:02}" for i in range(2, 30))]
    store = plated_atlas(tmp_path / "twins", lines=6, drugs=30, parents=parents)
    (row,) = twin_table(store).to_dict("records")
    assert (row["parent"], row["drugs"]) == ("A", "D00; D01")
    assert row["n_lines"] == 6
    assert not row["same_plates"]
    assert row["measured_own"] == pytest.approx(1)
    assert row["plate_mean_own"] > 0.5
    assert abs(row["plate_mean_other"]) < 0.3
    rows = [store.conditions.index[(store.conditions[["cell_line", "drug"]] == key).all(axis=1)][0]
            for key in (("L0", "D00"), ("L0", "D01"))]  # fmt: skip
    assert np.corrcoef(store.deltas(np.array(rows)))[0, 1] < 0.9


def test_without_twins_the_table_is_empty(tmp_path):
    """Every drug its own parent."""
    assert twin_table(plated_atlas(tmp_path / "none", lines=3, drugs=12)).empty
