"""The figures of a benchmark hold the run's numbers, and say what they are."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.domain import ValueKind
from lgr_core.evaluation import figures
from lgr_core.evaluation.registry import REGISTRY
from lgr_core.figures.prediction import DOWN, NOISE, TRUTH, UP
from lgr_core.metrics import METRICS
from tests.support import benchmark_runs

KIND = ValueKind.LOG2FC
REGIME = "unseen_cell_line"
MARKS = ("lowerfence", "q1", "median", "q3", "upperfence")
EVIL = '<a href="javascript:alert(1)">x</a>'


@pytest.fixture(scope="module")
def run():
    """Six lines by four drugs, with predictions of someone whose name is markup."""
    lines, drugs = [f"line{i}" for i in range(6)], ["A", "Bb", "Ccc", "Dddd"]
    rows = [(line, drug, 5.0) for line in lines for drug in drugs]
    conditions = pd.DataFrame(rows, columns=["cell_line", "drug", "dose_um"])
    return benchmark_runs.run_of(benchmark_runs.scores_of(conditions, [REGIME], extra=[EVIL]))


def row(table, **where):
    """The one row where these columns have these values."""
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


def trace(figure, method):
    """The trace of a method."""
    names = {trace.name: trace for trace in figure.data}
    return names[figures.method_style(method).label]


def panel(run, metric, **options):
    """A panel of the run."""
    return figures.metric_panel(run.summary, run.seeds, metric, kind=KIND, **options)


def words(figure):
    """All that the browser is told."""
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


def test_a_dot_is_the_mean_and_its_bar_the_interval(run):
    """Both ends of the bar are those of the run's table."""
    found = row(run.summary, method="lgr_mechanism", metric="cosine")
    dot = trace(panel(run, "cosine"), "lgr_mechanism")
    assert list(dot.x) == [found["mean"]]
    assert dot.x[0] + dot.error_x.array[0] == pytest.approx(found["high"])
    assert dot.x[0] - dot.error_x.arrayminus[0] == pytest.approx(found["low"])


def test_random_drugs_are_a_band_and_the_oracle_a_line(run):
    """Neither has a row of its own, nor has the truth; the band is the range over the seeds."""
    figure = panel(run, "cosine")
    band, line = figure.layout.shapes
    means = run.seeds.loc[run.seeds["metric"] == "cosine", "mean"]
    assert (band.type, band.x0, band.x1) == ("rect", means.min(), means.max())
    assert line.x0 == row(run.summary, method="oracle_k", metric="cosine")["mean"]
    assert line.line.color == TRUTH
    drawn = {trace.name for trace in figure.data}
    assert not drawn & {
        figures.method_style(name).label for name in ("random_k", "oracle_k", "truth")
    }


def test_methods_that_read_more_stand_above_a_line(run):
    """Where evidence is unequal the panel parts the methods; their rows do not mix."""
    above = ["lgr_mechanism", "lgr_chemistry", "pool_mean"]
    figure = panel(run, "cosine", apart=above)
    line = figure.layout.shapes[-1].y0
    for method in benchmark_runs.QUALITY:
        if method not in {"random_k", "oracle_k", "truth"}:
            assert (trace(figure, method).y[0] < line) == (method in above)


def test_what_is_undefined_is_said_to_be(run):
    """Cosine of a zero vector has no value: the row stays, with a word at its end."""
    figure = panel(run, "cosine")
    y = trace(figure, "zero").y[0]
    assert [note.text for note in figure.layout.annotations if note.y == y and note.x == 1][:1] == [
        "none"
    ]
    assert np.isnan(trace(figure, "zero").x[0])


@pytest.mark.parametrize("metric", METRICS)
def test_the_value_kind_stands_where_numbers_depend_on_it(run, metric):
    """On the axis of an error, not on that of a correlation."""
    assert (KIND.label in words(panel(run, metric))) == METRICS[metric].scale_dependent


@pytest.mark.parametrize(
    ("method", "label"),
    [
        ("cell_mean", "Cell mean<br>(fallback)"),
        ("lgr_llm_shrunken", "LGR, language<br>model,… (fallback)"),
    ],
)
def test_who_only_fell_back_is_marked(run, method, label):
    """In its label, which may be cut, but not there, and in its hover; nobody else is."""
    summary = run.summary.replace({"method": {"cell_mean": method}})
    summary.loc[summary["method"] == method, "fallback_share"] = 1.0
    figure = figures.metric_panel(summary, run.seeds, "cosine", kind=KIND)
    marked = [text for text in figure.layout.yaxis.ticktext if "(fallback)" in text]
    assert marked == [label]
    assert trace(figure, method).customdata[0].endswith("<br>all answered by its fallback")
    assert words(figure).count("by its fallback") == 1


