"""The benchmark command: what its flags do to a run."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from toy import build_toy

from lgr_core.atlas.store import open_atlas
from lgr_core.cli import main

DOCS = Path(__file__).resolve().parents[1] / "docs"

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


def blocks_of(page, heading):
    """The code blocks of a section of a page: (language, text)."""
    text = (DOCS / page).read_text("utf-8")
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, flags=re.DOTALL)


def test_the_documented_examples_run(tmp_path, monkeypatch, capsys):
    """The section's files are written and its commands run, on an atlas named demo."""
    build_toy(tmp_path / "home" / "atlases" / "demo")
    monkeypatch.setenv("LGR_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for language, text in blocks_of(
        "benchmarks.md", "Predictions made elsewhere, and a split of your own"
    ):
        if language == "python":
            exec(text, {})  # noqa: S102 - the project's own documentation
        elif language == "toml":
            Path("split.toml").write_text(text)
        else:
            words = shlex.split(text)
            assert words[:2] == ["lgr", "benchmark"]
            assert main([*words[1:], "--workers", "1"]) == 0, capsys.readouterr().err
    scores = pd.read_parquet("runs/half/scores.parquet")
    half = scores[(scores["method"] == "half") & (scores["metric"] == "pearson_delta")]
    assert half["value"].to_numpy() == pytest.approx(1)
    lovo = pd.read_parquet("runs/lovo/scores.parquet")
    assert set(lovo["cell_line"]) == {"LoVo"}


def test_columns_of_predictions_decide_the_run(benchmark, toy_home, tmp_path):
    """They are recorded, so that a run is not resumed under another reading of the file."""
    toy = open_atlas("toy", toy_home / "atlases")
    table = toy.conditions[["cell_line", "drug", "dose_um"]].reset_index(drop=True)
    deltas = pd.DataFrame(toy.deltas(np.arange(len(table))), columns=toy.gene_names[: toy.n_panel])
    path = tmp_path / "theirs.csv"
    named = table.rename(columns={"drug": "agent_tested"})
    pd.concat([named, deltas], axis=1).to_csv(path, index=False)
    asked = ("--predictions", path, "--regime", "open_world")
    code, _, err = benchmark(*asked)
    assert (code, "--column drug=" in err) == (3, True)
    assert benchmark(*asked, "--column", "drug=agent_tested")[0] == 0
    assert config(tmp_path)["guests"]["theirs"]["columns"] == {"drug": "agent_tested"}


def test_columns_need_predictions(benchmark):
    """There is no other file whose columns could be meant."""
    code, _, err = benchmark("--column", "drug=compound")
    assert (code, "--predictions" in err) == (2, True)


def test_queries_without_an_answer_are_an_exit_code(benchmark, tmp_path):
    """No ranking of the model's is recorded for the drug: exit 5 with the count, run kept."""
    asked = ("--regime", "open_world", "--drugs", "Mystery compound", "--methods", "lgr_llm")
    code, out, err = benchmark(*asked)
    assert (code, "lgr_llm has no answer to 3 queries" in err) == (5, True)
    assert "open_world" in out
    assert (tmp_path / "run" / "scores.parquet").exists()
