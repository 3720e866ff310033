"""Browse: tables of drugs and cell lines, their cards, the map, what to test next, and links."""

from html import escape

import numpy as np
import pytest

from lgr_core.answer.plan import choose_tests
from lgr_core.retrieval.drug_map import drug_map
from lgr_core.retrieval.specific_change import specific_changes
from lgr_core.retrieval.well_agreement import drug_agreement, well_agreement
from pages.shared import browsing
from tests.support.lab_atlas import HOSTILE, UNMEASURED
from tests.support.plated_atlas import plated_atlas
from tests.support.rendered_page import figures, link, tab_of, text, turn, unfold


@pytest.fixture
def browse(visit):
    """A visit to a tab of the page with that link."""

    def open_link(tab="drugs", **link):
        return turn(visit(), "browse", show=tab, **link)

    return open_link


def shown(app, column):
    """A column of the table of all."""
    return app.dataframe[0].value[column].tolist()


# -- drugs -----------------------------------------------------------------------------------------


def test_every_drug_is_listed_with_a_card_of_one(browse):
    """Trametinib of a link; who wrote the tags is said."""
    app = browse(atlas="lab", drug="Trametinib")
    page = text(app)
    assert len(shown(app, "drug")) == 18
    assert ">18 drugs</h1>" in page
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
    app = browse()
    app.text_input(key="drugs").input(words).run()
    assert set(shown(app, "drug")) >= drugs
    assert len(shown(app, "drug")) <= 9
    assert link(app)["drugs"] == words
    assert set(shown(browse(**link(app)), "drug")) == set(shown(app, "drug"))


def test_a_search_in_vain_says_so_and_the_card_stays(browse):
    """One box that says what to do."""
    app = browse(drugs="no such thing", drug="Trametinib")
    page = text(app)
    assert page.count('role="alert"') == 1
    assert "empty the box" in page
    assert "MEK inhibitor" in page
    app.text_input(key="drugs").input("").run()
    assert "lgr-box" not in text(app)
    assert "drugs" not in link(app)


def test_an_unknown_mechanism_is_called_unclear(browse):
    """No tag is no guess."""
    page = text(browse(drug="Compound 1"))
    assert "<th>mechanism</th><td>unclear: none is known here</td>" in page
    assert "<th>targets</th><td>unclear: none is known here</td>" in page
    assert "<th>who says so</th><td>no annotation</td>" in page


def test_parent_and_twins_stand_on_the_card(browse):
    """Two forms of one compound name each other."""
    page = text(browse(atlas="toy", drug="Tofacitinib"))
    assert "<th>other forms here</th><td>Tofacitinib (citrate)</td>" in page


def test_the_heatmap_is_of_specific_changes_where_plates_are_known(visit, own_home):
    """The genes of the largest mean over lines, from high to low, line by line."""
    store = plated_atlas(own_home / "atlases" / "plated", lines=2)
    app = turn(visit(), "browse", atlas="plated", drug="D03")
    heat = figures(app)[0]["data"][0]
    assert "Strongest specific genes" in text(app)
    rows = np.flatnonzero(store.conditions["drug"] == "D03")
    changes = specific_changes(store).of(rows)
    mean = changes.mean(axis=0)
    strongest = np.argsort(-np.abs(mean), kind="stable")[:30]
    expected = [store.gene_names[gene] for gene in strongest[np.argsort(-mean[strongest])]]
    assert figures(app)[0]["layout"]["yaxis"]["ticktext"] == expected
    np.testing.assert_allclose(
        np.array(heat["z"])[:, 1], np.sort(changes[1][strongest])[::-1], atol=10
    )
    assert "Effect strength: <b>not known</b>" in text(app)


def test_a_plate_of_few_compounds_is_said_to_be_in_the_heatmap(browse):
    """In the toy nothing can be separated from its plate."""
    page = text(browse(atlas="toy", drug="Trametinib"))
    assert "Strongest genes relative to the pool" in page
    assert "what the plate adds is still in them" in page


