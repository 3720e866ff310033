"""Atlases and runs are found by name, and what cannot be opened is listed with the reason."""

import shutil

import pytest

import lgr_core as lgr
from lgr_core.errors import InputError, NotFoundError
from lgr_core.evaluation.config import CONFIG


def test_every_atlas_has_a_row(toy_home):
    """With its sizes."""
    (row,) = lgr.atlases(toy_home).to_dict("records")
    assert row == {
        "name": "toy",
        "simulated": False,
        "n_conditions": 23,
        "n_genes": 8,
        "n_cell_lines": 3,
        "n_drugs": 7,
        "value_kind": "lognorm_delta",
        "problem": "",
    }


def test_a_damaged_atlas_is_listed_with_the_reason(toy_home, tmp_path):
    """And does not hide the others."""
    shutil.copytree(toy_home / "atlases" / "toy", tmp_path / "atlases" / "toy")
    shutil.copytree(toy_home / "atlases" / "toy", tmp_path / "atlases" / "broken")
    (tmp_path / "atlases" / "broken" / "deltas.npy").unlink()
    table = lgr.atlases(tmp_path).set_index("name")
    assert table.loc["toy", "problem"] == ""
    assert "deltas" in table.loc["broken", "problem"]


def test_a_home_without_atlases_has_an_empty_table(tmp_path):
    """With the same columns."""
    table = lgr.atlases(tmp_path)
    assert len(table) == 0
    assert {"name", "n_drugs", "problem"} <= set(table)


def test_an_unknown_run_is_not_found(tmp_path):
    """Its neighbours in name are offered; one that is not finished is refused."""
    folder = tmp_path / "runs" / "demo-first"
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text("{}")
    with pytest.raises(NotFoundError) as err:
        lgr.open_run("demo-furst", tmp_path)
    assert err.value.nearest == ("demo-first",)
    with pytest.raises(InputError, match="not finished"):
        lgr.open_run("demo-first", tmp_path)


def test_an_atlas_is_shown_with_its_size(noted):
    """As text and as HTML."""
    assert repr(noted) == "<atlas 'toy': measured, 23 conditions x 8 genes, lognorm_delta>"
    shown = noted._repr_html_()
    assert "<th style='text-align:left'>drugs</th><td style='text-align:left'>7</td>" in shown
