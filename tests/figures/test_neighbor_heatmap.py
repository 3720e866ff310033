"""The heat map of genes in neighbours: rows set apart above, one scale both ways."""

import numpy as np

from lgr_core.figures.neighbor_heatmap import neighbor_heatmap

CHANGES = np.array([[1.0, -3.0], [0.5, 2.0]])


def drawn(**above):
    """Two genes in two drugs below those rows."""
    return neighbor_heatmap(["G1", "G2"], above, ["a", "<i>b</i>"], CHANGES)


def test_the_rows_above_stand_apart():
    """Prediction and truth at 0 and 1, the drugs from 2.5."""
    figure = drawn(Prediction=np.array([0.7, -0.5]), Measured=np.array([1.0, 1.0]))
    assert [trace.y for trace in figure.data] == [(0, 1), (2.5, 3.5)]
    assert figure.layout.yaxis.ticktext == ("Prediction", "Measured", "a", "&lt;i&gt;b&lt;/i&gt;")


def test_no_change_is_the_middle_of_the_scale():
    """-3 is the farthest from 0: the scale ends at 3 both ways, and is shown once."""
    figure = drawn(Prediction=np.array([0.7, -0.5]))
    assert {(trace.zmin, trace.zmax) for trace in figure.data} == {(-3, 3)}
    assert [trace.showscale for trace in figure.data] == [True, False]
