"""The data page without a browser: an atlas in numbers, coverage, quality, all atlases, links."""

import numpy as np
import pytest

from lgr_core.atlas.store import open_atlas
from pages.data import data_state
from tests.support.lab_atlas import UNMEASURED
from tests.support.rendered_page import figures, link, text

# -- an atlas --------------------------------------------------------------------------------------


def test_the_page_opens_on_what_the_data_allow(data_page):
    """One sentence and its reasons, numbers, lines and drugs as tables with files, its making."""
    app = data_page(atlas="lab")
    page = text(app)
    verdict = page.split('class="lgr-verdict"')[1].split("</p>")[0]
    assert "in only 49 % of conditions" in verdict
    assert "how well a measurement repeats is not known" in verdict
    assert "<th>shared wells</th><td>not known</td>" in page
    assert page.index("lgr-verdict") < page.index("lgr-facts")
    assert "<td>69</td>" in page
    assert "<td>log2 fold change</td>" in page
    assert [len(table.value) for table in app.dataframe] == [3, 18]
    assert len(app.get("download_button")) == 2
    assert "cell_line: cell_line (guessed)" in page
    assert link(app) == {"atlas": "lab"}


def test_coverage_of_every_dose_and_of_one(data_page):
    """The grid, and the words above it; the dose is in the link."""
    app = data_page(atlas="lab", part="coverage")
    assert "<b>69 of 108</b> conditions are measured (64 % of 3 lines" in text(app)
    app.segmented_control(key="coverage").set_value("0.5").run()
    assert "<b>17 of 54</b> conditions are measured (31 % of 3 lines" in text(app)
    assert "18 drugs at 0.5 µM)" in text(app)
    assert link(app)["coverage"] == "0.5"
    assert "of 54" in text(data_page(**link(app)))


def test_gaps_are_named(data_page):
    """Vorinostat was measured in one line; the other two say so, at one dose or at any."""
    by_line, by_drug = (
        frame.value for frame in data_page(atlas="lab", part="coverage").dataframe[:2]
    )
    assert by_line.set_index("cell line").loc["A549", "not measured"] == UNMEASURED
    assert by_drug.iloc[0].tolist() == [UNMEASURED, 1, 2, "A549, HepG2/C3A"]
    low = data_page(atlas="lab", part="coverage", coverage="0.5").dataframe[0].value
    assert low.set_index("cell line")["missing"].to_dict() == {
        "HepG2/C3A": 18,
        "LoVo": 18,
        "A549": 1,
    }


def test_the_slider_counts_conditions_of_few_cells(data_page):
    """Of how many, by line and one by one, with the way to each prediction."""
    app = data_page(atlas="lab", part="coverage")
    assert "<b>0 of 69</b> conditions (0 %) have fewer than 10 cells" in text(app)
    app.get("select_slider")[0].set_value(50).run()
    assert "<b>69 of 69</b> conditions (100 %) have fewer than 50 cells" in text(app)
    assert link(app)["min_cells"] == "50"
    lines, each, _ = (table.value for table in app.dataframe if "not measured" not in table.value)
    assert lines["under"].sum() == len(each) == 69
    assert each["predict"].str.startswith("./?atlas=lab&cell_line=").all()
    assert len(figures(app)) == 2


def test_plates_and_doses_are_told_in_words(data_page):
    """What stands on one plate alone, and whether doses can be told from plates."""
    app = data_page(atlas="lab", part="coverage")
    page = text(app)
    assert "1 of 18 drugs stand on one plate alone" in page
    assert "0 of 69 conditions stand on several plates" in page
    assert "Dose and plate" in page
    table = app.dataframe[-1].value
    assert table["plate"].tolist() == ["plate0", "plate1", "plate2"]
    assert "own vehicle" not in table


def test_unknown_cells_and_plates_are_said(data_page, own_home, monkeypatch):
    """No slider, no zeros."""
    store = open_atlas("lab", own_home / "atlases")
    store.conditions["n_cells"] = np.nan
    store.plates = store.plates.iloc[:0]
    monkeypatch.setattr("pages.shared.state.store", lambda _: store)
    app = data_page(atlas="lab", part="coverage")
    page = text(app)
    assert "does not say how many cells" in page
    assert "does not say on which plates" in page
    assert not app.get("select_slider")
    assert "min_cells" not in link(app)


