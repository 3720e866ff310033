"""The page of the benchmark: regimes, rivals, slices, all in the link, and no run at all."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from lgr_core.evaluation import run_catalog
from pages.benchmark import sections
from pages.benchmark.folds import FOLDS
from pages.benchmark.runs import MOST_SLICES, drawn_slices, gaps_by, sliced, with_organs
from pages.benchmark.slices import where_words
from pages.benchmark.view import FIELDS, SLICES
from tests.support import benchmark_runs
from tests.support.lab_atlas import IMAGE, LINES
from tests.support.rendered_page import TIP

ROOT = Path(__file__).resolve().parents[2]
REGIMES = ("unseen_drug", "unseen_cell_line")


@pytest.fixture(scope="module")
def home(lab_home, lab, tmp_path_factory):
    """An LGR_HOME with the atlas lab, two runs of it, and one of an atlas that is not built."""
    home = tmp_path_factory.mktemp("bench_home")
    (home / "atlases").symlink_to(lab_home / "atlases")
    conditions = lab.conditions[lab.conditions["dose_um"] == 5]
    for name, regimes, config in (
        ("new", REGIMES, {"finished_at": "2026-03-01T00:00:00+00:00", "simulated": False}),
        ("old", REGIMES[:1], {}),
        ("elsewhere", REGIMES[:1], {"atlas": "gone", "finished_at": "2026-04-01T00:00:00+00:00"}),
        ("trusted", REGIMES[:1], {"trust": ["lgr_mechanism"], "build_id": lab.build_id}),
    ):
        benchmark_runs.write_run(home / "runs" / name, conditions, regimes=regimes, **config)
    return home


@pytest.fixture
def visit(home, monkeypatch):
    """A visit to the page: ``visit("gaps", metric="cosine")`` opens that section and link.

    The page is opened by its address, not by way of Predict.
    """

    def open_page(*opened, home=home, **link):
        monkeypatch.setenv("LGR_HOME", str(home))
        monkeypatch.setattr(run_catalog, "SHIPPED_RUNS", home / "shipped")
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        for key, value in {"atlas": "lab", **link}.items():
            app.query_params[key] = value
        for fold in opened:
            app.session_state[f"fold_{fold}"] = True
        return app.switch_page("pages/views/benchmark.py").run()

    return open_page


def text(app: AppTest):
    """All HTML of a page as one string; nothing may have crashed on the way."""
    assert not app.exception, app.exception
    return TIP.sub(r"\1", "\n".join(b.body for b in app.html if "<style>" not in b.body))


def link(app):
    """What the address says of this page."""
    given = {key: app.query_params.get(key) for key in FIELDS}
    return {key: value[-1] if isinstance(value, list) else value for key, value in given.items()}


def charts(app):
    """The figures of a page by their keys' order, as the browser gets them."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def test_own_runs_alone_open_on_the_newest_of_the_atlas(visit):
    """Of measured data first; simulated runs and those of other atlases stand behind."""
    app = visit("reading")
    page = text(app)
    assert "Benchmark of lab" in page
    assert "Measured data" in page
    assert "Sign accuracy misleads" in page
    assert link(app) == {
        "run": "new",
        "regime": "unseen_cell_line",
        "metric": "pearson_delta",
        "scored": "lgr_mechanism",
        "rival": "pool_mean",
        "by": "drug",
    }
    assert [option.split(" ")[0] for option in app.selectbox(key="run").options] == [
        *("new", "trusted", "old", "elsewhere")
    ]


@pytest.fixture
def shipped_home(home, tmp_path, lab_home, lab):
    """An LGR_HOME with one own run and, beside it, shipped runs of both changes."""
    (tmp_path / "atlases").symlink_to(lab_home / "atlases")
    conditions = lab.conditions[lab.conditions["dose_um"] == 5]
    about = {"simulated": False, "title": "Tahoe-100M", "atlas": "real"}
    benchmark_runs.write_run(tmp_path / "runs" / "mine", conditions, regimes=REGIMES[:1])
    for name, more in (("tahoe", {}), ("tahoe_wells", {"evidence": "other_wells"})):
        folder = tmp_path / "shipped" / name
        benchmark_runs.write_run(folder, conditions, regimes=REGIMES[:1], **about, **more)
    return tmp_path


