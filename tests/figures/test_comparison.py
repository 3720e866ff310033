"""Strips, heat map and gene ranks: what stands where, and names that are no HTML."""

import numpy as np
import pytest

from lgr_core.figures import comparison as compare_figures
from lgr_core.figures.prediction import DOWN, UP

NAN = float("nan")


def mark(figure, name):
    """The trace of that name."""
    return next(trace for trace in figure.data if trace.name == name)


@pytest.fixture
def strips():
    """Two metrics, the second of which is better where it is lower."""
    return compare_figures.strips(
        ["r", "error"],
        {"ours": [0.8, 0.2], "mean": [0.4, 0.6], "silent": [NAN, 0.4]},
        [np.array([0.4, 0.6]), np.array([NAN, NAN])],
        [1.0, 0.0],
        ours="ours",
        other="mean",
    )


def test_each_strip_runs_from_the_worst_to_the_best(strips):
    """0.8 is the best r and 0.2 the least error: both stand at the right end."""
    assert mark(strips, "ours").x == pytest.approx((1, 1))
    assert mark(strips, "mean").x == pytest.approx((0, 0))


def test_who_has_no_score_has_no_mark(strips):
    """Its other mark stays in its own strip."""
    assert mark(strips, "silent").x == pytest.approx((0.5,))
    assert mark(strips, "silent").y == (1,)


def test_a_band_is_drawn_where_draws_have_scores(strips):
    """The second strip has none."""
    bands = [trace for trace in strips.data if trace.legendgroup == "blind"]
    assert [trace.y for trace in bands] == [(0, 0, 0)]
    low, middle, high = bands[0].x
    assert (low, middle, high) == pytest.approx((0.0125, 0.25, 0.4875))


def test_equal_scores_do_not_divide_by_zero():
    """All at the best: nothing is lost."""
    figure = compare_figures.strips(["r"], {"a": [1.0]}, [np.array([1.0, 1.0])], [1.0], ours="a")
    assert np.isfinite(mark(figure, "a").x).all()


def test_every_rival_has_a_mark_of_its_own():
    """Ten rivals, ten symbols."""
    marks = {f"m{i}": [i / 10] for i in range(10)}
    figure = compare_figures.strips(["r"], marks, [np.array([0.1, 0.2])], [1.0], ours="none")
    symbols = {trace.marker.symbol for trace in figure.data if trace.name in marks}
    assert len(symbols) == 10


def test_the_heat_map_is_the_matrix():
    """Blue at -1, red at 1, the first neighbour on top."""
    values = np.array([[1, -0.5], [-0.5, 1]])
    figure = compare_figures.alike(["<b>a</b>", "b" * 60], values)
    heat = figure.data[0]
    np.testing.assert_array_equal(heat.z, values)
    assert (heat.zmin, heat.zmax) == (-1, 1)
    assert heat.colorscale[0][1] == DOWN
    assert heat.colorscale[-1][1] == UP
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.yaxis.ticktext[0] == "&lt;b&gt;a&lt;/b&gt; 1"
    assert len(figure.layout.yaxis.ticktext[1]) < 30


def test_genes_stand_at_their_ranks():
    """Of -1, 3 and 2 the highest is rank 1, and a falling gene is blue."""
    figure = compare_figures.ranked_genes(
        ["A", "B", "C"], np.array([-1.0, 3.0, 2.0]), [1, 0], title="change"
    )
    genes = figure.data[1]
    assert list(genes.x) == [1, 3]
    assert list(genes.y) == [3, -1]
    assert list(genes.marker.color) == [UP, DOWN]
    assert "n = 2" in genes.name
