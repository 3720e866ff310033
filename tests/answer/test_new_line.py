"""A line that no atlas holds: its profile is placed, the answer names what it stands on."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer.new_line import predict_new_line
from lgr_core.answer.own_profile import read_new_line
from lgr_core.cli import main
from lgr_core.errors import InputError, UsageError
from lgr_core.prediction.line_features import LineFacts
from lgr_core.prediction.profile_distance import on_scale_of, profile_distance
from lgr_core.prediction.profile_ridge import LineBasis, NewLine
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Twenty lines whose effects follow two factors of their expression."""
    folder = tmp_path_factory.mktemp("home") / "atlases" / "world"
    return build_world(folder, lines=20, vehicles=True)


@pytest.fixture
def profile(world, tmp_path):
    """The profile of L3 under another name, as a column of TPM-like values: its exponentials."""
    logs = world.line_profiles.of("L3").astype(float)
    table = pd.DataFrame({"gene": world.line_profiles.genes, "mine": np.exp(logs)})
    table.to_csv(tmp_path / "my.csv", index=False)
    return tmp_path / "my.csv"


def test_a_profile_is_brought_to_the_atlass_scale(world, profile):
    """Units do not count: ranks are kept, and the nearest line is the one that it is of."""
    line = read_new_line(world, "mine", profile)
    answer = predict_new_line(world, line=line, drug="D02", k=3)
    assert answer.distance.lines[0] == "L3"
    assert not answer.too_far
    assert answer.shift.basis is LineBasis.GENES
    assert len(answer.neighbor_lines) == 5
    assert answer.neighbor_lines[0] == "L3"
    np.testing.assert_allclose(answer.delta, answer.drug_mean + answer.shift.delta[0], rtol=1e-5)
    measured = world.deltas(world.rows("L3", ["D02"], 1.0))[0]
    of_mean = np.corrcoef(answer.drug_mean, measured)[0, 1]
    assert np.corrcoef(answer.delta, measured)[0, 1] > of_mean
    json.dumps(answer.to_dict())


def test_too_far_is_an_answer(world):
    """A line of shuffled expression lies outside of what was learned on, and it is said."""
    theirs = world.line_profiles
    shuffled = np.random.default_rng(0).permutation(theirs.of("L3"))
    line = NewLine("odd", on_scale_of(10 * shuffled, theirs.expression))
    answer = predict_new_line(world, line=line, drug="D02", k=3)
    assert answer.too_far
    assert any(note.startswith("Too far") for note in answer.notes)


def test_distances_by_hand():
    """Two lines at -1 and 1 deviations: they are 2 apart, and a line at 4 is 3 from the nearer."""
    others = np.array([[1.0, 10.0], [3.0, 30.0]])
    found = profile_distance(np.array([6.0, 60.0]), others, ("a", "b"))
    assert found.lines == ("b", "a")
    np.testing.assert_allclose(found.distances, [3, 5])
    assert found.limit == pytest.approx(2)
    assert found.too_far
    near = profile_distance(np.array([3.0, np.nan]), others, ("a", "b"))
    assert (near.n_genes, near.distances[0], near.too_far) == (1, 0, False)


def test_scales_by_hand():
    """The ranks of 5, 1, 100 take the others' mean values of these ranks; a gap stays one."""
    others = np.array([[1.0, 2.0, 3.0, 9.0], [3.0, 4.0, 5.0, 9.0]])
    np.testing.assert_allclose(
        on_scale_of(np.array([5.0, 1.0, 100.0, np.nan]), others), [3, 2, 4, np.nan]
    )


def test_without_anything_known_it_is_the_drug_mean(world):
    """Labelled, with no line that it leans on."""
    answer = predict_new_line(world, line=NewLine("mine"), drug="D02")
    np.testing.assert_array_equal(answer.delta, answer.drug_mean)
    assert answer.shift.basis is LineBasis.NOTHING
    assert (answer.leans_on, answer.neighbor_lines, answer.distance) == ((), (), None)


def test_specific_changes_are_answered(tmp_path):
    """By drivers, in an atlas on plates."""
    store = plated_atlas(tmp_path / "plated", lines=9)
    store.cell_lines["driver_genes"] = ["KRAS", "TP53", "KRAS;TP53"] * 3
    line = NewLine("mine", None, LineFacts.parse("", "KRAS"))
    answer = predict_new_line(store, line=line, drug="D02", change="specific", k=3)
    assert answer.shift.basis is LineBasis.FACTS
    assert np.isfinite(answer.delta).all()
    assert answer.provenance["change"] == "specific"


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda world, path: read_new_line(world, "L3", path), UsageError),
        (lambda world, path: read_new_line(world, "mine", path.with_name("no.csv")), InputError),
    ],
)
def test_what_cannot_be_read_is_refused(world, profile, ask, error):
    """A line that was measured is asked for by its name; a missing file is one error."""
    with pytest.raises(error):
        ask(world, profile)


def test_the_command_answers_and_refuses(world, profile, monkeypatch, capsys, tmp_path):
    """One command from a CSV to named evidence; contradictions are exit code 2."""
    monkeypatch.setenv("LGR_HOME", str(world.folder.parent.parent))
    out = tmp_path / "out.csv"
    asked = ["predict", "--atlas", "world", "--drug", "D02", "--k", "3"]
    own = [*asked, "--line-name", "mine", "--profile", str(profile), "--organ", "lung"]
    assert main([*own, "--json", "--out", str(out)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["leans_on"][0]["cell_line"] in world.line_profiles.cell_lines
    assert found["distance"]["nearest"][0]["cell_line"] == "L3"
    assert list(pd.read_csv(out)) == ["gene", "predicted", "drug_mean", "lgr_in_similar_lines"]
    assert main(own) == 0
    assert "leans on" in capsys.readouterr().out
    assert main(asked) == 2
    assert main([*own, "--cell-line", "L3"]) == 2
    assert main([*asked, "--cell-line", "L3", "--drivers", "KRAS"]) == 2
    assert main([*own, "--out", str(tmp_path / "x.h5ad")]) == 2
