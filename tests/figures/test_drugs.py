"""Figures of many rows hold their numbers, and escape every name."""

import json

import numpy as np
import pandas as pd
import pytest

from lgr_core.figures import drugs as drug_figures
from lgr_core.figures.drug_map import drug_scatter, panel_gain
from lgr_core.figures.heatmap import gene_heatmap
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


def test_names_are_text():
    """No name of a drug, line or dose reaches the page as markup."""
    one = drug_figures.ranked_drugs(
        [EVIL], ["5 µM"], np.ones(1), [{EVIL: 1.0}], passed=np.array([True]), title=EVIL
    )
    two = gene_heatmap([EVIL], [EVIL], np.ones((1, 1)), title=EVIL)
    drugs = pd.DataFrame({"drug": [EVIL], "mechanism": EVIL, "x": 0.0, "y": 0.0})
    three = drug_scatter(drugs, {EVIL: EVIL}, query=EVIL, picks=[EVIL], explained=(0.5, 0.1))
    for figure in (one, two, three):
        assert "<img" not in json.dumps(json.loads(figure.to_json()))


def test_a_heatmap_has_one_range_both_ways_and_names_its_columns():
    """Red and blue end at the same value; a narrow one names columns by hovering only."""
    values = np.array([[2.0, -1.0, 0.0], [0.5, 0.0, -0.5]])
    figure = gene_heatmap(["G1", "G2"], ["A", "B", "C"], values, title="log2 fold change")
    heat = figure.data[0]
    assert heat.zmax == -heat.zmin == pytest.approx(np.percentile(np.abs(values), 98))
    assert list(figure.layout.xaxis.ticktext) == ["A", "B", "C"]
    assert list(figure.layout.yaxis.ticktext) == ["G1", "G2"]
    narrow = gene_heatmap(["G1", "G2"], ["A", "B", "C"], values, title="x", named=False)
    assert list(narrow.layout.xaxis.ticktext) == []
    assert narrow.data[0].customdata[1].tolist() == ["A", "B", "C"]


def test_the_map_colours_groups_and_rings_the_query_and_its_picks():
    """A ring a pick; of two marked drugs one above the other, the lower one is named below."""
    drugs = pd.DataFrame(
        {"drug": ["A", "B", "C"], "mechanism": "", "x": [0.0, 0.0, 2.0], "y": [0.0, 1.0, 0.0]}
    )
    figure = drug_scatter(
        drugs, {"A": "kinases"}, query="C", picks=["A", "B"], explained=(0.21, 0.12)
    )
    grey, kinases, picks, query = figure.data
    assert (len(grey.x), list(kinases.y), kinases.name) == (2, [0.0], "kinases")
    assert list(picks.text) == ["A", "B"]
    assert list(picks.textposition) == ["bottom center", "top center"]
    assert list(query.text) == ["C"]
    assert "21 %" in figure.layout.annotations[0].text


def test_gains_stand_by_the_size_of_the_panel():
    """Chosen and random drugs, each with its interval."""
    curve = pd.DataFrame(
        {
            "panel": ["greedy", "greedy", "random"],
            "size": [3, 1, 1],
            "gain": [0.2, 0.1, 0.05],
            "low": [0.1, 0.0, 0.0],
            "high": [0.4, 0.2, 0.1],
        }
    )
    chosen, random = panel_gain(curve, title="gain").data
    assert (list(chosen.x), list(chosen.y), list(random.y)) == ([1, 3], [0.1, 0.2], [0.05])
    assert chosen.error_y.array.tolist() == pytest.approx([0.1, 0.2])
    assert chosen.error_y.arrayminus.tolist() == pytest.approx([0.1, 0.1])