def test_strength_is_agreement_between_wells(visit, own_home):
    """Replicate plates: the median over lines, as the core has it; the conditions show each."""
    folder = own_home / "atlases" / "repeated"
    store = plated_atlas(folder, lines=2, by_plate=True)
    app = turn(visit(), "browse", atlas="repeated", drug="D03")
    expected = drug_agreement(well_agreement(store)).set_index("drug").loc["D03", "agreement"]
    assert f"Effect strength: <b>{expected:.2f}</b>" in text(app)
    assert "the same form on another plate; median of 2 lines" in text(app)
    app = unfold(app, "box_D03")
    table = app.dataframe[-1].value
    known = well_agreement(store)
    known = known[known["drug"] == "D03"]["agreement"].tolist()
    assert table["agreement of wells"].tolist() == pytest.approx(known)
    assert set(table["second well"]) == {"the same form on another plate"}
    assert table["predict"].iloc[0] == "./?atlas=repeated&cell_line=L0&drug=D03&dose=1"


def test_two_cards_stand_side_by_side(browse):
    """Both in the link; the second one can be taken away."""
    app = browse(atlas="lab", drug="Trametinib")
    app.selectbox(key="beside_drug").select("Gefitinib").run()
    page = text(app)
    assert ">Trametinib</h1>" in page
    assert ">Gefitinib</h1>" in page
    assert len(app.get("plotly_chart")) == 2
    assert link(app)["beside_drug"] == "Gefitinib"
    assert ">Gefitinib</h1>" in text(browse(**link(app)))
    app.selectbox(key="beside_drug").select("").run()
    assert "beside_drug" not in link(app)


@pytest.mark.parametrize("drug", HOSTILE)
def test_hostile_names_are_text(browse, drug):
    """On the card and in the figure."""
    app = browse(drug=drug)
    assert escape(drug) in text(app)
    assert "<img src=x" not in text(app)
    assert drug in shown(app, "drug")


# -- cell lines ------------------------------------------------------------------------------------


def test_every_line_is_listed_with_a_card_of_one(browse):
    """Organ, drivers and ids as shipped."""
    app = browse("cell_lines", atlas="lab", cell_line="A549")
    page = text(app)
    assert shown(app, "cell line") == ["A549", "HepG2/C3A", "LoVo"]
    assert "<th>organ</th><td>Lung</td>" in page
    assert "KRAS" in page
    assert shown(app, "driver genes")[0] == "CDKN2A, CDKN2B, KRAS, SMARCA4, STK11, ZFHX3"
    assert "CVCL_0023" in page
    assert "17 drugs at 5 µM; 17 drugs at 0.5 µM" in page
    assert link(app) == {"atlas": "lab", "show": "cell_lines", "cell_line": "A549"}


@pytest.mark.parametrize("words", ["liver", "CVCL_1098", "tert egfr", "hepg2c3a"])
def test_lines_are_searched_by_organ_driver_and_id(browse, words):
    """Any of them leads to HepG2/C3A, its name in any spelling."""
    app = browse("cell_lines", lines=words)
    assert shown(app, "cell line") == ["HepG2/C3A"]
    assert link(app)["lines"] == words


def test_a_line_shows_its_drugs_together_and_each_condition(browse):
    """A drug that was not measured there is not among them."""
    app = browse("cell_lines", cell_line="HepG2/C3A")
    assert "its 17 drugs differ most" in text(app)
    table = unfold(app, "box_HepG2/C3A").dataframe[1].value
    assert len(table) == 17
    assert UNMEASURED not in set(table["drug"])
    assert "HepG2%2FC3A" in table["predict"].iloc[0]


# -- map and plan ----------------------------------------------------------------------------------


@pytest.fixture
def mapped(visit, own_home):
    """A visit to an atlas of five lines and two plates, and the atlas."""
    store = plated_atlas(own_home / "atlases" / "plated", lines=5)

    def open_link(tab, **link):
        return turn(visit(), "browse", atlas="plated", show=tab, **link)

    return open_link, store


