"""Figures of an atlas: tiles, bins, names that are escaped."""

import numpy as np
import pandas as pd
import pytest
from lab import IMAGE

from lgr_core.atlas.coverage import cells_histogram, grid
from lgr_core.figures.coverage import cells, coverage


def conditions(drugs, n_cells):
    """A line, and these drugs at two doses."""
    keys = [("A", drug, dose) for drug in drugs for dose in (1.0, 5.0)]
    frame = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    return frame.assign(n_cells=n_cells)


def test_names_are_text_and_hovering_tells_the_number():
    """A drug called like an image; cells on a log scale, told as they are."""
    found = grid(conditions([IMAGE, "b"], [10.0, 1.0, 1000.0, 1.0]), 1.0, every_dose=False)
    figure = coverage(found)
    tiles = figure.data[0]
    np.testing.assert_allclose(tiles.z, [[1, 3]])
    np.testing.assert_allclose(tiles.customdata, [[10, 1000]])
    assert "<img" not in figure.to_json()
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "category"


def test_what_is_the_same_everywhere_has_no_scale():
    """One colour; measured is all there is to say."""
    figure = coverage(grid(conditions(["a"], np.nan), 1.0, every_dose=False))
    assert not figure.data[0].showscale
    assert "measured" in figure.data[0].hovertemplate
    assert not coverage(grid(conditions(["a"], 1.0), None, every_dose=True)).data[0].showscale


def test_many_drugs_are_not_named_on_the_axis():
    """Their number is."""
    figure = coverage(grid(conditions([f"d{i}" for i in range(50)], 5.0), 1.0, every_dose=False))
    assert not figure.layout.xaxis.showticklabels
    assert "50 drugs" in figure.layout.annotations[0].text


@pytest.mark.parametrize(("least", "below"), [(1, 0), (22, 2), (100, 4)])
def test_bins_are_coloured_by_the_number_asked_about(least, below):
    """Two of four conditions have fewer than 22 cells."""
    found = cells_histogram(pd.Series([20.0, 21.0, 22.0, 46.0]), least)
    under, over = cells(*found, least).data
    assert (sum(under.y), sum(over.y)) == (below, 4 - below)
    assert under.showlegend == (below > 0)


def test_an_axis_of_cells_has_ticks_that_do_not_crowd():
    """Powers of ten over decades, else numbers of the range."""
    wide = cells(*cells_histogram(pd.Series([47.0, 15_000.0]), 1_000), 1_000)
    assert wide.layout.xaxis.ticktext == ("100", "1,000", "10,000")
    narrow = cells(*cells_histogram(pd.Series([40.0, 40.0]), 10), 10)
    assert narrow.layout.xaxis.ticktext == ("10", "18", "26", "33", "41")
