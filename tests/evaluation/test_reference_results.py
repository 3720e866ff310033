"""The results that ship: whole, of known methods, opened by name without any atlas."""

import pytest

import lgr_core
from lgr_core.config import Settings
from lgr_core.domain import Change
from lgr_core.evaluation.figures.six_panels import six_panels
from lgr_core.evaluation.reference_results import METRICS, shipped_results
from lgr_core.evaluation.regime_verdict import regime_verdict
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY
from lgr_core.evaluation.run_catalog import SHIPPED_RUNS, run_folders
from lgr_core.evaluation.run_store import load_run

MOST_MB = 8
NAMES = sorted(path.name for path in SHIPPED_RUNS.iterdir())


def test_the_reference_opens_by_name_from_an_empty_home(tmp_path):
    """Real data, every regime of the run in its summary, and it stands first in the menu."""
    run = lgr_core.open_run("tahoe", home=tmp_path)
    assert run.config["simulated"] is False
    assert set(run.summary["regime"]) == set(run.config["regimes"])
    assert run_folders(Settings(home=tmp_path))[0].name == "tahoe"


def test_what_the_methods_page_shows_is_whole():
    """All metrics; limits about each mean; known methods, the truth left out."""
    table = shipped_results()
    assert set(table["metric"]) == set(METRICS)
    assert set(table["method"]) <= set(REGISTRY) - {"truth"}
    known = table.dropna(subset=["low"])
    assert ((known["low"] <= known["mean"]) & (known["mean"] <= known["high"])).all()
    assert (table["n"] > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_means_are_those_of_the_scores_that_ship(name):
    """The scores of single conditions, in four places, average to the table's means."""
    run = load_run(SHIPPED_RUNS / name)
    keys = ["regime", "method", "metric"]
    means = run.scores.astype(dict.fromkeys(keys, str)).astype({"value": float})
    means = means.groupby(keys, as_index=False)["value"].mean()
    both = run.summary.merge(means, on=keys)
    assert len(both) == len(means)
    assert (both["mean"] - both["value"]).abs().max() < 1e-4


@pytest.mark.parametrize("name", NAMES)
def test_every_regime_that_ships_has_a_verdict_and_six_panels(name):
    """Of known methods; its config names the data to readers."""
    run = load_run(SHIPPED_RUNS / name)
    change = Change(run.config["change"])
    assert run.config["title"]
    for regime in map(Regime, run.config["regimes"]):
        found = regime_verdict(run, regime, others={})
        assert found is not None
        assert REGISTRY[found.winner.method]
        summary = run.summary[run.summary["regime"] == regime]
        kind = lgr_core.ValueKind(run.config["value_kind"])
        figure = six_panels(summary, regime, change, kind=kind, about="")
        assert len(figure.panels) == 6


def test_what_ships_is_small():
    """All shipped runs together."""
    size = sum(path.stat().st_size for path in SHIPPED_RUNS.rglob("*") if path.is_file())
    assert size < MOST_MB * 1e6