def test_names_of_guests_are_text_not_markup(run):
    """Plotly reads HTML in labels and hovers."""
    pairs = figures.against(run.pairs, EVIL)
    rows = run.scores[run.scores["metric"] == "cosine"]
    for figure in (
        panel(run, "cosine"),
        figures.gaps(pairs, EVIL, "cosine", kind=KIND),
        figures.distributions(rows, "cosine", kind=KIND),
    ):
        shown = words(figure)
        assert "<a" not in shown
        assert "&lt;a" in shown


def test_gaps_can_be_read_from_either_side(run):
    """Turned around, differences, limits and win rates turn too."""
    pairs = run.pairs
    found = row(pairs, a="cell_mean", b="pool_mean", metric="cosine")
    turned = row(figures.against(pairs, "cell_mean"), a="pool_mean", metric="cosine")
    assert turned["difference"] == -found["difference"]
    assert (turned["low"], turned["high"]) == (-found["high"], -found["low"])
    assert turned["win_rate"] == 1 - found["win_rate"]
    straight = row(figures.against(pairs, "pool_mean"), a="cell_mean", metric="cosine")
    assert straight["difference"] == found["difference"]


def test_a_nil_gap_turned_is_not_negative(run):
    """Nor are its limits."""
    pairs = run.pairs.assign(difference=0.0, low=0.0, high=0.0)
    turned = row(figures.against(pairs, "cell_mean"), a="pool_mean", metric="cosine")
    assert not np.signbit(turned[["difference", "low", "high"]].astype(float)).any()


LETTER = 6.2
"""Pixels of a digit at the end of a row in one of the wider fonts, with those of its sign."""


@pytest.mark.parametrize("gap", [0.3, 0.00892, -0.000123, -3e-7])
def test_numbers_fit_beside_their_rows(run, gap):
    """The margin holds the longest; without small ones it is not wide."""
    pairs = figures.against(run.pairs, "pool_mean")
    pairs.loc[pairs["a"] == "cell_mean", "difference"] = gap
    figure = figures.gaps(pairs, "pool_mean", "cosine", kind=KIND)
    notes = figure.layout.annotations[1:]
    assert figures.number(gap, "+") in [note.text.replace("&gt;", ">") for note in notes]
    longest = max(len(note.text.replace("&gt;", ">")) for note in notes)
    assert 6 + LETTER * longest < figure.layout.margin.r < 20 + 7 * longest


def test_counts_fit_beside_their_slices():
    """Those of many thousands too."""
    table = pd.DataFrame(
        {"slice": ["a"], "method": ["cell_mean"], "mean": [0.5], "low": [0.4], "high": [0.6]}
    ).assign(n_queries=19_000, n_undefined=0)
    figure = figures.slices(table, ["cell_mean"], "cosine", kind=KIND)
    assert figure.layout.annotations[1].text == "n 19,000"
    assert figure.layout.margin.r > 6 + LETTER * len("n 19,000")


def test_every_gap_to_the_rival_is_drawn(run):
    """But for the rival itself, and the truth that beats all."""
    figure = figures.gaps(figures.against(run.pairs, "pool_mean"), "pool_mean", "cosine", kind=KIND)
    found = row(run.pairs, a="lgr_mechanism", b="pool_mean", metric="cosine")
    assert list(trace(figure, "lgr_mechanism").x) == [found["difference"]]
    assert len(figure.data) == len(run.config["methods"]) - 2


def test_slices_stand_side_by_side_in_the_order_given():
    """Two methods a slice, each within its row; a slice without a name is not known."""
    table = pd.DataFrame(
        {
            "slice": ["b", "b", "a", "a", None, None],
            "method": ["cell_mean", "lgr_mechanism"] * 3,
            "mean": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            "low": np.nan,
            "high": np.nan,
            "n_queries": [7, 7, 5, 5, 2, 2],
            "n_undefined": 0,
        }
    )
    figure = figures.slices(table, ("lgr_mechanism", "cell_mean"), "cosine", kind=KIND)
    ours = trace(figure, "lgr_mechanism")
    assert list(ours.x) == [0.2, 0.4, 0.6]
    assert np.round(ours.y).tolist() == [0, 1, 2]
    assert list(figure.layout.yaxis.ticktext) == ["b", "a", "not known"]
    assert "n 7" in words(figure)