def test_the_page_opens_on_the_shipped_results(visit, shipped_home):
    """Own runs stand behind them in the menu, and open there."""
    app = visit(home=shipped_home)
    page = text(app)
    assert "Benchmark of Tahoe-100M" in page
    assert "Measured data" in page
    names = [option.split(" · ")[0] for option in app.selectbox(key="run").options]
    assert names == ["Tahoe-100M", "Tahoe-100M", "mine"]
    app.selectbox(key="run").select("mine").run()
    assert "Simulated data" in text(app)


def test_without_any_atlas_the_shipped_results_open(visit, shipped_home, monkeypatch):
    """Nothing is built, nothing is asked: an empty installation reads them at once."""
    app = visit(home=shipped_home)
    empty = shipped_home / "empty"
    (empty / "shipped").mkdir(parents=True)
    monkeypatch.setenv("LGR_HOME", str(empty))
    app.query_params.clear()
    page = text(app.switch_page("pages/views/benchmark.py").run())
    assert "Benchmark of Tahoe-100M" in page
    assert page.count("lgr-six-panel") == 6
    assert not (empty / "atlases").exists()


def test_the_same_methods_on_other_wells_stand_side_by_side(visit, shipped_home):
    """A column a run; where there is one run only, the command that makes another."""
    page = text(visit("wells", home=shipped_home))
    assert "total change, any wells" in page
    assert "total change, other wells" in page
    app = visit("wells", home=shipped_home, run="mine")
    assert any("--evidence other_wells" in block.value for block in app.code)


def test_the_answer_is_six_panels_and_a_sentence(visit):
    """The winner, the control of the pool, a repeat; no plotly figure before a section opens."""
    app = visit()
    page = text(app)
    assert page.count("lgr-six-panel") == 6
    assert "LGR, mechanism predicts best" in page
    assert "The mean of the line" in page
    assert "repeat of the experiment scores is not known" in page
    assert charts(app) == []
    labels = [b.label for b in app.get("download_button")]
    assert labels == ["SVG", "PNG", "Slide (16:9)"]


@pytest.mark.parametrize(
    ("fold", "n"),
    [("where", 2), ("gaps", 1), ("spread", 2), ("k", 2), ("who", 0), ("numbers", 0), ("made", 0)],
)
def test_sections_are_drawn_once_they_are_opened(visit, fold, n):
    """Each by its own, with its figures."""
    app = visit(fold)
    assert len(charts(app)) == n
    assert len(text(app)) > len(text(visit()))


def test_every_section_opens_on_a_run_of_the_specific_change(visit, home, lab):
    """Whose metrics are others."""
    scores = benchmark_runs.scores_of(lab.conditions.query("dose_um == 5"), REGIMES[:1])
    names = {"pearson_delta": "pearson_specific", "cosine": "cosine_specific"}
    rows = scores[scores["metric"].isin(names)]
    benchmark_runs.write_scores(
        home / "runs" / "specific",
        rows.assign(metric=rows["metric"].astype(str).replace(names).astype("category")),
        change="specific",
    )
    try:
        page = text(visit(*FOLDS, run="specific"))
    finally:
        shutil.rmtree(home / "runs" / "specific")
    assert page.count("lgr-six-panel") == 2
    assert "The plate alone scores 0" in page or "mean of the line" in page


def test_simulated_runs_say_so(visit):
    """In the badge, by the run's own word."""
    assert "Simulated data" in text(visit(run="old"))


def test_unequal_evidence_is_said_in_unseen_lines_alone(visit):
    """Where retrieval reads what others may not."""
    assert "Unequal evidence" in text(visit(regime="unseen_cell_line"))
    assert "Unequal evidence" not in text(visit(regime="unseen_drug"))


