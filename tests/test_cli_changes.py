"""The command line on plates: specific changes predicted, searched and benchmarked."""

import json

import pytest

from lgr_core.cli import main
from tests.support.plated_atlas import plated_atlas


@pytest.fixture
def plated(tmp_path, monkeypatch):
    """An atlas of 24 drugs on two plates, and a home of its own."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    return plated_atlas(tmp_path / "atlases" / "plated", lines=4, drugs=24)


def run(capsys, *arguments):
    """Exit code, standard output and errors of a command."""
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


QUERY = ("--atlas", "plated", "--cell-line", "L1", "--drug", "D03")


def test_predict_says_which_change(plated, capsys):
    """The JSON names the change, and its scores are those of that change."""
    code, out, _ = run(
        capsys, "predict", *QUERY, "--selector", "chemistry", "--change", "specific", "--json"
    )
    answer = json.loads(out)
    assert code == 0
    assert answer["change"] == "specific"
    assert answer["plate_note"] is None
    assert set(answer["metrics"]) >= {"pearson_specific", "sign_specific_top50"}
    total = json.loads(run(capsys, "predict", *QUERY, "--selector", "chemistry", "--json")[1])
    assert total["change"] == "total"
    assert total["delta"] != answer["delta"]


def test_search_ranks_by_the_view(plated, capsys):
    """Total changes of one plate are alike, specific ones are not."""
    found = {}
    for view in ("total", "specific", "relative_to_pool"):
        code, out, _ = run(capsys, "search", *QUERY, "--change", view, "--json")
        assert code == 0
        found[view] = json.loads(out)["drugs"]
    assert found["total"][0]["score"] > 0.5
    assert found["specific"][0]["score"] < 0.5


def test_search_names_only_what_is_reversed_and_says_if_nothing_is(plated, capsys):
    """In both changes every score is within what unrelated drugs reach."""
    code, out, _ = run(capsys, "search", *QUERY, "--change", "specific", "--reverse", "--json")
    said = json.loads(out)
    assert (code, said["drugs"], said["reverse"]) == (0, [], True)
    assert any("Nothing is reversed" in note for note in said["notes"])


def test_search_for_a_gene_list(plated, capsys):
    """All lines unless one is named; a name that is no gene is said, and drug and list exclude."""
    genes = ("--atlas", "plated", "--up", "G1,G2,nothing", "--down", "g3")
    code, out, _ = run(capsys, "search", *genes, "--json")
    said = json.loads(out)
    assert (code, len(said["drugs"])) == (0, 10)
    assert any("'nothing'" in note for note in said["notes"])
    assert run(capsys, "search", *genes, "--drug", "D03")[0] == 2
    assert run(capsys, "search", "--atlas", "plated", "--drug", "D03")[0] == 2


def test_what_is_not_separable_is_one_clear_error(tmp_path, monkeypatch, capsys):
    """Exit code 4, the number of others, and no traceback."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    plated_atlas(tmp_path / "atlases" / "plated", lines=2, drugs=8, plates=1)
    code, _, err = run(capsys, "search", *QUERY, "--change", "specific")
    assert code == 4
    assert "7 other parents" in err
    code, out, _ = run(capsys, "search", *QUERY, "--change", "relative_to_pool")
    assert code == 0
    assert "plate" in out


@pytest.mark.parametrize("evidence", ["any", "other_wells", "other_plates"])
def test_benchmark_of_the_specific_change(plated, capsys, evidence, tmp_path):
    """Scores are of the specific metrics; where plates leave too little, it is said."""
    code, out, _ = run(
        capsys,
        *("benchmark", "--atlas", "plated", "--regime", "open_world", "--workers", "1"),
        *("--methods", "lgr_chemistry,drug_mean", "--random-seeds", "2", "--folds", "3"),
        *("--change", "specific", "--evidence", evidence, "--out", str(tmp_path / "run"), "--json"),
    )
    assert code == 0
    rows = json.loads(out)["summary"]
    assert {row["metric"] for row in rows} >= {"pearson_specific", "overlap_specific_at_50"}
    status = {row["method"]: row["status"] for row in rows}
    expected = "not_separable" if evidence == "other_plates" else "ok"
    assert status["lgr_chemistry"] == expected
    truth = next(r for r in rows if (r["method"], r["metric"]) == ("truth", "pearson_specific"))
    assert truth["mean"] == pytest.approx(1)


def test_a_run_of_another_change_is_not_resumed(plated, capsys, tmp_path):
    """The folder of a total run is refused for a specific one; the first difference is named."""
    base = ["benchmark", "--atlas", "plated", "--regime", "open_world", "--workers", "1"]
    base += ["--methods", "drug_mean", "--random-seeds", "1", "--out", str(tmp_path / "run")]
    assert run(capsys, *base)[0] == 0
    code, _, err = run(capsys, *base, "--change", "specific")
    assert code == 3
    assert "another config" in err


def test_twins_without_any(plated, capsys):
    """An atlas of single forms says so."""
    assert "No compound" in run(capsys, "twins", "--atlas", "plated")[1]


@pytest.mark.parametrize("change", ["total", "specific"])
def test_truth_on_a_plate_that_holds_other_drugs(tmp_path, monkeypatch, capsys, change):
    """One plate holds a drug that the other lacks: it is scored on none, the others on both."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    monkeypatch.setattr("lgr_core.evaluation.well_parts.LEAST_PARENTS", 5)
    plated_atlas(tmp_path / "atlases" / "plated", lines=3, drugs=24, by_plate=True)
    code, out, _ = run(
        capsys,
        *("benchmark", "--atlas", "plated", "--regime", "open_world", "--workers", "1"),
        *("--methods", "lgr_chemistry,replicate_plate", "--random-seeds", "2", "--folds", "3"),
        *("--change", change, "--evidence", "other_plates", "--out", str(tmp_path / "run")),
        "--json",
    )
    assert code == 0
    metric = "pearson_specific" if change == "specific" else "pearson_delta"
    rows = {r["method"]: r for r in json.loads(out)["summary"] if r["metric"] == metric}
    assert rows["lgr_chemistry"]["status"] == "ok"
    assert rows["replicate_plate"]["coverage"] == pytest.approx(23 / 24)


def test_info_says_how_far_wells_agree(tmp_path, monkeypatch, capsys):
    """Of two forms of one parent, and of no other drug; an atlas must be named."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path))
    parents = ["P", "P", *(f"D{b:02}" for b in range(2, 14))]
    plated_atlas(tmp_path / "atlases" / "plated", lines=2, drugs=14, plates=1, parents=parents)
    code, out, _ = run(capsys, "info", "plated", "--drugs", "--json")
    rows = {row["drug"]: row for row in json.loads(out)["drugs"]}
    assert code == 0
    assert rows["D00"]["agreement"] == rows["D01"]["agreement"] is not None
    assert (rows["D00"]["kinds"], rows["D00"]["n_lines"]) == ("twin", 2)
    assert (rows["D05"]["agreement"], rows["D05"]["kinds"]) == (None, "")
    assert "not known of 12 drugs" in run(capsys, "info", "plated", "--drugs")[1]
    code, _, err = run(capsys, "info", "--drugs")
    assert (code, "lgr info NAME --drugs" in err) == (2, True)
