"""The report is one file that needs nothing else, and says what the run says."""

import re
from html import escape

import bench
import pandas as pd
import pytest

from lgr_core.domain import Evidence
from lgr_core.evaluation.figures import number
from lgr_core.evaluation.labels import REGIME_LABELS, UNEQUAL
from lgr_core.evaluation.regimes import Regime, reads_of
from lgr_core.evaluation.report import WHERE_CURVES_END, report_html, write_report
from lgr_core.evaluation.table_labels import choices, config_words, coverage

EVIL = "</script><script>alert(1)</script>$title"
LIMIT = 6_000_000


def conditions(drug="A"):
    """Six lines by four drugs, one of a name that is chosen."""
    rows = [(f"line{i}", name, 5.0) for i in range(6) for name in (drug, "Bb", "Ccc", "Dddd")]
    return pd.DataFrame(rows, columns=["cell_line", "drug", "dose_um"])


@pytest.fixture(scope="module")
def run():
    """A run of all regimes."""
    return bench.run_of(bench.scores_of(conditions(), [str(regime) for regime in Regime]))


@pytest.fixture(scope="module")
def page(run):
    """Its report, without the library that draws."""
    return without_library(report_html(run))


def without_library(text):
    """The report but for the one script that is plotly.js."""
    scripts = re.findall(r"<script[^>]*>.*?</script>", text, flags=re.DOTALL)
    library = max(scripts, key=len)
    assert "plotly.js" in library[:400]
    return text.replace(library, "")


def test_one_file_of_less_than_six_megabytes(run, tmp_path):
    """Folders that are not there are made; the library is in it once."""
    path = tmp_path / "new" / "report.html"
    write_report(run, path)
    assert path.stat().st_size < LIMIT
    assert path.read_text(encoding="utf-8").count("* plotly.js v") == 1


def test_nothing_is_fetched(page):
    """No address of anything outside the file."""
    assert not re.search(r"(src|href)\s*=\s*[\"'](?!#)", page)
    assert "http" not in page
    assert "@import" not in page
    assert "url(" not in page


def test_regimes_come_in_the_papers_order(page):
    """Figures 2 to 4, and the strict regime beside the one it is stricter than."""
    found = re.findall(r'<h2 id="(\w+)">', page)
    assert found[:4] == [str(regime) for regime in REGIME_LABELS]
    for words in REGIME_LABELS.values():
        assert escape(words.asks) in page


def test_six_panels_and_curves_a_regime(page):
    """Each place has a figure, and each figure a place."""
    places = re.findall(r'class="lgr-figure" id="([^"]+)"', page)
    figures = page.split('id="lgr-figures">')[1].split("</script>")[0]
    assert len(places) == 4 * (6 + 3)
    assert all(f'"{place}":{{' in figures for place in places)
    assert page.count(WHERE_CURVES_END) == 4


def test_unequal_evidence_is_said_where_it_is(page):
    """In the regime of unseen lines, and nowhere else."""
    assert page.count(escape(UNEQUAL)) == 1
    chapter = page.split('<h2 id="unseen_cell_line">')[1].split("<h2")[0]
    assert escape(UNEQUAL) in chapter


def test_tables_hold_the_numbers_of_the_run(run, page):
    """Mean and interval as in the run's summary."""
    at = run.summary.query(
        "regime == 'unseen_cell_line' and method == 'drug_mean' and metric == 'cosine'"
    )
    mean, low, high = at[["mean", "low", "high"]].iloc[0]
    chapter = page.split('<h2 id="unseen_cell_line">')[1].split("<h2")[0]
    assert number(mean) in chapter
    assert f"{number(low)} to {number(high)}" in chapter


def test_evidence_and_outcomes_are_in_the_table(run, page):
    """What each method reads, how many neighbours, how often another answered."""
    chapter = page.split('<h2 id="unseen_drug">')[1].split("<h2")[0]
    row = next(
        row for row in chapter.split("<tr>") if "lgr_mechanism" in row and "reads" not in row
    )
    assert "lgr_mechanism" in row
    table = chapter.split("Who reads what")[1]
    row = next(row for row in table.split("<tr>") if "lgr_mechanism" in row)
    assert escape(reads_of(Regime.UNSEEN_DRUG, {Evidence.TARGET_POOL})) in row
    assert "4 compounds and 6 cell lines" in row
    assert "no interval: 4 compounds, fewer than 5" in row
    share = run.summary.query("method == 'lgr_mechanism'")["fallback_share"].iloc[0]
    assert f"<td>{share:.0%}</td>" in row


@pytest.mark.parametrize(("simulated", "words"), [(True, "Simulated data"), (False, "Measured")])
def test_the_badge_says_what_the_data_are(run, simulated, words):
    """Simulated or measured, and the value kind."""
    changed = bench.run_of(run.scores, simulated=simulated, value_kind="zscore")
    text = without_library(report_html(changed))
    badge = text.split('<div class="lgr-badge">')[1].split("</div>")[0]
    assert words in badge
    assert "z-score" in badge
    assert text.count("MAE\\u003cbr\\u003ez-score") == 4


