"""The commands on atlases: what they list, and what ``lgr ingest`` takes and refuses."""

import json

import pandas as pd
import pytest

from lgr_core.cli import main


@pytest.fixture
def lgr(tmp_path, monkeypatch, capsys):
    """Run a command in an empty home: (exit code, stdout, stderr)."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def ingest(lgr, tmp_path):
    """Ingest a table of log2 fold changes as the atlas ``mine``."""

    def run(table, *arguments):
        table.to_csv(tmp_path / "x.csv", index=False)
        kind = ("--value-kind", "log2fc", "--overwrite", "--json")
        return lgr("ingest", tmp_path / "x.csv", "--name", "mine", *kind, *arguments)

    return run


TABLE = pd.DataFrame(
    {"cell_line": "A549", "drug": ["Talc", "Zinc"], "dose_um": 1.0, "G1": [1.0, -1.0]}
)


def test_info_without_a_name_lists_the_atlases(lgr, ingest):
    """None at first, then one; as JSON and in words."""
    assert lgr("info", "--json")[:2] == (0, "{}\n")
    code, out, err = lgr("info")
    assert (code, out) == (0, "")
    assert "no atlas" in err
    assert ingest(TABLE)[0] == 0
    assert json.loads(lgr("info", "--json")[1]) == {
        "mine": "measured, 2 conditions x 1 genes, log2fc"
    }
    assert lgr("info")[1] == "mine: measured, 2 conditions x 1 genes, log2fc\n"


def test_an_unknown_atlas_is_one_sentence(lgr, ingest):
    """No name is like it: those that there are, are listed."""
    ingest(TABLE)
    code, _, err = lgr("info", "tahoe")
    assert code == 4
    assert "one of: mine." in err


def test_a_home_that_is_a_file_is_one_line(lgr, tmp_path):
    """Whatever the command."""
    (tmp_path / "home").write_text("")
    code, out, err = lgr("info")
    assert (code, out) == (3, "")
    assert err.startswith("lgr: LGR_HOME: ")


def test_one_of_several_times(ingest):
    """--time picks it, the atlas says which."""
    table = pd.concat([TABLE.assign(time=6), TABLE.assign(time=24)])
    code, _, err = ingest(table)
    assert code == 3
    assert "--time 6" in err
    code, out, _ = ingest(table, "--time", "24")
    info = json.loads(out)
    assert (code, info["provenance"]["time"]) == (0, "24")
    assert info["provenance"]["replicates_averaged"] == 0


def test_a_role_can_be_left_unplayed(ingest):
    """As the questions about columns advise."""
    table = TABLE.rename(columns={"dose_um": "dose"})
    assert ingest(table)[0] == 3
    code, out, _ = ingest(table, "--column", "dose=")
    assert (code, json.loads(out)["doses_um"]) == (0, [])
    flagged = TABLE.assign(is_control=[True, False])
    assert json.loads(ingest(flagged, "--column", "is_control=")[1])["n_conditions"] == 2
    named = TABLE.assign(vehicle=[True, False])
    assert json.loads(ingest(named, "--column", "is_control=vehicle")[1])["n_conditions"] == 1


def test_changes_without_a_sign(ingest):
    """--unsigned believes them."""
    table = TABLE.drop(columns="G1").join(pd.DataFrame(0.5, index=range(2), columns=range(60)))
    code, _, err = ingest(table)
    assert code == 3
    assert "--unsigned" in err
    assert ingest(table, "--unsigned")[0] == 0


@pytest.mark.parametrize("n", ["0", "-5"])
def test_an_empty_panel_is_wrong_use(ingest, n):
    """As argparse says it."""
    with pytest.raises(SystemExit) as stop:
        ingest(TABLE, "--n-hvg", n)
    assert stop.value.code == 2