def test_a_link_reopens_the_same_view(visit):
    """Every choice is in it."""
    first = visit(
        "where", regime="unseen_drug", metric="mae_delta", scored="chem_knn", rival="random_k"
    )
    first.selectbox(key="by").select("effect").run()
    assert link(first)["by"] == "effect"
    second = visit("where", **link(first))
    assert text(second) == text(first)
    assert charts(second) == charts(first)
    assert ", by strength of the measured change, in thirds" in text(second)


def test_a_pick_changes_figures_and_link(visit):
    """Another rival, another gap; a method compared with itself gives way."""
    app = visit("gaps")
    before = charts(app)
    app.selectbox(key="rival").select("cell_mean").run()
    assert link(app)["rival"] == "cell_mean"
    assert "Paired gap to Cell mean" in text(app)
    assert charts(app) != before
    app.selectbox(key="scored").select("cell_mean").run()
    assert (link(app)["scored"], link(app)["rival"]) == ("cell_mean", "pool_mean")
    assert "lgr-box" not in text(app)


def test_a_run_without_the_chosen_regime_shows_one_it_has(visit):
    """Without a word: the visitor chose the run."""
    app = visit(regime="unseen_cell_line")
    app.selectbox(key="run").select("old").run()
    assert link(app)["regime"] == "unseen_drug"
    assert "lgr-box" not in text(app)


@pytest.mark.parametrize(
    "wrong", [{"run": "none"}, {"regime": "x"}, {"metric": "pearson"}, {"rival": IMAGE}]
)
def test_a_bad_link_explains_itself(visit, wrong):
    """A box with the nearest names, and the view that is to be had; no name becomes markup."""
    page = text(visit(**wrong))
    assert page.count('class="lgr-box"') == 1
    assert "this page has no such" in page
    assert page.count("lgr-six-panel") == 6
    assert IMAGE not in page


def test_without_a_run_the_page_says_how_to_make_one(visit, lab_home):
    """The command names the atlas that was looked at."""
    app = visit(home=lab_home)
    assert "no benchmark run here yet" in text(app)
    assert [block.value for block in app.code] == ["lgr benchmark --atlas lab"]