@pytest.mark.parametrize(
    ("metric", "above", "below"),
    [
        ("cosine", "LGR, mechanism is better", "Cell mean is better"),
        ("mae_delta", "Cell mean is better", "LGR, mechanism is better"),
        ("slope", "LGR, mechanism is higher", "Cell mean is higher"),
    ],
)
def test_a_gap_by_slice_says_who_is_better(metric, above, below):
    """Coloured where the interval misses zero, grey where it holds it, hollow without one."""
    table = pd.DataFrame(
        {
            "slice": ["w", EVIL, "y", "z"],
            "a": "lgr_mechanism",
            "b": "cell_mean",
            "metric": metric,
            "difference": [0.3, 0.1, 0.0, -0.3],
            "low": [0.2, -0.1, np.nan, -0.4],
            "high": [0.4, 0.2, np.nan, -0.1],
            "win_rate": 0.5,
            "n_common": [9, 8, 7, 6],
        }
    )
    figure = figures.slice_gaps(table, kind=KIND)
    drawn = {trace.name: (trace.marker.color, list(trace.y)) for trace in figure.data}
    assert drawn == {
        above: (UP, [0]),
        "not told apart": (NOISE, [1]),
        "no interval": (NOISE, [2]),
        below: (DOWN, [3]),
    }
    assert [note.text for note in figure.layout.annotations[1:]] == ["n 9", "n 8", "n 7", "n 6"]
    assert "<a" not in words(figure)


def test_flags_are_words():
    """A slice of a flag is yes or no."""
    flags = pd.Series([True, False])
    assert [figures.slice_words(flag) for flag in (*flags, None, "x")] == [
        *("yes", "no", "not known", "x")
    ]


def test_boxes_are_quartiles(run):
    """The middle half of the conditions, whiskers from 5 to 95 %."""
    rows = run.scores[run.scores["metric"] == "cosine"]
    values = rows.loc[rows["method"] == "cell_mean", "value"]
    box = trace(figures.distributions(rows, "cosine", kind=KIND), "cell_mean")
    shown = [box[mark][0] for mark in MARKS]
    assert shown == pytest.approx(np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist())


def test_a_box_says_its_quartiles_in_words(run):
    """Not plotly's, which call the whiskers minimum and maximum; at each mark of the box."""
    rows = run.scores[(run.scores["metric"] == "cosine") & (run.scores["method"] == "cell_mean")]
    box, told = figures.distributions(rows, "cosine", kind=KIND).data
    assert box.hoverinfo == "skip"
    assert told.marker.opacity == 0
    assert list(told.x) == [box[mark][0] for mark in MARKS]
    said = [figures.number(box[mark][0]) for mark in MARKS]
    assert [list(each) for each in told.customdata] == [said] * len(MARKS)
    for part in ("<b>Cell mean</b>", "median %{customdata[2]}", f"n = {len(rows)}"):
        assert part in told.hovertemplate


def test_a_duel_has_one_range_and_a_point_a_condition():
    """On the line both are equal; points keep their order, which is how a click finds its row."""
    both = pd.DataFrame(
        {
            "cell_line": ["l", EVIL],
            "drug": ["d", EVIL],
            "dose_um": [5.0, np.nan],
            "lgr_mechanism": [0.5, 0.7],
            "cell_mean": [0.1, 0.9],
        }
    )
    figure = figures.duel(both, "lgr_mechanism", "cell_mean", "cosine", kind=KIND)
    (points,) = figure.data
    assert (list(points.x), list(points.y)) == ([0.1, 0.9], [0.5, 0.7])
    assert figure.layout.xaxis.range == figure.layout.yaxis.range
    assert [name[2] for name in points.customdata] == ["5 µM", "pooled doses"]
    assert "<a" not in words(figure)
    none = figures.duel(both.iloc[:0], "lgr_mechanism", "cell_mean", "cosine", kind=KIND)
    assert len(none.data[0].x) == 0


def test_a_third_line_below_a_duel_has_its_room():
    """That of the unit; the points keep theirs."""
    both = pd.DataFrame(
        {"cell_line": ["l"], "drug": ["d"], "dose_um": [5.0], "cell_mean": [0.1], "zero": [0.2]}
    )

    def room(metric):
        layout = figures.duel(both, "cell_mean", "zero", metric, kind=KIND).layout
        assert layout.annotations[0].text.count("<br>") == 1 + METRICS[metric].scale_dependent
        margin = layout.margin.t + layout.margin.b
        return layout.margin.b, layout.height - margin

    bare, with_unit = room("cosine"), room("mse_delta")
    assert with_unit[0] >= bare[0] + 18
    assert with_unit[1] == bare[1]


