"""Drugs and cell lines: tables that can be searched, a card, effects, and links that hold all."""

from html import escape

import pytest

from lgr_core.domain import ValueKind
from pages.shared import browsing, state
from tests.support.lab_atlas import HOSTILE, UNMEASURED
from tests.support.rendered_page import link, text, turn


@pytest.fixture
def browse(visit):
    """A visit to one of the two pages with that link."""

    def open_link(page, **link):
        return turn(visit(), page, **link)

    return open_link


def shown(app, column):
    """A column of the table of all."""
    return app.dataframe[0].value[column].tolist()


# -- drugs -----------------------------------------------------------------------------------------


def test_every_drug_is_listed_with_a_card_of_one(browse):
    """Trametinib, since it was looked at last; who wrote the tags is said."""
    app = browse("drugs")
    page = text(app)
    assert len(shown(app, "drug")) == 18
    assert "<th>mechanism</th><td>MEK inhibitor</td>" in page
    assert "<th>targets</th><td>MAP2K1, MAP2K2</td>" in page
    assert "annotated for this project by a language model" in page
    assert "GSK1120212" in page
    assert 'alt="structure of Trametinib"' in page
    assert link(app) == {"atlas": "lab", "drug": "Trametinib"}


@pytest.mark.parametrize(
    ("words", "drugs"),
    [
        ("egfr inhibitor", {"Erlotinib", "Gefitinib", "Afatinib"}),
        ("MAP2K1 trame", {"Trametinib"}),
        ("mekinist", {"Trametinib"}),
        ("GSK 1120212", {"Trametinib"}),
        ("compound 3", {"Compound 3"}),
    ],
)
def test_the_table_is_searched_by_name_alias_target_and_mechanism(browse, words, drugs):
    """Every word must be found somewhere; an alias in any spelling leads to its drug."""
    app = browse("drugs")
    app.text_input(key="drugs").input(words).run()
    assert set(shown(app, "drug")) >= drugs
    assert len(shown(app, "drug")) <= 9
    assert link(app)["drugs"] == words
    assert set(shown(browse("drugs", **link(app)), "drug")) == set(shown(app, "drug"))


def test_a_search_in_vain_says_so_and_the_card_stays(browse):
    """One box that says what to do."""
    app = browse("drugs", drugs="no such thing")
    page = text(app)
    assert page.count('role="alert"') == 1
    assert "empty the box" in page
    assert "MEK inhibitor" in page
    app.text_input(key="drugs").input("").run()
    assert "lgr-box" not in text(app)
    assert "drugs" not in link(app)


def test_an_unknown_mechanism_is_called_unclear(browse):
    """No tag is no guess."""
    page = text(browse("drugs", drug="Compound 1"))
    assert "<th>mechanism</th><td>unclear: none is known here</td>" in page
    assert "<th>targets</th><td>unclear: none is known here</td>" in page
    assert "<th>who says so</th><td>no annotation</td>" in page


def test_parent_and_twins_stand_on_the_card(browse):
    """Two forms of one compound name each other."""
    page = text(browse("drugs", atlas="toy", drug="Tofacitinib"))
    assert "<th>other forms here</th><td>Tofacitinib (citrate)</td>" in page


def test_effects_are_by_line_and_dose_and_lead_to_predictions(browse, lab):
    """Four conditions, the norm of each, and a link."""
    app = browse("drugs", drug="Afatinib")
    table = app.dataframe[1].value
    assert len(table) == 4
    strength = state.strength(lab)["effect"]
    row = table.iloc[0]
    rows = lab.conditions.query("drug == 'Afatinib' and cell_line == 'A549' and dose_um == 5")
    assert row["effect size"] == pytest.approx(strength[rows.index[0]])
    assert row["predict"] == "./?atlas=lab&cell_line=A549&drug=Afatinib&dose=5"
    assert "Effect size in each cell line" in text(app)
    assert len(app.get("plotly_chart")) == 1


