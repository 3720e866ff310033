"""Runs by name: shipped ones first, an own one in the place of its namesake, all by one reader."""

import json
import shutil

import pandas as pd
import pytest

import lgr_core
from lgr_core.config import Settings
from lgr_core.domain import Change, WellScope
from lgr_core.errors import InputError, NotFoundError
from lgr_core.evaluation import run_catalog
from lgr_core.evaluation.compact_run import write_compact
from lgr_core.evaluation.run_catalog import find_run, open_run, run_folders, variants
from lgr_core.evaluation.run_store import load_run
from tests.support.benchmark_runs import write_run

ROWS = [(f"l{i}", f"d{j}", 5.0) for i in range(5) for j in range(6)]
CONDITIONS = pd.DataFrame(ROWS, columns=["cell_line", "drug", "dose_um"])


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A full run in a folder."""
    folder = tmp_path_factory.mktemp("runs") / "full"
    write_run(folder, CONDITIONS, regimes=("unseen_drug",), trust=["lgr_mechanism"])
    return load_run(folder)


@pytest.fixture
def settings(full, tmp_path, monkeypatch):
    """A home with an own run of real data and one that is simulated, and two shipped runs."""
    monkeypatch.setattr(run_catalog, "SHIPPED_RUNS", tmp_path / "shipped")
    about = {
        "shipped/tahoe": {"atlas": "real", "simulated": False, "title": "Tahoe-100M"},
        "shipped/tahoe_specific": {
            "atlas": "real",
            "simulated": False,
            "change": "specific",
            "title": "Tahoe-100M",
            "build_id": "another",
        },
        "runs/demo": {"finished_at": "2026-05-01"},
        "runs/mine": {"simulated": False, "finished_at": "2026-03-01"},
    }
    for place, more in about.items():
        shutil.copytree(full.folder, tmp_path / place)
        config = {**full.config, **more}
        (tmp_path / place / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Settings(home=tmp_path)


def test_shipped_runs_come_first_and_simulated_ones_last(settings):
    """The total change leads; a simulated run that is newer still stands behind."""
    names = [run.name for run in run_folders(settings)]
    assert names == ["tahoe", "tahoe_specific", "mine", "demo"]


def test_an_own_run_takes_the_place_of_its_shipped_namesake(settings):
    """In the list and by name."""
    shutil.copytree(settings.runs / "mine", settings.runs / "tahoe")
    assert [run.name for run in run_folders(settings) if run.shipped] == ["tahoe_specific"]
    assert find_run("tahoe", settings) == settings.runs / "tahoe"
    assert find_run("tahoe_specific", settings).parent.name == "shipped"


def test_variants_differ_in_what_they_ask_and_share_the_build(settings):
    """Total first; shipped runs of one title, whatever their build; own runs are none."""
    runs = run_folders(settings)
    found = [(run.name, run.change, run.evidence) for run in variants(runs[1], runs)]
    assert found == [
        ("tahoe", Change.TOTAL, WellScope.ANY),
        ("tahoe_specific", Change.SPECIFIC, WellScope.ANY),
    ]


@pytest.mark.parametrize("name", ["tahoe_specifc", "../runs/mine", ""])
def test_an_unknown_run_is_an_error(settings, name):
    """No name leads out of the folders of runs; a misspelt one is offered."""
    with pytest.raises(NotFoundError) as caught:
        open_run(name, settings)
    assert ("tahoe_specific" in caught.value.nearest) == name.startswith("tahoe")


def test_a_config_that_cannot_be_read_hides_no_other(settings):
    """The folder's name is all that is known of it."""
    (settings.runs / "broken").mkdir()
    (settings.runs / "broken" / "config.json").write_text("{", encoding="utf-8")
    labels = [run.label for run in run_folders(settings)]
    assert "broken" in labels
    assert len(labels) == 5
    with pytest.raises(InputError):
        open_run("broken", settings)


def test_open_run_reads_without_any_atlas(settings):
    """By the public name, from a home without atlases."""
    run = lgr_core.open_run("mine", home=settings.home)
    assert isinstance(run, lgr_core.Run)
    assert run.config["finished_at"] == "2026-03-01"


def test_a_compact_run_is_read_as_its_run(full, tmp_path):
    """Tables to six digits, scores to four places on the metrics that were chosen."""
    write_compact(full, tmp_path / "small", title="Toy data", metrics=["pearson_delta"])
    small = load_run(tmp_path / "small")
    assert small.config["title"] == "Toy data"
    pd.testing.assert_frame_equal(small.summary, full.summary, rtol=1e-5, check_dtype=False)
    pd.testing.assert_frame_equal(small.reliability, full.reliability, rtol=1e-5, check_dtype=False)
    assert set(small.scores["metric"]) == {"pearson_delta"}
    assert "truth" not in set(small.scores["method"])
    assert small.scores["value"].dtype == "float32"
    assert small.scores["cell_line"].dtype == "category"
    assert "truth" not in {*small.pairs["a"], *small.pairs["b"]}
    key = ["method", "cell_line", "drug"]
    both = small.scores.merge(
        full.scores[full.scores["metric"] == "pearson_delta"], on=key, suffixes=("", "_full")
    )
    assert len(both) == len(small.scores)
    assert (both["value"] - both["value_full"]).abs().max() <= 0.5001e-4


def test_a_compact_run_takes_the_place_of_an_older_one(full, tmp_path):
    """Nothing of it stays behind."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "old.csv").write_text("x")
    write_compact(full, tmp_path / "small", title="Toy data", metrics=["cosine"])
    assert not (tmp_path / "small" / "old.csv").exists()