def test_an_unfinished_run_says_so(visit, lab_home, tmp_path):
    """One box with what to do; the other pickers wait."""
    (tmp_path / "atlases").symlink_to(lab_home / "atlases")
    (tmp_path / "runs" / "half").mkdir(parents=True)
    config = {key: value for key, value in benchmark_runs.CONFIG.items() if key != "finished_at"}
    (tmp_path / "runs" / "half" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    app = visit(home=tmp_path)
    assert "the run is not finished" in text(app)
    assert app.selectbox(key="run").options == ["half · lab · simulated"]
    assert charts(app) == []


def test_conditions_of_an_atlas_that_is_not_built_lead_nowhere(visit):
    """They are drawn, and the page says why no click helps."""
    assert "Its atlas is not built here" in text(visit("spread", run="elsewhere"))


def test_a_point_is_a_condition_that_both_answer():
    """Rows without a score of one of the two are left out."""
    scores = pd.DataFrame(
        [
            ("a", "l", "d", 5.0, 0.5),
            ("b", "l", "d", 5.0, 0.4),
            ("a", "l", "e", None, 0.3),
            ("b", "l", "e", None, 0.2),
            ("a", "l", "f", 5.0, None),
            ("b", "l", "f", 5.0, 0.1),
        ],
        columns=["method", "cell_line", "drug", "dose_um", "value"],
    )
    both = sections.paired(scores, "a", "b")
    assert both[["drug", "a", "b"]].to_numpy().tolist() == [["d", 0.5, 0.4], ["e", 0.3, 0.2]]


@pytest.mark.parametrize(
    ("method", "rival", "selector"),
    [
        ("lgr_chemistry", "pool_mean", "chemistry"),
        ("cell_mean", "random_k", "random"),
        ("cell_mean", "pool_mean", None),
    ],
)
def test_a_point_opens_its_condition(visit, method, rival, selector):
    """Predict is asked for line, drug, dose, k, and the selector of the method at hand."""
    shown = SimpleNamespace(
        run=SimpleNamespace(config={"atlas": "lab", "k": 7}),
        view=SimpleNamespace(scored=method, rival=rival),
    )
    row = pd.Series({"cell_line": "HepG2/C3A", "drug": "Afatinib", "dose_um": 5.0})
    found = sections.predict_link(shown, row)
    assert found.pop("selector", None) == selector
    asked = {"atlas": "lab", "cell_line": "HepG2/C3A", "drug": "Afatinib", "dose": "5", "k": "7"}
    assert found == asked
    shown.view.scored = "best_evidence"
    found = sections.predict_link(shown, row)
    assert (found["method"], found.get("selector")) == ("best_evidence", None)
    pooled = pd.Series({"cell_line": "l", "drug": "d", "dose_um": None})
    assert sections.predict_link(shown, pooled)["dose"] == "pooled"


def cosines(conditions):
    """Made-up cosines of drugs that are unseen."""
    scores = benchmark_runs.scores_of(conditions, ["unseen_drug"])
    return with_organs(scores[scores["metric"] == "cosine"])


@pytest.mark.parametrize("by", SLICES)
def test_conditions_are_told_apart(lab, by):
    """Each has its gap and the means of both, in one order; lines have intervals over compounds."""
    rows = cosines(lab.conditions)
    gaps = gaps_by(rows, by, "lgr_mechanism", "pool_mean")
    assert gaps["n_common"].sum() == len(lab.conditions)
    means = sliced(rows, by, ("lgr_mechanism", "pool_mean"), tuple(gaps["slice"]))
    assert means["slice"].drop_duplicates().tolist() == gaps["slice"].tolist()
    apart = means.pivot_table(index="slice", columns="method", values="mean", observed=True)
    differences = (apart["lgr_mechanism"] - apart["pool_mean"])[gaps["slice"]]
    np.testing.assert_allclose(gaps["difference"], differences, atol=1e-9)
    if by in {"effect", "n_cells"}:
        assert gaps["slice"].tolist() == ["low", "middle", "high"]
    else:
        assert gaps["difference"].is_monotonic_decreasing
    if by == "cell_line":
        assert set(gaps["slice"]) == set(LINES)
        assert gaps["low"].notna().all()


def test_of_many_slices_the_largest_are_drawn():
    """In the order of their gaps."""
    rows = [(f"line{i}", f"d{j}", 5.0) for i in range(40) for j in range(1 + i % 7)]
    conditions = pd.DataFrame(rows, columns=["cell_line", "drug", "dose_um"])
    gaps = gaps_by(cosines(conditions), "cell_line", "lgr_mechanism", "pool_mean")
    drawn = drawn_slices(gaps, "cell_line")
    assert (len(gaps), len(drawn)) == (40, MOST_SLICES)
    assert drawn["n_common"].min() >= gaps["n_common"].nlargest(MOST_SLICES).min()
    assert drawn["difference"].is_monotonic_decreasing


def test_mechanisms_are_words(lab):
    """The label of a tag, if the shipped table knows it; else the tag."""
    rows = cosines(lab.conditions[lab.conditions["cell_line"] == "A549"])
    tags = rows["mechanism"].cat.rename_categories({"MEK inhibitor": "mek_inhibitor"})
    gaps = gaps_by(rows.assign(mechanism=tags), "mechanism", "lgr_mechanism", "pool_mean")
    assert {"MEK inhibitor", "<b>tubulin</b>", "not known"} < set(gaps["slice"])


def test_organs_are_those_of_the_lines():
    """Of the shipped table; a line that it lacks has none."""
    scores = pd.DataFrame({"cell_line": pd.Categorical(["A549", "nobody's"])})
    assert with_organs(scores)["organ"].fillna("none").tolist() == ["Lung", "none"]


GAPS = {
    "a": "lgr_mechanism",
    "b": "pool_mean",
    "slice": ["<b>", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9"],
    "difference": [0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, -0.1, -0.2],
    "low": [0.5, 0.4, 0.3, 0.2, 0.1, -0.1, np.nan, -0.2, -0.4],
    "high": [0.7, 0.6, 0.5, 0.4, 0.3, 0.2, np.nan, -0.05, -0.1],
}


def test_one_sentence_says_where_a_method_wins_and_loses():
    """Named from the greatest gap; what is open is counted; fewer is better where it is."""
    higher = pd.DataFrame({**GAPS, "metric": "cosine"})
    assert where_words(higher) == (
        "<b>LGR, mechanism is better in 5 of 9</b> (&lt;b&gt; +0.600, s2 +0.500, s3 +0.400, "
        "s4 +0.300 and 1 more); <b>Pool mean is better in 2 of 9</b> (s9 -0.200 and s8 -0.100); "
        "in 1 the interval holds zero; 1 has too few lines or compounds for an interval."
    )
    assert where_words(higher.assign(metric="mae_delta")).startswith(
        "<b>Pool mean is better in 5 of 9</b>"
    )
    nowhere = where_words(higher[5:7])
    assert nowhere.startswith("In <b>none</b> of 2 are the two told apart; in 1 the interval")


def test_where_a_method_beats_its_rival_is_said_and_drawn(visit):
    """A sentence, the gaps as a figure, and all of them as a file."""
    app = visit("where", by="mechanism", metric="cosine")
    page = text(app)
    assert "Where LGR, mechanism beats Pool mean, by mechanism" in page
    assert "of 4" in page
    ((button),) = [b for b in app.get("download_button") if "gaps" in b.proto.id]
    assert button.label == "This table (csv)"
    drawn = [json.dumps(chart) for chart in charts(app)]
    assert any("difference in Cosine" in chart for chart in drawn)


def test_only_methods_with_scores_are_compared(visit):
    """A vector of zeros has no cosine; who was chosen for another metric gives way."""
    app = visit(metric="mae_delta", rival="zero")
    app.selectbox(key="metric").select("cosine").run()
    assert "No change" not in app.selectbox(key="rival").options
    assert (app.selectbox(key="rival").value, link(app)["rival"]) == ("pool_mean", "pool_mean")
    assert "lgr-box" not in text(app)


def test_the_method_of_a_benchmark_is_its_own(visit):
    """Predict keeps what it was asked, and the benchmark what was chosen there."""
    app = visit(scored="lgr_mechanism")
    app.query_params.clear()
    page = text(app.switch_page("pages/views/predict.py").run())
    assert "has no such method" not in page
    assert "method" not in link(app)
    app.query_params.clear()
    assert app.switch_page("pages/views/benchmark.py").run().selectbox(key="scored").value == (
        "lgr_mechanism"
    )


def test_trust_is_drawn_where_it_was_calibrated(visit):
    """Two figures more, with what abstaining gains, n and coverage; a plain sentence elsewhere."""
    app = visit("trust", "made", run="trusted")
    page = text(app)
    assert len(charts(app)) == 2
    assert "LGR, mechanism: the more trusted half (n = " in page
    assert "<td>90.0%<span" in page
    assert "calibrated no trust" not in page
    told = {"reliability", "risk_coverage", "intervals"}
    keys = {button.key for button in app.get("download_button")}
    assert {f"download_{name}.csv" for name in told} <= keys
    plain = visit("trust", "made", run="new")
    assert "calibrated no trust" in text(plain)
    assert not told & {str(b.key).split("_", 1)[-1] for b in plain.get("download_button")}


def test_the_limit_of_the_measurements_is_shown_for_the_very_atlas(visit):
    """The replicates of the run's build; of another build, or an atlas that is gone, nothing."""
    assert "The limit no method can pass" in text(visit(run="trusted"))
    assert "The limit no method can pass" not in text(visit(run="new"))
    assert "The limit no method can pass" not in text(visit(run="elsewhere"))