def test_names_are_text(run):
    """Methods, atlases and notes of the run cannot become markup, or end a script."""
    scores = bench.scores_of(conditions(EVIL), ["unseen_drug"], extra=[EVIL])
    evil = bench.run_of(scores, atlas=EVIL, split=EVIL)
    evil.evidence["note"] = EVIL
    text = without_library(report_html(evil))
    assert "alert(1)</script>" not in text
    assert escape(EVIL) in text
    assert "$title" in text


def test_a_run_without_seeds_or_other_k_has_a_report(run):
    """What was not run is said, not drawn."""
    poor = bench.run_of(run.scores[run.scores["regime"] == "unseen_drug"])
    poor.seeds, poor.k_curve = poor.seeds.iloc[:0], poor.k_curve.iloc[:0]
    assert "Not run with other numbers of neighbours" in report_html(poor)


def test_what_was_not_answered_is_counted():
    """A method that does not apply has no number and the count of what it left."""
    scores = bench.scores_of(conditions(), ["unseen_cell_line"], extra=["chemcpa"])
    text = without_library(report_html(bench.run_of(scores)))
    assert "24 not applicable" in text
    assert "no query with a value" in text


def test_trust_is_reported_where_it_was_calibrated(run, page):
    """Two figures and a table in its regime; elsewhere that there is none."""
    assert page.count("calibrated no trust") == len(Regime)
    told = bench.run_of(run.scores, trust=["lgr_mechanism"])
    text = without_library(report_html(told))
    assert "calibrated no trust" not in text
    assert text.count("-reliability") == text.count("-risk") == 2 * len(Regime)
    assert "<td>90.0%<span" in text
    assert "LGR, mechanism: the more trusted half (n = 12)" in text


def test_undefined_metrics_are_named(page):
    """Coverage is that of the others; one number, never a range."""
    table = page.split("Who reads what")[1]
    row = next(row for row in table.split("<tr>") if "No change" in row)
    assert "<td>100%</td>" in row
    assert "undefined: Cosine; Pearson r" in row
    assert "no query with a value" not in row


def test_coverage_is_that_of_most_metrics():
    """The others are told apart; a method without a value has none."""
    metrics = ["cosine", "mae_delta", "mse_delta", "pearson_vs_line_mean"]
    summary = pd.DataFrame({"metric": metrics, "coverage": [1.0, 1.0, 0.82, 0.0]})
    usual, others = coverage(summary)
    assert usual == "100%"
    assert others == ["coverage 82%: MSE", "undefined: Pearson r beyond the line mean"]
    assert coverage(summary.assign(coverage=0.0)) == ("none", [])


def test_the_best_is_bold_as_it_is_shown(run):
    """Two that differ in digits that are not shown are both the best, or neither."""
    changed = bench.run_of(run.scores[run.scores["regime"] == "unseen_drug"])
    best = changed.summary["metric"].eq("cosine") & changed.summary["method"].isin(
        ["lgr_mechanism", "cell_mean"]
    )
    changed.summary.loc[best, "mean"] = [0.9001, 0.9002]
    assert report_html(changed).count("<b>0.900</b>") == 2


def test_a_rival_without_scores_has_no_table(run):
    """Nothing can be compared with it; the next one is."""
    changed = bench.run_of(run.scores[run.scores["regime"] == "unseen_drug"])
    rival = changed.pairs[["a", "b"]].eq("pool_mean").any(axis=1)
    changed.pairs.loc[rival, "n_common"] = 0
    text = without_library(report_html(changed))
    assert "Minus Pool mean" not in text
    assert "Minus Random k" in text


def test_what_a_config_leaves_empty_is_left_out():
    """Values have their labels, mappings stand on one line, what is off is not told."""
    model = {
        "model": "m",
        "temperature": 0.0,
        "repair": False,
        "files": [{"name": "f", "sha256": 1}],
    }
    told = dict(config_words({**bench.CONFIG, "regimes": ["open_world"], "language_model": model}))
    assert told["values"] == "log2 fold change"
    assert told["language model"] == "model m; temperature 0; files f"
    assert told["software"] == "python 3.11.7"
    assert told["seed"] == "0"
    assert told["simulated"] == "yes"
    assert not {"lines", "split", "one form of a compound among neighbours"} & set(told)


def test_what_was_fitted_is_told_by_its_most_common_choice():
    """By method and regime, with the number of folds; parts of nothing count for nothing."""
    fitted = {
        "open_world-0": {"pca_ridge": [50, 10.0], "hybrid": 0.0},
        "open_world-0-random_k": {},
        "open_world-1": {"pca_ridge": [50, 10.0]},
        "open_world-2": {"pca_ridge": [20, 10.0]},
    }
    found = choices(fitted)
    assert found["pca_ridge"][Regime.OPEN_WORLD] == ("components 50; penalty 10", 2, 3)
    assert found["hybrid"][Regime.OPEN_WORLD] == ("least confidence 0", 1, 1)
