"""Figures hold the numbers they are given, name their units, and escape every name."""

import json

import numpy as np
import pytest

from lgr_core.domain import ValueKind
from lgr_core.figures import prediction as figures
from lgr_core.prediction.significance import direction

GENES = ["A", "B", "C"]
NEIGHBORS = np.array([[1.0, -2.0, 3.0], [3.0, -2.0, -3.0], [2.0, -2.0, 0.0]])
MEAN = NEIGHBORS.mean(axis=0)


def draw(**options):
    """The three genes with their three neighbours."""
    options = {"kind": ValueKind.LOG2FC, **options}
    return figures.top_genes(GENES, MEAN, NEIGHBORS, ["x", "y", "z"], **options)


def compare(genes=GENES, **options):
    """The three genes against a truth."""
    options = {"kind": ValueKind.LOG2FC, **options}
    return figures.predicted_vs_measured(
        genes, MEAN, np.array([1.0, -1.0, 4.0]), np.array([1, -1, 0]), **options
    )


def words(figure):
    """All that the browser is told."""
    return json.dumps(json.loads(figure.to_json()), ensure_ascii=False)


def test_a_change_is_noise_within_two_standard_errors():
    """A: mean 2, s = 1, 2 s / sqrt(3) = 1.155, up. B: no spread, down. C: mean 0, noise."""
    assert direction(MEAN, NEIGHBORS).tolist() == [1, -1, 0]
    wide = np.array([[0.0], [2.0], [4.0]])
    assert direction(np.array([2.30]), wide).tolist() == [0]
    assert direction(np.array([2.32]), wide).tolist() == [1]


def test_of_two_neighbours_no_spread_is_known():
    """The sign alone decides."""
    assert direction(np.array([0.1, -0.1, 0.0]), NEIGHBORS[:2]).tolist() == [1, -1, 0]


def test_bars_are_the_prediction_and_dots_every_neighbour():
    """Three bars in three colours, nine dots within their rows, each naming its drug."""
    bars, dots = draw().data
    assert bars.x.tolist() == [2.0, -2.0, 0.0]
    assert list(bars.marker.color) == [figures.UP, figures.DOWN, figures.NOISE]
    assert dots.x.tolist() == NEIGHBORS.ravel().tolist()
    assert np.round(dots.y).tolist() == [0, 1, 2] * 3
    assert [drug for drug, _ in dots.customdata[:4]] == [*["x, neighbour 1"] * 3, "y, neighbour 2"]
    assert "mean of 3 neighbours" in bars.name


def test_the_measured_change_stands_beside_where_it_is_known():
    """One diamond a gene."""
    *_, diamonds = draw(measured=np.array([1.0, 2.0, 3.0])).data
    assert diamonds.x.tolist() == [1.0, 2.0, 3.0]
    assert diamonds.marker.symbol == "diamond-open"


def test_a_fallback_has_bars_alone():
    """Without neighbours the bars say so, and no dot is drawn."""
    figure = figures.top_genes(GENES, MEAN, NEIGHBORS[:0], [], kind=ValueKind.LOG2FC)
    (bars,) = figure.data
    assert "fallback" in bars.name


def test_no_gene_is_a_figure_too():
    """A prediction of zero throughout has no strongest gene."""
    figure = figures.top_genes([], MEAN[:0], NEIGHBORS[:, :0], ["x"] * 3, kind=ValueKind.LOG2FC)
    assert figure.layout.height > 0


@pytest.mark.parametrize("kind", list(ValueKind))
def test_every_axis_names_its_unit(kind):
    """The value kind stands on each axis of a change."""
    assert kind.label in words(draw(kind=kind))
    figure = compare(kind=kind)
    assert figure.layout.yaxis.title.text == f"measured change<br>{kind.label}"
    assert figure.layout.annotations[0].text == f"predicted change<br>{kind.label}"


def test_points_are_coloured_and_counted():
    """One gene each way, each trace with its n."""
    traces = {trace.marker.color: trace for trace in compare().data[:3]}
    assert traces[figures.UP].x.tolist() == [2.0]
    assert traces[figures.DOWN].y.tolist() == [-1.0]
    assert traces[figures.NOISE].customdata.tolist() == ["C"]
    assert traces[figures.UP].name == "predicted up (n = 1)"


def test_both_axes_have_one_range_so_that_the_diagonal_is_equality():
    """The line runs from corner to corner."""
    layout = compare().layout
    assert layout.xaxis.range == layout.yaxis.range
    assert (layout.shapes[0].x0, layout.shapes[0].y0) == (layout.xaxis.range[0],) * 2


def test_labels_do_not_cover_one_another():
    """Of genes in one place only the strongest is named; no more than ten are."""
    rng = np.random.default_rng(0)
    x = np.concatenate([np.full(20, 1.0), rng.normal(size=200)])
    figure = figures.predicted_vs_measured(
        [f"G{i}" for i in range(220)], x, x, np.sign(x).astype(int), kind=ValueKind.ZSCORE
    )
    labels = figure.data[-1]
    assert len(labels.text) <= 10
    assert len(set(labels.x.tolist())) == len(labels.x)


def test_a_silent_prediction_is_a_figure_too():
    """Nothing divides by zero where nothing changes."""
    zeros = np.zeros(3)
    figure = figures.predicted_vs_measured(
        GENES, zeros, zeros, zeros.astype(int), kind=ValueKind.LOG2FC
    )
    assert np.isfinite(figure.layout.xaxis.range).all()


def test_many_genes_are_drawn_on_a_canvas():
    """Beyond 5,000 points an element a point would stall the browser."""
    n = 6_000
    x = np.linspace(-1, 1, n)
    figure = figures.predicted_vs_measured(
        [str(i) for i in range(n)], x, x, np.sign(x).astype(int), kind=ValueKind.LOG2FC
    )
    assert figure.data[0].type == "scattergl"
    assert compare().data[0].type == "scatter"


def test_names_are_text_not_markup():
    """Plotly reads HTML in labels and hovers: names of genes and drugs are escaped."""
    evil = '<a href="javascript:alert(1)">x</a>'
    bars = figures.top_genes([evil], MEAN[:1], NEIGHBORS[:1, :1], [evil], kind=ValueKind.LOG2FC)
    for figure in (bars, compare([evil] * 3)):
        shown = words(figure)
        assert "<a" not in shown
        assert "&lt;a" in shown
