"""Trust in a line of one's own: learned on lines held out, by hand and on a planted world."""

import numpy as np
import pytest

from lgr_core.answer.new_line import predict_new_line, with_line_trust
from lgr_core.answer.new_line_trust import HeldOutLines, hold_lines_out, trust_in_line
from lgr_core.domain import Change
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.profile_distance import ProfileDistance, nearest_distances
from lgr_core.prediction.profile_ridge import LineBasis, NewLine, ProfileRidge
from lgr_core.prediction.trust import TrustLevel
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.factor_atlas import build_world

SCORES = np.array([0.5, 0.6, 0.7, 0.5, 0.6, 0.7, 0.5, 0.6, 0.7])


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Twelve lines whose effects follow two factors of their expression."""
    folder = tmp_path_factory.mktemp("home") / "atlases" / "world"
    return build_world(folder, lines=12, drugs=8, vehicles=True)


def held_out(scores, distances=None):
    """One drug, "d", in lines of these scores."""
    n = len(scores)
    far = np.full(n, np.nan) if distances is None else np.asarray(distances)
    return HeldOutLines(tuple(f"L{i}" for i in range(n)), ("d",), scores[:, None], far)


def at(distance, limit=9.0):
    """A line at that distance from its nearest."""
    return ProfileDistance(("L0",), np.array([distance]), np.array([0.9]), limit, 10)


def trust(table, distance=None, change=Change.SPECIFIC, wells="no"):
    """The trust in drug d."""
    return trust_in_line(table, "d", distance, change=change, shared_wells=wells)


def test_the_interval_is_that_of_one_more_line():
    """Mean 0.6, deviation sqrt(0.06 / 8); with t(8) = 1.8595 and the factor sqrt(1 + 1/9)."""
    found = trust(held_out(SCORES))
    half = 1.8595 * np.sqrt(0.06 / 8) * np.sqrt(10 / 9)
    assert (found.expected, found.low) == pytest.approx((0.6, 0.6 - half), abs=1e-4)
    assert found.light is TrustLevel.GREEN
    assert found.n_lines == 9


def test_a_farther_line_is_expected_to_be_predicted_less_well():
    """Both drugs lose 0.1 a unit of distance: 0.4 is left at 6, without any error."""
    far = np.arange(1.0, 10.0)
    falling = 1.0 - 0.1 * far
    table = HeldOutLines(
        tuple("abcdefghi"), ("d", "e"), np.column_stack([falling, falling - 0.05]), far
    )
    found = trust(table, at(6.0))
    assert found.expected == pytest.approx(0.4)
    assert found.low == pytest.approx(0.4)


def test_where_it_is_not_known_it_says_so():
    """Too far, too few lines, shared wells, the total change, limits below zero."""
    far = trust(held_out(SCORES), at(10.0))
    few = trust(held_out(SCORES[:7]))
    assert np.isnan([far.expected, few.expected]).all()
    noisy = trust(held_out(np.array([-0.5, 0.6, 0.7] * 3)))
    assert noisy.low < 0
    shared = trust(held_out(SCORES), wells="yes")
    total = trust(held_out(SCORES), change=Change.TOTAL)
    assert shared.expected == pytest.approx(0.6)
    assert {one.light for one in (far, few, noisy, shared, total)} == {TrustLevel.GREY}
    assert far.to_dict()["expected_pearson"] is None
    assert trust(held_out(SCORES - 0.35)).light is TrustLevel.YELLOW


def test_lines_are_held_out_as_a_line_without_measurements_is(world):
    """The score of a drug in a line is that of the answer for a new line of the same profile."""
    found = hold_lines_out(EvidenceReader(world), 1.0, LineBasis.GENES)
    assert found.r.shape == (12, 8)
    block = EvidenceReader(world).block("L3", 1.0, ["D02"])
    predicted = ProfileRidge().predict(block).delta
    measured = world.deltas(world.rows("L3", ["D02"], 1.0))
    expected = pearson_delta(predicted, measured)[0]
    assert found.r[found.lines.index("L3"), found.drugs.index("D02")] == pytest.approx(expected)
    theirs = world.line_profiles.expression
    np.testing.assert_allclose(found.distances, nearest_distances(theirs))


def test_the_measured_changes_of_a_line_held_out_do_not_count(world):
    """Closed altogether, they leave the prediction of the line as it was."""
    block = EvidenceReader(world).block("L3", 1.0, ["D02"])
    before = ProfileRidge().predict(block).delta
    rows = np.flatnonzero(world.conditions["cell_line"] == "L3")
    closed = EvidenceReader(world, hidden=np.isin(np.arange(len(world.conditions)), rows))
    after = ProfileRidge().predict(closed.block("L3", 1.0, ["D02"])).delta
    np.testing.assert_allclose(before, after, rtol=1e-5, atol=1e-6)


def test_an_answer_takes_its_trust(world):
    """Of an atlas without plates, of the total change: expected, and not known for new wells."""
    line = NewLine("mine", world.line_profiles.of("L3").astype(float) * 1.01)
    answer = with_line_trust(world, predict_new_line(world, line=line, drug="D02", k=3))
    assert answer.trust.n_lines == 12
    assert answer.trust.light is TrustLevel.GREY
    assert answer.to_dict()["trust"]["expected_pearson"] == pytest.approx(answer.trust.expected)