def test_shares_of_k_used_add_up(run):
    """Of the selectors only: a control that draws k is no news."""
    rows = run.scores[run.scores["metric"] == "cosine"]
    figure = figures.k_histogram(rows, 10)
    assert {bar.name for bar in figure.data} == {"LGR, mechanism", "LGR, chemistry"}
    for bar in figure.data:
        assert sum(bar.y) == pytest.approx(1)
    used = rows.loc[rows["method"] == "lgr_mechanism", "k_used"]
    assert trace(figure, "lgr_mechanism").y[7] == pytest.approx((used == 7).mean())


def test_curves_run_over_k(run):
    """One line a method, in the order of k."""
    figure = figures.k_curves(run.k_curve, "cosine", 10, kind=KIND)
    assert list(trace(figure, "lgr_mechanism").x) == list(benchmark_runs.KS)
    assert figure.layout.shapes[0].x0 == 10


def test_the_registry_is_drawn_in_colour_only_where_it_retrieves():
    """Colours of retrieval differ from one another and from all others; symbols never repeat."""
    looks = {name: figures.method_style(name) for name in REGISTRY}
    coloured = [
        method_style.colour
        for method_style in looks.values()
        if method_style.group is figures.Group.RETRIEVAL
    ]
    rest = {
        method_style.colour
        for method_style in looks.values()
        if method_style.group is not figures.Group.RETRIEVAL
    }
    assert len(set(coloured)) == len(coloured)
    assert not set(coloured) & rest
    marks = [(method_style.colour, method_style.symbol) for method_style in looks.values()]
    assert len(set(marks)) == len(marks)


def test_methods_are_shown_by_group():
    """Retrieval, guests, baselines, controls; among controls the truth comes last."""
    names = ["truth", "pool_mean", "cell_mean", "someone", "lgr_chemistry", "lgr_mechanism"]
    assert figures.ordered(names) == [
        *("lgr_mechanism", "lgr_chemistry", "someone", "cell_mean", "pool_mean", "truth")
    ]


@pytest.mark.parametrize(
    ("value", "sign", "shown"),
    [
        (0.51234, "-", "0.512"),
        (-0.2, "-", "-0.200"),
        (0.08, "-", "0.0800"),
        (-0.05, "+", "-0.0500"),
        (0.011, "+", "+0.0110"),
        (0.09996, "-", "0.100"),
        (0.9996, "-", "1.00"),
        (1.1914, "-", "1.19"),
        (12345.6, "+", "+12,346"),
        (0.00012345, "-", "0.000123"),
        (3.1e-05, "-", "0.000031"),
        (-3e-7, "+", ">-0.000001"),
        (2e-12, "+", "<0.000001"),
        (0.0, "+", "0.000"),
        (-0.0, "+", "0.000"),
        (float("nan"), "+", "none"),
    ],
)
def test_numbers_have_three_digits(value, sign, shown):
    """Zeros at the end too; no powers of ten, and nothing but nil looks nil."""
    assert figures.number(value, sign) == shown


def test_a_number_below_all_places_is_text_in_figures(run):
    """Its sign of comparison is not read as markup."""
    pairs = figures.against(run.pairs, "pool_mean").assign(difference=1e-9, low=-1e-9, high=2e-9)
    figure = figures.gaps(pairs, "pool_mean", "cosine", kind=KIND)
    assert figure.layout.annotations[1].text == "&lt;0.000001"
    assert (
        figure.data[0]
        .customdata[0]
        .startswith("&lt;0.000001 (95 % interval &gt;-0.000001 to &lt;0.000001)<br>")
    )


@pytest.mark.parametrize("metric", ["slope", "magnitude_ratio"])
def test_a_gap_of_what_is_best_nearest_claims_no_better(run, metric):
    """Above zero is higher, which may be worse; wins count who is nearer."""
    pairs = figures.against(run.pairs, "pool_mean")
    pairs = pairs[pairs["metric"] == "cosine"].assign(metric=metric)
    said = words(figures.gaps(pairs, "pool_mean", metric, kind=KIND))
    assert not any(claim in said for claim in ("better", "beats", "worse"))


def test_quotation_marks_beside_a_row_stay_what_they_are(run):
    """Plotly knows no entity for them, and would print it letter by letter; markup is escaped."""
    pairs = run.pairs[run.pairs["metric"] == "cosine"]
    figure = figures.gaps(figures.against(pairs, "pool_mean"), "pool_mean", "cosine", kind=KIND)
    labels = [text for text in figure.layout.yaxis.ticktext if "href" in text]
    assert len(labels) == 1
    assert "&quot;" not in labels[0]
    assert '"' in labels[0]
    assert labels[0].startswith("&lt;a")
