"""What to test next: the panel that tells most of the other drugs, judged on lines held out."""

import json
from copy import copy

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer.kept_gains import kept_gains, read_gains
from lgr_core.answer.plan import choose_tests, plan_tests
from lgr_core.cli import main
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.prediction.panel_choice import (
    covariances,
    departures,
    greedy_panel,
    panel_weights,
)
from tests.support.factor_atlas import build_world, world_of
from tests.support.plated_atlas import plated_atlas, with_noise


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Ten lines of two factors."""
    folder = tmp_path_factory.mktemp("home") / "atlases" / "world"
    return build_world(folder, lines=10, drugs=12, noise=0.3)


def apart(n):
    """Each drug may be predicted from all others."""
    return ~np.eye(n, dtype=bool)


def test_the_drug_that_tells_of_most_others_is_chosen_first():
    """Drug 0 goes with 1 and 2, drug 3 with none: first 0, and 3 tells nothing."""
    cov = np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[0, 2] = cov[2, 0] = 0.6
    assert greedy_panel(cov, apart(4), 1) == [0]
    assert greedy_panel(cov, apart(4), 2)[0] == 0
    assert greedy_panel(cov, apart(4), 9) == greedy_panel(cov, apart(4), 4)
    # With 0 not to be had, 1 and 2 are alike; with 0 measured already, it is not named again.
    assert greedy_panel(cov, apart(4), 1, candidates=np.array([False, True, True, True])) == [1]
    assert 0 not in greedy_panel(cov, apart(4), 3, first=[0])


def test_what_may_not_be_read_counts_nothing():
    """Drug 0 shares its plate with 1 and 2: what it tells of them is no gain."""
    cov = np.eye(4)
    cov[0, 1] = cov[1, 0] = cov[0, 2] = cov[2, 0] = 0.6
    cov[3, 1] = cov[1, 3] = 0.3
    usable = apart(4)
    usable[1:3, 0] = usable[0, 1:3] = False
    assert greedy_panel(cov, usable, 1)[0] in {1, 3}
    weights = panel_weights(cov, usable, [0, 3])
    assert not weights[1:3, 0].any()
    # Ridge with a penalty of 0.1 mean variances: 0.3 / 1.1.
    assert weights[1, 1] == pytest.approx(0.3 / 1.1)


def test_departures_by_hand():
    """Less the drug's mean; a gap is the mean departure of its line."""
    changes = np.array([[[1.0], [5.0]], [[3.0], [0.0]]])
    measured = np.array([[True, True], [True, False]])
    left = departures(changes, measured)
    np.testing.assert_allclose(left[:, :, 0], [[-1, 0], [1, 1]])
    np.testing.assert_allclose(covariances(left), [[1, 0.5], [0.5, 0.5]])


def test_the_curve_gains_and_beats_random_panels(world):
    """Two factors: two well chosen drugs tell nearly all of a line."""
    plan = plan_tests(world, k=3)
    assert len(set(plan.drugs)) == 3
    curve = plan.curve.set_index(["panel", "size"])
    assert list(curve.index) == [(p, n) for p in ("greedy", "random") for n in (1, 2, 3)]
    assert curve.loc[("greedy", 3), "low"] > 0.02
    assert curve.loc[("greedy", 1), "gain"] >= curve.loc[("random", 1), "gain"] - 0.02
    assert (curve["lines"] == 10).all()


def test_a_line_is_planned_by_the_others_alone(world):
    """The choice for a line does not read it: what is measured in it is known, no more."""
    in_line = (world.conditions["cell_line"] == "L3").to_numpy()
    some = in_line & world.conditions["drug"].isin(["D00", "D01", "D02"]).to_numpy()
    fewer = world_with(world, ~in_line | some)
    plan = plan_tests(fewer, k=2, cell_line="L3")
    assert not {"D00", "D01", "D02"} & set(plan.drugs)
    rows = (fewer.conditions["cell_line"] == "L3").to_numpy()
    assert plan_tests(with_noise(fewer, rows), k=2, cell_line="L3").drugs == plan.drugs


def world_with(world, kept):
    """The world, of which some conditions were measured."""
    other = copy(world)
    deltas = np.array(world.deltas(np.arange(len(world.conditions))))
    full = deltas.reshape(10, 12, -1)
    return world_of(other.folder.parent / "fewer", full, kept)


def test_plates_are_respected(tmp_path):
    """With fifty drugs off each plate the curve of other plates stands beside; with fewer, why."""
    few = plan_tests(plated_atlas(tmp_path / "few", lines=5), k=2)
    assert set(few.curve["scope"]) == {"any"}
    assert few.scopes["other_plates"].startswith("not separable")
    many = plan_tests(plated_atlas(tmp_path / "many", lines=5, drugs=102), k=2)
    gains = many.curve.set_index(["scope", "panel", "size"])["gain"]
    # What drugs of a plate share in a line is all that there is to learn here.
    assert gains["any", "greedy", 2] > gains["other_plates", "greedy", 2] + 0.2


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"k": 0}, UsageError),
        ({"dose_um": 7.0}, NotFoundError),
        ({"cell_line": "L3"}, NotFoundError),
        ({"cell_line": "nobody"}, NotFoundError),
    ],
)
def test_what_cannot_be_planned_is_refused(world, options, error):
    """No drug, no such dose or line, or nothing left to measure."""
    with pytest.raises(error):
        plan_tests(world, **options)


def test_too_few_lines_are_refused(tmp_path):
    """Of three lines nothing can be learned and judged."""
    with pytest.raises(InputError):
        plan_tests(build_world(tmp_path / "three", lines=3), k=2)


def test_the_command_prints_the_curve(world, monkeypatch, capsys, tmp_path):
    """Names, curve and CSV."""
    monkeypatch.setenv("LGR_HOME", str(world.folder.parent.parent))
    out = tmp_path / "curve.csv"
    assert main(["plan", "--atlas", "world", "--k", "2", "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert len(found["drugs"]) == 2
    assert len(pd.read_csv(out)) == len(found["curve"])
    assert main(["plan", "--atlas", "world", "--k", "2"]) == 0
    assert found["drugs"][0] in capsys.readouterr().out


def test_a_plan_is_a_choice_and_its_gains(world, tmp_path, monkeypatch):
    """Both parts are those of the whole; gains are computed once for a build."""
    plan = plan_tests(world, k=3)
    choice = choose_tests(world, k=3)
    assert (choice.drugs, choice.n_lines, choice.n_measured) == (plan.drugs, 10, 0)
    assert read_gains(world, tmp_path, k=3, dose_um=choice.dose_um) is None
    first = kept_gains(world, tmp_path, k=3, dose_um=choice.dose_um)
    pd.testing.assert_frame_equal(first.curve, plan.curve)
    monkeypatch.setattr("lgr_core.answer.kept_gains.panel_gains", None)
    again = kept_gains(world, tmp_path, k=3, dose_um=choice.dose_um)
    pd.testing.assert_frame_equal(again.curve, plan.curve, check_dtype=False)
    assert again.scopes == plan.scopes
