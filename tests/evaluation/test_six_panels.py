"""The figure of a regime: bars in one order, on axes that hold zero, printed in three formats."""

import io
import math
import re

import pandas as pd
import pytest
from PIL import Image

from lgr_core.domain import Change, ValueKind
from lgr_core.evaluation import fragments
from lgr_core.evaluation.figures.print_panels import print_panels
from lgr_core.evaluation.figures.six_panels import six_panels
from lgr_core.evaluation.labels import PAPER_ORDER
from lgr_core.evaluation.regimes import Regime

MEANS = {"lgr_llm": 0.5, "drug_mean": 0.7, "pool_mean": 0.6, "oracle_k": 0.9, "truth": 1.0}


def summary(means=MEANS, metrics=PAPER_ORDER):
    """Rows of one regime: the same means on every metric."""
    return pd.DataFrame(
        [
            (metric, name, mean, mean - 0.1, mean + 0.05, 40, 8)
            for metric in metrics
            for name, mean in means.items()
        ],
        columns=["metric", "method", "mean", "low", "high", "n_queries", "n_undefined"],
    )


def figure(table=None, regime=Regime.UNSEEN_DRUG, **more):
    """The figure of such a regime."""
    table = summary() if table is None else table
    return six_panels(
        table, regime, Change.TOTAL, kind=ValueKind.RANK_SCORE, about="toy data", **more
    )


def test_methods_stand_best_first_controls_below():
    """In the same order in all six panels; the truth, which is perfect, is not drawn."""
    found = figure()
    assert [panel.metric for panel in found.panels] == list(PAPER_ORDER)
    orders = {tuple(bar.name for bar in panel.bars) for panel in found.panels}
    assert orders == {("Drug mean", "LGR, language model", "Oracle", "Pool mean")}
    assert [bar.gap for bar in found.panels[0].bars] == [False, False, True, False]


def test_who_reads_more_is_a_group_of_its_own():
    """The first, whatever it scores."""
    bars = figure(regime=Regime.UNSEEN_CELL_LINE, apart=["lgr_llm"]).panels[0].bars
    assert [bar.name for bar in bars][:2] == ["LGR, language model", "Drug mean"]
    assert [bar.gap for bar in bars] == [False, True, True, False]


def test_axes_hold_zero_and_all_limits():
    """A mean below zero widens the axis to its lower limit."""
    panel = figure(summary({"lgr_llm": -0.2, "drug_mean": 0.4})).panels[0]
    assert (panel.low, panel.high) == pytest.approx((-0.3, 0.45))
    assert panel.share(0.0) == pytest.approx(0.4)
    assert panel.share(0.45) == 1
    assert panel.share(9.0) == 1


def test_a_method_without_a_score_on_a_metric_keeps_its_row():
    """Without a bar, and it says so."""
    table = summary()
    table.loc[(table["metric"] == "cosine") & (table["method"] == "lgr_llm"), "mean"] = math.nan
    bar = figure(table).panels[0].bars[1]
    assert (bar.name, bar.known, bar.text) == ("LGR, language model", False, "none")


@pytest.mark.parametrize(
    ("regime", "title"),
    [
        (Regime.UNSEEN_CELL_LINE, "figure 2"),
        (Regime.UNSEEN_DRUG, "figure 3"),
        (Regime.OPEN_WORLD, "figure 4"),
    ],
)
def test_the_papers_figures_are_named(regime, title):
    """In the title and in the name of the file."""
    found = figure(regime=regime)
    assert title in found.title
    assert found.file.startswith(title.replace(" ", "_"))
    assert "figure" not in figure(regime=Regime.UNSEEN_CELL_LINE_STRICT).title


def test_names_of_others_are_escaped():
    """A file of predictions names a method as it likes."""
    text = fragments.six_panels(figure(summary({"<b>": 0.4, "lgr_llm": 0.5})))
    assert "<b>:" not in text
    assert "&lt;b&gt;" in text
    assert text.count("lgr-six-panel") == 6


def test_an_svg_is_text_that_can_be_edited():
    """Six panel letters, titles, names and values as text, the same bytes every time."""
    data = print_panels(figure(), "svg")
    words = set(re.findall(r"<text[^>]*>([^<]+)</text>", data.decode()))
    assert {"a  Cosine", "f  R2 of the fitted line", "Drug mean", "0.700"} <= words
    assert data == print_panels(figure(), "svg")


@pytest.mark.parametrize(("sheet", "size"), [("slide", (1920, 1080)), ("png", (2700, 1800))])
def test_pictures_have_their_size(sheet, size):
    """A slide is 16 to 9 in full HD."""
    image = Image.open(io.BytesIO(print_panels(figure(), sheet, sentence="Drug mean is best.")))
    assert image.size == size
    assert len(image.convert("L").getcolors()) > 10