def test_quality_is_told_check_by_check(data_page):
    """Drugs without a structure, and that noise is not known where nothing is repeated."""
    app = data_page(atlas="lab", part="quality")
    page = text(app)
    assert "69 rows kept" in page
    assert "known for 8 of 18 drugs" in page
    assert "so the noise is not known" in page
    assert "Drugs without a structure" in page
    assert "Compound 1" in app.dataframe[0].value["drug"].tolist()
    assert "1 compound in several forms" in text(data_page(atlas="toy", part="quality"))


def test_replicates_show_the_noise_ceiling(data_page, monkeypatch):
    """A line without a ceiling is shown with its r, and no number is made up."""
    report = {
        "rows": {"unit": "cells", "kept": 10, "left_out": {"no drug": 3}},
        "conditions": {"total": 4, "min_cells": 10, "under_minimum": 1, "cells_unknown": 0},
        "vehicles": {
            "compared_by": "here",
            "plates_without": {"p1": ["A"]},
            "profiles": 2,
            "under_minimum": 0,
        },
        "doses": {"confounded": None, "plates": 1},
        "drugs": {"total": 1, "without_structure": [], "twins": [], "alike": [["a-b", "a b"]]},
        "replicates": {
            "conditions": 3,
            "lines": [
                {"cell_line": "A", "n_conditions": 2, "n_plates": 2.0, "replicate_r": 0.5}
                | {"reliability": 2 / 3, "ceiling": 0.8165},
                {"cell_line": "B", "n_conditions": 1, "n_plates": 2.0, "replicate_r": -0.5}
                | {"reliability": None, "ceiling": None},
            ],
        },
    }
    monkeypatch.setattr(data_state, "report", lambda _: report)
    app = data_page(atlas="toy", part="quality")
    page = text(app)
    assert "3 conditions on several plates, in 2 lines" in page
    assert "1 plate without one of their own" in page
    assert "left out for 1 reason" in page
    ceilings = app.dataframe[0].value
    assert ceilings["cell line"].tolist() == ["A", "B"]
    assert np.isnan(ceilings["noise ceiling"][1])
    assert [len(t.value) for t in app.dataframe] == [2, 1, 1, 1]
    assert figures(app)[0]["data"][0]["name"] == "noise ceiling"


def test_all_atlases_are_listed_and_a_broken_one_says_why(data_page, own_home):
    """Kind, size, when; the way to each."""
    (own_home / "atlases" / "broken").mkdir()
    (own_home / "atlases" / "broken" / "index.duckdb").write_bytes(b"no")
    app = data_page(atlas="lab", part="all")
    assert "3 atlases are built" in text(app)
    table = app.dataframe[0].value.set_index("atlas")
    assert table.loc["lab", "data"] == "measured"
    assert table.loc["lab", "conditions"] == 69
    assert table.loc["lab", "seen by"] == "everybody"
    assert table.loc["lab", "open"] == "./data?atlas=lab"
    assert table.loc["broken", "data"] == "cannot be opened"
    app = data_page(atlas="broken", part="quality")
    assert text(app).count('role="alert"') == 1
    app = data_page(atlas="broken", part="own")
    assert "Bring your own data" in text(app)


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"part": "kitchen"}, "kitchen"),
        ({"part": "coverage", "coverage": "77"}, "77"),
        ({"part": "coverage", "min_cells": "-3"}, "min_cells"),
        ({"part": "coverage", "min_cells": "<b>many</b>"}, "min_cells"),
        ({"atlas": "nowhere"}, "nowhere"),
    ],
)
def test_a_bad_link_explains_itself(data_page, wanted, words):
    """One box, and a button to the nearest view."""
    app = data_page(**{"atlas": "lab", **wanted})
    page = text(app)
    assert page.count('role="alert"') == 1
    assert words in page
    assert "<b>many" not in page
    app.button(key="nearest").click().run()
    assert 'role="alert"' not in text(app)
    assert "lgr-title" in text(app)


def test_a_turned_tab_is_remembered_on_another_page(data_page):
    """What was looked at is there again."""
    app = data_page(atlas="lab", part="coverage", min_cells="20")
    app.switch_page("pages/views/browse.py").run()
    app.query_params.clear()
    app.switch_page("pages/views/data.py").run()
    assert "fewer than 20 cells" in text(app)
