"""Models of one's own are fitted on training conditions alone, and scored beside ours."""

import numpy as np
import pandas as pd
import pytest

import lgr_core as lgr
from lgr_core.errors import UsageError
from lgr_core.prediction.method import Status

QUICK = {"methods": ["cell_mean"], "folds": 3, "max_queries": 12}


class LineMean:
    """The mean of the query's line in training: what ``cell_mean`` is where no drug is seen."""

    def __init__(self):
        self.fitted = []

    def fit(self, train):
        """Take the means by line."""
        self.means = train.to_df().groupby(train.obs["cell_line"].to_numpy()).mean()
        self.fitted.append(set(train.obs["drug"]))

    def predict(self, queries):
        """Those means."""
        assert not set(queries["drug"]) & self.fitted[-1]
        return self.means.loc[queries["cell_line"]]


def zeros_but_one(train, queries):
    """No change, and no prediction for D00."""
    delta = np.zeros((len(queries), train.n_vars))
    delta[(queries["drug"] == "D00").to_numpy()] = np.nan
    return delta


@pytest.fixture(scope="module")
def run(plated, tmp_path_factory):
    """Both models in the regime of unseen drugs."""
    models = {"mine": LineMean(), "nothing": zeros_but_one}
    folder = tmp_path_factory.mktemp("runs") / "own"
    options = {**QUICK, "max_queries": 30, "regimes": ["unseen_drug"], "folder": folder}
    return lgr.benchmark(plated, models=models, **options)


def by_method(run, metric="mae_delta"):
    """Scores of a metric, one column a method."""
    scores = run.scores[run.scores["metric"] == metric]
    return scores.pivot_table(
        index=["cell_line", "drug"], columns="method", values="value", observed=True
    )


def test_a_model_like_ours_scores_as_ours(run):
    """On every query, from the training conditions of its fold."""
    table = by_method(run)
    assert len(table) == 30
    np.testing.assert_allclose(table["mine"], table["cell_mean"], rtol=1e-5)


def test_a_function_is_a_model(run):
    """Where it returns NaN it has no prediction, and is not scored."""
    table = by_method(run)
    rest = table[table.index.get_level_values("drug") != "D00"]
    np.testing.assert_allclose(rest["nothing"], rest["zero"], rtol=1e-6)
    scores = run.scores[run.scores["method"] == "nothing"]
    assert set(scores.loc[scores["drug"] == "D00", "status"]) <= {Status.NOT_APPLICABLE}


def test_a_run_is_shown_with_tidy_tables(run):
    """One row a regime, method and metric."""
    assert repr(run).startswith("<run 'own': ")
    keys = ["regime", "method", "metric"]
    assert not run.summary.duplicated(keys).any()
    assert {"mine", "nothing", "cell_mean"} <= set(run.summary["method"])


@pytest.mark.parametrize(
    ("model", "found"),
    [
        (lambda train, queries: np.zeros((len(queries), train.n_vars + 1)), "shape"),
        (lambda train, queries: "none", "no array of numbers"),
        (lambda train, queries: np.full((len(queries), train.n_vars), np.inf), "infinite"),
    ],
)
def test_what_a_model_returns_is_checked(plated, tmp_path, model, found):
    """Before it is scored."""
    with pytest.raises(UsageError, match=found):
        lgr.benchmark(
            plated, models={"mine": model}, regimes=["unseen_drug"], folder=tmp_path, **QUICK
        )


@pytest.mark.parametrize(
    "wrong",
    [
        {"models": {"mine": 3}},
        {"models": {"mine": LineMean}},
        {"models": {"cell_mean": zeros_but_one}},
        {"models": {"no name": zeros_but_one}},
        {"models": [zeros_but_one]},
        {"models": {"mine": zeros_but_one}, "workers": 2},
        {"methods": "cell_mean"},
        {"methods": ["cell_meen"]},
        {"regimes": ["unseen"]},
        {"change": "net"},
        {"evidence": "all"},
    ],
)
def test_wrong_options_are_errors_of_ours(plated, tmp_path, wrong):
    """Before anything is computed or written."""
    with pytest.raises(UsageError):
        lgr.benchmark(plated, folder=tmp_path / "run", **wrong)
    assert not (tmp_path / "run").exists()


def test_an_atlas_is_needed():
    """And not its name."""
    with pytest.raises(UsageError, match="atlas"):
        lgr.benchmark("demo")


def test_a_run_lies_in_the_home_of_its_atlas(plated):
    """Under a name by which it is opened again, and found again by the same call."""
    options = {**QUICK, "regimes": ["unseen_drug"], "max_queries": 4}
    first = lgr.benchmark(plated, **options)
    home = plated.folder.parents[1]
    opened = lgr.open_run(first.folder.name, home)
    pd.testing.assert_frame_equal(opened.summary, first.summary)
    assert lgr.benchmark(plated, **options).folder == first.folder