def test_rank_scores_show_distinctness_and_say_why(browse, monkeypatch):
    """No effect size is made up."""
    store = state.store
    monkeypatch.setattr(state, "store", lambda name: _ranked(store(name)))
    for page in ("drugs", "cell_lines"):
        app = browse(page)
        assert "Rank scores have no effect size" in text(app)
        assert "effect size" not in app.dataframe[1].value
        assert "distinctness" in app.dataframe[1].value


def _ranked(store):
    store.value_kind = ValueKind.RANK_SCORE
    return store


@pytest.fixture(autouse=True)
def _kinds_are_put_back(lab_home, monkeypatch):
    """The shared store is as it was after each test."""
    monkeypatch.setenv("LGR_HOME", str(lab_home))
    yield
    state.store("lab").value_kind = ValueKind.LOG2FC


@pytest.mark.parametrize("drug", HOSTILE)
def test_hostile_names_are_text(browse, drug):
    """On the card and in the figure."""
    app = browse("drugs", drug=drug)
    assert escape(drug) in text(app)
    assert "<img src=x" not in text(app)
    assert drug in shown(app, "drug")


# -- cell lines ------------------------------------------------------------------------------------


def test_every_line_is_listed_with_a_card_of_one(browse):
    """Organ, drivers and ids as shipped."""
    app = browse("cell_lines")
    page = text(app)
    assert shown(app, "cell line") == ["A549", "HepG2/C3A", "LoVo"]
    assert "<th>organ</th><td>Lung</td>" in page
    assert "KRAS" in page
    assert shown(app, "driver genes")[0] == "CDKN2A, CDKN2B, KRAS, SMARCA4, STK11, ZFHX3"
    assert "CVCL_0023" in page
    assert "17 drugs at 5 µM; 17 drugs at 0.5 µM" in page
    assert link(app) == {"atlas": "lab", "cell_line": "A549"}


@pytest.mark.parametrize("words", ["liver", "CVCL_1098", "tert egfr", "hepg2c3a"])
def test_lines_are_searched_by_organ_driver_and_id(browse, words):
    """Any of them leads to HepG2/C3A, its name in any spelling."""
    app = browse("cell_lines", lines=words)
    assert shown(app, "cell line") == ["HepG2/C3A"]
    assert link(app)["lines"] == words


def test_a_line_shows_its_drugs_by_effect(browse):
    """All of its conditions; a drug that was not measured there is not among them."""
    app = browse("cell_lines", cell_line="HepG2/C3A")
    table = app.dataframe[1].value
    assert len(table) == 17
    assert UNMEASURED not in set(table["drug"])
    assert "HepG2%2FC3A" in table["predict"].iloc[0]


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "bad"),
    [
        ("drugs", {"drug": "Trametinob"}),
        ("drugs", {"atlas": "labb"}),
        ("cell_lines", {"cell_line": "MCF7"}),
    ],
)
def test_a_bad_link_explains_itself_and_offers_the_nearest_view(browse, page, bad):
    """One box, no card under a wrong address, and one click to a view that exists."""
    app = browse(page, **bad)
    assert text(app).count('role="alert"') == 1
    assert not app.dataframe
    app.button(key="nearest").click().run()
    assert "lgr-box" not in text(app)
    assert len(app.dataframe) == 2


def test_a_pick_stands_on_the_other_pages(browse):
    """Drug and line of the cards are those of the next prediction."""
    app = browse("drugs")
    app.selectbox(key="drug").select("Gefitinib").run()
    app.query_params.clear()
    app.switch_page("pages/views/cell_lines.py").run()
    app.selectbox(key="cell_line").select("LoVo").run()
    app.query_params.clear()
    app.switch_page("pages/views/predict.py").run()
    assert "Gefitinib <span" in text(app)
    assert (link(app)["drug"], link(app)["cell_line"]) == ("Gefitinib", "LoVo")


def test_words_are_sought_in_any_text_without_case():
    """Every word, not every word in one text."""
    texts = [("Trametinib", "MEK inhibitor"), ("Afatinib", "EGFR inhibitor"), ("", "")]
    assert browsing.matching("INHIB tram", texts) == [True, False, False]
    assert browsing.matching("", texts) == [True, True, True]