def test_the_map_holds_every_separable_drug_and_marks_the_query_and_its_picks(mapped):
    """Points are the core's; three neighbours have a ring."""
    visit, store = mapped
    app = visit("map", drug="D04", cell_line="L1")
    traces = figures(app)[0]["data"]
    expected = drug_map(store).drugs
    points = [x for trace in traces if trace["mode"] == "markers" for x in trace["x"]]
    assert sorted(points) == pytest.approx(sorted(expected["x"]), abs=1e-3)
    query = next(trace for trace in traces if trace["name"] == "the drug chosen")
    assert query["text"] == ["D04"]
    assert "Map of 26 drugs" in text(app)
    assert "<b>D04</b>" in text(app)
    assert link(app) == {"atlas": "plated", "show": "map", "drug": "D04", "cell_line": "L1"}


def test_an_atlas_that_cannot_be_separated_has_no_map(browse):
    """One box says why, and the tab stays."""
    app = browse("map", atlas="toy")
    assert text(app).count('role="alert"') == 1
    assert link(app)["show"] == "map"


def test_what_to_test_next_is_the_core_s_choice(mapped):
    """Names in order, with a file; gains at a click, and known from then on."""
    visit, store = mapped
    app = visit("plan", plan_k="5")
    assert app.dataframe[0].value["drug"].tolist() == list(choose_tests(store, k=5).drugs)
    assert "first in <b>a new cell line</b> at 1 µM" in text(app)
    assert not app.get("plotly_chart")
    app.button(key="gains").click().run()
    assert len(app.get("plotly_chart")) == 1
    assert "not separable in this atlas" in text(app)
    again = visit("plan", plan_k="5")
    assert len(again.get("plotly_chart")) == 1
    assert link(again) == {"atlas": "plated", "show": "plan", "plan_dose": "1", "plan_k": "5"}


def test_a_line_with_every_drug_measured_has_no_plan(mapped):
    """One box says so."""
    visit, _ = mapped
    page = text(visit("plan", plan_line="L2"))
    assert "all 26 drugs at that dose are measured there" in page


def test_a_tab_is_turned_and_stays_for_the_visit(browse):
    """The link names it; back from another page it is open."""
    app = tab_of(browse(atlas="lab"), "cell_lines")
    assert link(app)["show"] == "cell_lines"
    app.query_params.clear()
    app.switch_page("pages/views/data.py").run()
    app.query_params.clear()
    app.switch_page("pages/views/browse.py").run()
    assert link(app)["show"] == "cell_lines"


# -- links -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tab", "bad"),
    [
        ("drugs", {"drug": "Trametinob"}),
        ("drugs", {"beside_drug": "Trametinob"}),
        ("drugs", {"atlas": "labb"}),
        ("cell_lines", {"cell_line": "MCF7"}),
        ("cell_lines", {"beside_line": "MCF7"}),
        ("plan", {"plan_line": "MCF7"}),
        ("plan", {"plan_dose": "7"}),
        ("plan", {"plan_k": "7"}),
        ("maps", {}),
    ],
)
def test_a_bad_link_explains_itself_and_offers_the_nearest_view(browse, tab, bad):
    """One box, no card under a wrong address, and one click to a view that exists."""
    app = browse(tab, **bad)
    assert text(app).count('role="alert"') == 1
    assert not app.dataframe
    app.button(key="nearest").click().run()
    assert "This link cannot be shown" not in text(app)


@pytest.mark.parametrize("tab", ["drugs", "cell_lines"])
def test_addresses_of_old_lead_to_their_tab(visit, tab):
    """With all that they ask."""
    app = turn(visit(), tab, atlas="lab", drug="Gefitinib", cell_line="LoVo")
    name = {"drugs": "Gefitinib", "cell_lines": "LoVo"}[tab]
    assert f">{name}</h1>" in text(app)


def test_a_pick_stands_on_the_other_pages(browse):
    """Drug and line of the cards are those of the next prediction."""
    app = browse(atlas="lab")
    app.selectbox(key="drug").select("Gefitinib").run()
    tab_of(app, "cell_lines")
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
