"""The command line: results on standard output, all else on standard error, codes as promised."""

import json
import subprocess
import sys
from importlib.metadata import version

import pandas as pd
import pytest

from lgr_core.cli import main
from tests.support.toy_atlas import DRUGS, LINES, toy_delta


@pytest.fixture
def lgr(toy_home, monkeypatch, capsys):
    """Run a command against the toy home: (exit code, stdout, stderr)."""
    monkeypatch.setenv("LGR_HOME", str(toy_home))

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


QUESTION = ("--atlas", "toy", "--cell-line", "a549", "--drug", "trametinib")


def test_predict_prints_json_alone(lgr):
    """Standard output is one JSON object, standard error is empty."""
    code, out, err = lgr("predict", *QUESTION, "--k", 3, "--selector", "chemistry", "--json")
    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data["query"] == {"cell_line": "A549", "drug": "Trametinib", "dose_um": 5.0}
    assert (data["k"], data["k_used"], len(data["neighbors"])) == (3, 3, 3)
    assert len(data["genes"]) == len(data["delta"]) == 6


def test_predict_says_who_was_expected_and_not_chosen(lgr):
    """Of the drugs with the query's mechanism; with k = 1 by a random draw that misses it."""
    for seed in range(20):
        asked = (*QUESTION, "--selector", "random", "--k", 1, "--seed", seed)
        data = json.loads(lgr("predict", *asked, "--json")[1])
        if data["neighbors"][0]["drug"] != "Cobimetinib":
            break
    (expected,) = data["expected_not_chosen"]
    assert (expected["drug"], expected["mechanisms"]) == ("Cobimetinib", ["mek_inhibitor"])
    assert expected["source"].startswith("textbook pharmacology")
    assert "same mechanism, not chosen: Cobimetinib" in lgr("predict", *asked)[1]
    chosen = json.loads(lgr("predict", *QUESTION, "--selector", "mechanism", "--json")[1])
    assert chosen["expected_not_chosen"] == []
    assert chosen["model_expects"]["strength"] == 3


def test_predict_all_genes_and_out_file(lgr, tmp_path):
    """The panel by default, all genes on request; the file has the same genes."""
    path = tmp_path / "p.csv"
    _, out, _ = lgr("predict", *QUESTION, "--all-genes", "--json", "--out", path)
    assert len(json.loads(out)["genes"]) == 8
    assert len(pd.read_csv(path)) == 8


def test_predict_in_words(lgr):
    """Without --json a person can read it."""
    code, out, _ = lgr("predict", *QUESTION, "--selector", "mechanism")
    assert code == 0
    assert "Cobimetinib" in out
    assert "against the measured change: pearson_delta" in out


def test_retrieve_prints_neighbours_and_writes_the_papers_file(lgr, tmp_path):
    """JSON with the same keys, and a line of JSONL."""
    path = tmp_path / "n.jsonl"
    code, out, _ = lgr("retrieve", *QUESTION, "--selector", "mechanism", "--json", "--out", path)
    data = json.loads(out)
    assert (code, data["delta"], data["neighbors"][0]["drug"]) == (0, None, "Cobimetinib")
    assert json.loads(path.read_text())["target_molecule"] == "Trametinib"


def test_info_and_doctor(lgr, toy_home):
    """What is there, as JSON and in words."""
    info = json.loads(lgr("info", "toy", "--json")[1])
    assert (info["n_conditions"], info["drugs"]) == (23, sorted(DRUGS))
    assert "lognorm" not in lgr("info", "toy")[1].splitlines()[0]
    report = json.loads(lgr("doctor", "--json")[1])
    assert report["installation"]["LGR_HOME"] == str(toy_home)
    assert "23 conditions" in report["atlases"]["toy"]
    assert report["installation"]["home_is"] == "named by LGR_HOME"
    assert report["packages"]["rdkit"] == version("rdkit")
    assert report["missing"] == []
    assert "toy: measured, 23 conditions" in lgr("doctor")[1]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("info", "nope"), 4, "no such atlas"),
        (
            ("predict", "--atlas", "toy", "--cell-line", "MCF7", "--drug", "x"),
            4,
            "cell line 'MCF7'",
        ),
        (("predict", *QUESTION[:4], "--drug", "Trametinb"), 4, "Nearest: Trametinib"),
        (("predict", *QUESTION, "--dose", "50"), 4, "measured there: 5 uM, 0.5 uM"),
        (("predict", *QUESTION, "--k", "0"), 2, "at least one neighbour"),
        (("predict", *QUESTION, "--out", "x.xlsx"), 2, ".csv, .parquet, .h5ad or .rnk"),
        (("retrieve", *QUESTION, "--out", "x.csv"), 2, ".jsonl"),
        (("ingest", "/no/such/file.h5ad", "--name", "x"), 3, "no such file"),
        (("ingest", "/no/such/file.h5ad", "--name", "../x"), 2, "1 to 64"),
        (("ingest", "x", "--name", "y", "--column", "drug"), 2, "role=name"),
    ],
)
def test_errors_are_one_line_with_the_promised_code(lgr, arguments, code, says):
    """Nothing on standard output, one line on standard error."""
    got, out, err = lgr(*arguments)
    assert (got, out) == (code, "")
    assert says in err
    assert err.startswith("lgr: ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["predict"], ["fly"], ["info", "toy", "--nope"]])
def test_wrong_use_exits_with_2(lgr, arguments):
    """As argparse says it."""
    with pytest.raises(SystemExit) as stop:
        lgr(*arguments)
    assert stop.value.code == 2


def test_ingest_of_a_table_of_deltas_end_to_end(tmp_path, monkeypatch, capsys):
    """A CSV becomes an atlas, the same name is refused, --overwrite replaces it."""
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    rows = [
        {"cell_line": line, "drug": drug, "dose": 5, "dose_unit": "uM"}
        | {f"G{i}": value for i, value in enumerate(toy_delta(line, drug, 5.0))}
        for line in LINES
        for drug in DRUGS
    ]
    path = tmp_path / "deltas.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    command = ["ingest", str(path), "--name", "mine", "--value-kind", "zscore", "--json"]
    assert main(command) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["value_kind"], info["n_conditions"], info["n_genes"]) == ("zscore", 21, 8)
    assert info["provenance"]["source"] == "deltas.csv"
    assert main(command) == 3
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0


def test_a_place_that_cannot_be_written_is_one_line(lgr, toy_home, tmp_path):
    """Not a traceback: a file where a folder should be."""
    (tmp_path / "file").write_text("")
    code, out, err = lgr("predict", *QUESTION, "--out", tmp_path / "file" / "x.csv")
    assert (code, out) == (3, "")
    assert err.startswith("lgr: files: ")
    assert len(err.splitlines()) == 1


def test_the_module_runs_as_a_program(toy_home):
    """``python -m lgr_core`` is ``lgr``."""
    done = subprocess.run(
        [sys.executable, "-m", "lgr_core", "info", "toy", "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={"LGR_HOME": str(toy_home), "PATH": ""},
    )
    assert json.loads(done.stdout)["name"] == "toy"
