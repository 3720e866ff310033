"""The audit asks for specific changes by name, and hears None where there is none."""

import numpy as np
import pytest

from lgr_core.audit.plate_centred import PlateCentredChanges
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas


def test_a_change_by_name_is_that_of_its_row(tmp_path):
    """The third drug of the second line; a drug that was not measured has none."""
    store = plated_atlas(tmp_path / "plated", lines=2, drugs=24)
    changes = PlateCentredChanges(store)
    expected = specific_changes(store).of(np.array([24 + 2]))[0]
    assert changes("L1", "D02", 1.0) == pytest.approx(expected)
    assert changes("L1", "D99", 1.0) is None
    third, fourth = specific_changes(store).of(np.array([24 + 2, 24 + 3]))
    found = changes.similarities("L1", 1.0).rank("D02", "D03")
    assert found.r == pytest.approx(np.corrcoef(third, fourth)[0, 1], abs=1e-6)
    assert found.n == 23


def test_without_enough_others_or_plates_there_is_none(tmp_path):
    """Eight drugs on a plate; and an atlas that names no plate."""
    few = plated_atlas(tmp_path / "few", lines=1, drugs=8, plates=1)
    assert PlateCentredChanges(few)("L0", "D00", 1.0) is None
    assert PlateCentredChanges(build_world(tmp_path / "world"))("L0", "D00", 1.0) is None
