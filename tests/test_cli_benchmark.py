"""The benchmark command: what its flags do to a run."""

import json

import pyarrow as pa
import pytest

from lgr_core.cli import main

COLUMNS = {
    "cell_type": ["A549", "LoVo", "A549"],
    "molecule": ["Tofacitinib (citrate)", "Cobimetinib", "Tofacitinib"],
    "split": ["train", "train", "test"],
}
"""Two forms of one compound, one trained on and one tested."""


@pytest.fixture
def benchmark(toy_home, tmp_path, monkeypatch, capsys):
    """Run ``lgr benchmark`` on the toy atlas: (exit code, standard output, standard error)."""
    monkeypatch.setenv("LGR_HOME", str(toy_home))

    def run(*arguments):
        usual = ("--atlas", "toy", "--methods", "drug_mean", "--k", 2, "--random-seeds", 2)
        where = ("--workers", 1, "--out", tmp_path / "run")
        code = main(["benchmark", *map(str, (*usual, *where, *arguments))])
        return code, *capsys.readouterr()

    return run


def config(folder):
    """The config of the run."""
    return json.loads((folder / "run" / "config.json").read_text())


def test_what_overlaps_is_left_out_on_request(benchmark, tmp_path):
    """The refusal names the flag, and a run goes on with the same flag only."""
    path = tmp_path / "split.arrow"
    table = pa.table(COLUMNS)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    asked = ("--split", path, "--regime", "unseen_drug")
    code, _, err = benchmark(*asked)
    assert (code, "--drop-overlap" in err) == (3, True)
    assert benchmark(*asked, "--drop-overlap")[0] == 0
    assert config(tmp_path)["drop_overlap"] is True
    assert benchmark(*asked, "--drop-overlap")[0] == 0
    code, _, err = benchmark("--split", path, "--regime", "open_world", "--drop-overlap")
    assert (code, "another config" in err) == (3, True)


def test_the_flag_needs_a_split(benchmark):
    """Said before anything is read."""
    code, _, err = benchmark("--drop-overlap")
    assert (code, "--split" in err) == (2, True)


def test_the_order_of_regimes_makes_no_other_run(benchmark, tmp_path):
    """Nor does one that is named twice."""
    assert benchmark("--regime", "open_world,unseen_drug")[0] == 0
    assert config(tmp_path)["regimes"] == ["unseen_drug", "open_world"]
    assert benchmark("--regime", "unseen_drug,open_world,unseen_drug")[0] == 0


def test_too_many_drugs_a_line_says_how_many_there_are(benchmark, tmp_path):
    """What was asked for, and the most there is; nothing is written."""
    code, _, err = benchmark("--regime", "open_world", "--min-drugs", 1000)
    assert code == 4
    assert "1,000 drugs or more" in err
    assert "more than 7" in err
    assert not (tmp_path / "run").exists()
