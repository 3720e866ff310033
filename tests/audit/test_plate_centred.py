"""The specific change from plates, against numbers worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lgr_core.audit.plate_centred import PlateCentredChanges

N = 12
"""Drugs on the large plate; the last two are one compound."""


def store(plates):
    """Drug d changes gene g by d + g in the one line."""
    drugs = [f"d{i}" for i in range(N)]
    deltas = np.arange(N)[:, None] + np.array([0.0, 100.0])[None]
    conditions = pd.DataFrame({"cell_line": "A", "dose_um": 5.0, "drug": drugs})
    return SimpleNamespace(
        conditions=conditions,
        plates=pd.DataFrame(plates, columns=["condition", "plate"]),
        parent_of_row=np.array([*drugs[:-1], drugs[-2]], dtype=object),
        row=lambda condition: drugs.index(condition.drug) if condition.drug in drugs else None,
        deltas=lambda rows: deltas[rows],
    )


def test_the_mean_of_the_plates_other_parents_is_taken_out():
    """Of d0: the others are d1 to d10, d11 being d10 again; their mean is 5.5."""
    change = PlateCentredChanges(store([(i, "p1") for i in range(N)]))
    assert change("A", "d0", 5.0) == pytest.approx([0 - 5.5, 100 - 105.5])
    assert change("A", "elsewhere", 5.0) is None


def test_a_compounds_own_other_form_is_left_out():
    """Of d10: the others are d0 to d9, whose mean is 4.5."""
    change = PlateCentredChanges(store([(i, "p1") for i in range(N)]))
    assert change("A", "d10", 5.0) == pytest.approx([10 - 4.5, 110 - 104.5])


def test_plates_are_averaged_and_small_ones_left_out():
    """A plate of three drugs cannot be taken out, nor one without a name."""
    large = [(i, "p1") for i in range(N)]
    small = [(i, "p2") for i in range(3)]
    assert PlateCentredChanges(store(small))("A", "d0", 5.0) is None
    both = PlateCentredChanges(store(large + small))("A", "d0", 5.0)
    assert both == pytest.approx([-5.5, -5.5])
    assert PlateCentredChanges(store([(i, "") for i in range(N)]))("A", "d0", 5.0) is None
