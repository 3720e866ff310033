"""Marks of trust on a figure of genes."""

import numpy as np

from lgr_core.domain import ValueKind
from lgr_core.figures.intervals import add_intervals, grey_unsure, name_bars
from lgr_core.figures.prediction import NOISE, UP, top_genes


def figure():
    """Two genes up, without neighbours."""
    nobody = np.zeros((0, 2))
    return top_genes(["A", "<b>B"], np.array([2.0, 0.5]), nobody, [], kind=ValueKind.LOG2FC)


def test_each_bar_has_its_interval():
    """About its end, and in words; a name is text."""
    bars = add_intervals(name_bars(figure(), "weighted"), np.array([0.4, 0.8])).data[0]
    assert bars.name == "weighted"
    assert list(bars.error_x.array) == [0.4, 0.8]
    assert list(bars.customdata[1]) == ["&lt;b&gt;B", "± 0.80 (90 % interval)"]


def test_a_bar_is_grey_where_its_interval_holds_zero():
    """0.5 within 0.8 of it is; 2 within 0.4 is not."""
    assert grey_unsure(figure(), np.array([0.4, 0.8])).data[0].marker.color == (UP, NOISE)
