"""Figures of many rows hold their numbers, and escape every name."""

import json

import numpy as np

from lgr_core.figures import drugs as drug_figures
from lgr_core.figures.prediction import NOISE

EVIL = "<img src=x onerror=alert(1)>"


def test_a_drug_has_its_mean_and_its_lines():
    """Two drugs, three scores; the first row on top; the dose stays though a name is cut."""
    names = ["A very long name of a drug indeed", "B"]
    figure = drug_figures.ranked_drugs(
        names,
        ["5 µM", "0.5 µM"],
        np.array([0.5, -0.2]),
        [{"L": 0.4, "M": 0.6}, {"L": -0.2}],
        passed=np.array([True, False]),
        title="r",
    )
    lines, sure, unsure = figure.data
    assert list(lines.x) == [0.4, 0.6, -0.2]
    assert list(lines.y) == [0, 0, 1]
    assert (list(sure.x), list(sure.y), sure.marker.color) == ([0.5], [0], drug_figures.HIT)
    assert (list(unsure.x), list(unsure.y), unsure.marker.color) == ([-0.2], [1], NOISE)
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1]
    first, second = figure.layout.yaxis.ticktext
    assert first.endswith("… · 5 µM")
    assert second == "B · 0.5 µM"
    assert sure.customdata[0][0] == names[0]


def test_each_dose_is_a_series():
    """NaN is not drawn."""
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    figure = drug_figures.by_dose(["A", "B"], values, ["5 µM", "0.5 µM"], title="effect")
    high, low = figure.data
    assert (list(high.x), list(high.y)) == ([1.0, 2.0], [0, 1])
    assert (list(low.x), list(low.y)) == ([3.0], [1])
    assert [high.name, low.name] == ["5 µM", "0.5 µM"]


def test_names_are_text():
    """No name of a drug, line or dose reaches the page as markup."""
    one = drug_figures.ranked_drugs(
        [EVIL], ["5 µM"], np.ones(1), [{EVIL: 1.0}], passed=np.array([True]), title=EVIL
    )
    two = drug_figures.by_dose([EVIL], np.ones((1, 1)), [EVIL], title=EVIL)
    for figure in (one, two):
        assert "<img" not in json.dumps(json.loads(figure.to_json()))
