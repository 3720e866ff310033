"""Pools hold who may be retrieved; views refuse every forbidden read."""

import numpy as np
import pytest
from toy import DRUGS, LINES

from lgr_core.domain import Condition, Evidence
from lgr_core.errors import LeakageError, NotFoundError
from lgr_core.retrieval.pool import View, candidate_pool, held_out

TOFA = Condition("A549", "Tofacitinib", 5.0)


def row(store, line, drug, dose=5.0):
    """The row number of a condition, in an array."""
    return np.array([store.row(Condition(line, drug, dose))])


def test_the_pool_is_the_line_at_the_dose_without_query_and_twins(toy):
    """Twins are listed, not silently dropped."""
    pool = candidate_pool(toy, TOFA)
    assert pool.drugs == tuple(sorted(set(DRUGS) - {"Tofacitinib", "Tofacitinib (citrate)"}))
    assert pool.twins == ("Tofacitinib (citrate)",)


def test_the_pool_is_drawn_at_the_querys_dose(toy):
    """At 0.5 uM only one other drug stands in A549."""
    assert candidate_pool(toy, Condition("A549", "Trametinib", 0.5)).drugs == ("Vorinostat",)


def test_twins_can_be_kept_as_in_the_paper(toy):
    """Then the citrate may be retrieved for the base."""
    assert "Tofacitinib (citrate)" in candidate_pool(toy, TOFA, keep_twins=True).drugs


def test_a_pool_needs_a_measured_dose(toy):
    """An unmeasured dose is said, with the measured ones."""
    with pytest.raises(NotFoundError, match="measured there"):
        candidate_pool(toy, Condition("LoVo", "Trametinib", 0.5))


def test_the_held_out_unit_spans_doses_and_twins(toy):
    """Every row of the line and parent, and no other."""
    rows = np.flatnonzero(held_out(toy, TOFA))
    assert {toy.condition(r).drug for r in rows} == {"Tofacitinib", "Tofacitinib (citrate)"}
    rows = np.flatnonzero(held_out(toy, Condition("A549", "Trametinib", 5.0)))
    assert {toy.condition(r).dose_um for r in rows} == {0.5, 5.0}


EVERYTHING_BUT_TRUTH = [Evidence.TRAIN, Evidence.TARGET_POOL, Evidence.CONTROLS]


@pytest.mark.parametrize(
    ("drug", "dose"),
    [("Trametinib", 5.0), ("Trametinib", 0.5)],
    ids=["itself", "itself at another dose"],
)
def test_no_view_reads_the_querys_own_unit(toy, drug, dose):
    """With all evidence but the truth, the query's own rows stay closed, at any dose."""
    view = View(toy, Condition("A549", "Trametinib", 5.0), EVERYTHING_BUT_TRUTH)
    with pytest.raises(LeakageError, match="Trametinib in A549"):
        view.deltas(row(toy, "A549", drug, dose))


def test_no_view_reads_the_querys_twin(toy):
    """The citrate would be the answer by another name."""
    with pytest.raises(LeakageError, match="citrate"):
        View(toy, TOFA, EVERYTHING_BUT_TRUTH).deltas(row(toy, "A549", "Tofacitinib (citrate)"))


def test_one_forbidden_row_among_many_is_found(toy):
    """A whole-atlas read fails for the query's rows alone."""
    everything = np.arange(len(toy.conditions))
    with pytest.raises(LeakageError, match=r"2 row\(s\)"):
        View(toy, TOFA, EVERYTHING_BUT_TRUTH).deltas(everything)
    allowed = everything[~held_out(toy, TOFA)]
    assert len(View(toy, TOFA, [Evidence.TRAIN]).deltas(allowed)) == len(allowed)


def test_the_target_pool_alone_stays_in_its_line(toy):
    """Other lines are training data, which this method did not declare."""
    view = View(toy, TOFA, [Evidence.TARGET_POOL])
    assert view.deltas(row(toy, "A549", "Vorinostat")).shape == (1, 6)
    with pytest.raises(LeakageError, match="LoVo"):
        view.deltas(row(toy, "LoVo", "Vorinostat"))


def test_nothing_declared_reads_nothing(toy):
    """No evidence, no delta."""
    with pytest.raises(LeakageError, match="nothing"):
        View(toy, TOFA, []).deltas(row(toy, "A549", "Vorinostat"))


def test_the_truth_is_the_querys_own_row_only(toy):
    """TRUTH opens the query, not its twin."""
    view = View(toy, TOFA, [Evidence.TRUTH])
    assert view.deltas(row(toy, "A549", "Tofacitinib")).shape == (1, 6)
    with pytest.raises(LeakageError, match="citrate"):
        view.deltas(row(toy, "A549", "Tofacitinib (citrate)"))


def test_vehicle_profiles_need_controls(toy):
    """Declared they are read, for any line; undeclared they are not; unknown they are None."""
    view = View(toy, TOFA, [Evidence.CONTROLS])
    np.testing.assert_array_equal(view.control_profile("A549"), [1, 2, 3, 4, 5, 6, 0, 7])
    np.testing.assert_array_equal(view.control_profile("LoVo"), 16 + toy.control_profiles[0])
    assert view.control_profile("no such line") is None
    with pytest.raises(LeakageError, match="vehicle profiles"):
        View(toy, TOFA, [Evidence.TRAIN]).control_profile(LINES[1])
