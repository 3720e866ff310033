"""Which change is shown first, and what a repeat of an experiment reaches."""

import numpy as np
import pytest

from lgr_core.answer import predict
from lgr_core.answer.baselines import compare, strips_of, verdict
from lgr_core.answer.default_change import default_change
from lgr_core.answer.repeat import repeat_correlation
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Change, Condition
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas

SEPARABLE, NOT = Condition("L0", "D02", 1.0), Condition("L0", "D01", 1.0)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Eleven drugs a plate; D00 and D02 are forms of one compound."""
    parents = ["P", *[f"D{b:02}" for b in range(1, 22)]]
    parents[2] = "P"
    return plated_atlas(tmp_path_factory.mktemp("plates") / "p", lines=3, drugs=22, parents=parents)


def reader(store, change=Change.SPECIFIC):
    """A reader of that change."""
    return EvidenceReader(store, change=change)


@pytest.fixture(scope="module")
def uneven(tmp_path_factory):
    """Twelve compounds on the first plate, ten on the second: nine others are too few."""
    parents = [f"D{b:02}" for b in range(24)]
    parents[21] = parents[23] = "D19"
    folder = tmp_path_factory.mktemp("plates") / "uneven"
    return plated_atlas(folder, lines=3, drugs=24, parents=parents)


def test_the_specific_change_comes_first_where_ten_others_share_the_plate(uneven):
    """With nine the total one, and why; a drug that was not measured there has no plate."""
    assert default_change(uneven, SEPARABLE) == (Change.SPECIFIC, None)
    change, why = default_change(uneven, NOT)
    assert change is Change.TOTAL
    assert "9 other compounds" in why


def test_without_plates_the_change_is_total(tmp_path):
    """And that is said."""
    build_world(tmp_path / "world")
    world = open_atlas("world", tmp_path)
    assert default_change(world, world.condition(0))[0] is Change.TOTAL


def test_the_correlation_of_an_answer_is_of_its_change(uneven):
    """Pearson r of the total or the specific change; None where there is none to compare with."""
    ask = {"cell_line": "L0", "selector": ["D04", "D06", "D08"]}
    total = predict(uneven, drug="D02", **ask)
    specific = predict(uneven, drug="D02", **ask, change="specific")
    assert total.correlation == total.metrics["pearson_delta"]
    assert specific.correlation == specific.metrics["pearson_specific"]
    assert predict(uneven, drug="D01", **ask, change="specific").correlation is None


def test_neighbours_that_cannot_be_separated_are_in_no_comparison(uneven):
    """D05's plate is too small: the others alone are averaged, compared and drawn from."""
    found = predict(
        uneven, cell_line="L0", drug="D02", selector=["D04", "D05", "D06", "D08"], change="specific"
    )
    assert np.isnan(found.neighbor_deltas[1]).all()
    assert len(found.separable_neighbors) == 3
    said = verdict(uneven, found, n_draws=50)
    assert np.isfinite(said.agreement)
    assert 0 <= said.beats <= 1
    rivals = compare(
        uneven,
        found,
        lambda name: make_selector(name, uneven),
        methods=("drug_mean", "pool_mean"),
        n_draws=50,
    )
    assert set(rivals.random) == set(strips_of(Change.SPECIFIC))
    assert np.isfinite(rivals.random["pearson_specific"]).all()
    assert np.isfinite(rivals.baselines["drug_mean"].scores["pearson_specific"])


def test_a_repeat_is_another_form_on_its_plate_by_hand(store):
    """Its correlation with the measured change; None for a drug without one."""
    found = predict(store, cell_line="L0", drug="D02", selector=["D04", "D06"])
    rows = store.rows("L0", ["D00", "D02"], 1.0)
    other, truth = store.deltas(rows)
    expected = np.corrcoef(other, truth)[0, 1]
    assert repeat_correlation(found, reader(store, Change.TOTAL)) == pytest.approx(expected)
    alone = predict(store, cell_line="L0", drug="D04", selector=["D06"])
    assert repeat_correlation(alone, reader(store, Change.TOTAL)) is None
