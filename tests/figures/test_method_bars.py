"""Bars of scores: a number each, a band of random picks, and words where there is no score."""

import numpy as np
import pytest

from lgr_core.figures.comparison import OURS
from lgr_core.figures.method_bars import BarKind, ScoreBar, method_bars

ROWS = [
    ScoreBar("A repeat", None, BarKind.REPEAT, "no repeat"),
    ScoreBar("ours", 0.617, BarKind.OURS),
    ScoreBar("<b>mean</b>", -0.2),
    ScoreBar("constant", float("nan"), missing="undefined"),
]


def test_every_row_has_its_number_or_says_why_not():
    """A bar of length 0 carries the words."""
    figure = method_bars(ROWS, np.linspace(0, 1, 1001), title="r")
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [bar.text[0] for bar in bars] == ["no repeat", "<b>0.62</b>", "-0.20", "undefined"]
    assert [bar.x[0] for bar in bars] == [0, 0.617, -0.2, 0]
    assert bars[1].marker.color == OURS
    assert figure.layout.yaxis.ticktext[2] == "&lt;b&gt;mean&lt;/b&gt;"


def test_the_band_holds_the_middle_95_percent_of_the_draws():
    """Of 0, 0.001 ... 1: from 0.025 to 0.975; and the axis shows all of it."""
    figure = method_bars(ROWS, np.linspace(0, 1, 1001), title="r")
    (band,) = [trace for trace in figure.data if trace.type == "scatter"]
    assert sorted(set(band.x)) == pytest.approx([0.025, 0.975])
    low, high = figure.layout.xaxis.range
    assert low < -0.2
    assert high > 0.975


def test_draws_without_a_score_have_no_band():
    """None is drawn where the metric is undefined for all of them."""
    figure = method_bars(ROWS, np.full(3, np.nan), title="r")
    assert {trace.type for trace in figure.data} == {"bar"}
