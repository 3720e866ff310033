"""Curves over doses hold their numbers; one without an EC50 is a line from dot to dot."""

import json

import numpy as np

from lgr_core.figures.doses import dose_curves
from lgr_core.prediction.hill import HillFit

EVIL = "<img src=x onerror=alert(1)>"


def test_a_curve_is_drawn_where_it_is_known():
    """Two genes: dots and a curve of the first, dots joined of the second."""
    doses, values = np.array([0.1, 1.0, 10.0]), np.array([[0.0, 1, 2], [1, 0, 1]])
    known = HillFit(2.0, 1.0, 1.0, 0.9, 1.0)
    unknown = HillFit(2.0, None, 1.0, 0.1, 10.0)
    figure = dose_curves(["A", EVIL], doses, values, [known, unknown], title="change")
    dots, curve, joined = figure.data
    assert (dots.mode, joined.mode) == ("markers", "lines+markers")
    assert "EC50 1 µM" in dots.name
    assert "EC50" not in joined.name
    np.testing.assert_allclose(curve.y, 2 / (1 + 1 / np.array(curve.x)))
    assert "<img" not in json.dumps(json.loads(figure.to_json()))
