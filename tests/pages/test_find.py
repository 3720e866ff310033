"""Find drugs: from a change or pasted genes, in one line or all, by link or by hand."""

import json
from html import escape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from lgr_core.answer import predict
from lgr_core.domain import Condition
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.retrieval.specific_change import View, changes_of, measured_change
from lgr_core.signatures.gene_lists import whole_change
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.search import DrugHits, find_drugs
from pages.find import finding, gene_boxes, headline
from pages.find.views import LINES
from tests.support.lab_atlas import IMAGE, UNMEASURED
from tests.support.plated_atlas import plated_atlas
from tests.support.rendered_page import link, text, turn, unfold

BOOK = MechanismAnnotations.load()


@pytest.fixture
def find(visit):
    """A visit to the page with that link."""

    def open_link(**link):
        return turn(visit(), "find", **link)

    return open_link


def found(app):
    """The table of drugs."""
    return app.dataframe[0].value


def test_conditions_are_listed_when_they_are_opened(find):
    """One row a condition, with a way to its prediction."""
    app = find()
    closed = len(app.dataframe)
    app = unfold(app, "conditions")
    assert len(app.dataframe) == closed + 1
    table = app.dataframe[-1].value
    assert table["predict"].str.startswith("./?").all()


def test_the_page_opens_on_a_finished_example(find, lab):
    """What mimics the change that was looked at last: figure, mechanisms, tables, link."""
    app = find()
    page = text(app)
    assert "Drugs that mimic the measured change of Trametinib in A549 at 5 µM" in page
    assert "mimic it, of 16 drugs in <b>A549</b> (lowest FDR " in page
    assert "MEK inhibitor<span" in page
    assert len(app.get("plotly_chart")) == 1
    assert link(app) == {
        "atlas": "lab",
        "from": "measured",
        "cell_line": "A549",
        "drug": "Trametinib",
        "dose": "5",
        "where": "own",
        "at": "all",
        "look": "mimic",
    }


def test_what_is_shown_is_what_the_core_finds(find, lab):
    """The table holds the search, dose by dose, and leads on to each prediction."""
    asked = {"atlas": "lab", "from": "measured", "drug": "Gefitinib", "cell_line": "LoVo"}
    app = find(**asked, where="all", view="total")
    row = lab.row(Condition("LoVo", "Gefitinib", 5.0))
    signature = whole_change(lab.deltas(np.array([row]))[0], drug="Gefitinib")
    expected = find_drugs(lab, signature, SignatureLibrary.read(lab, BOOK)).drugs
    table = found(app)
    assert table["drug"].tolist() == expected["drug"].tolist()
    np.testing.assert_allclose(table["score"], expected["score"])
    np.testing.assert_allclose(table["FDR"], expected["fdr"])
    np.testing.assert_allclose(table["p (changes)"], expected["p_others"])
    assert list(table)[4:6] == ["FDR", "score"]
    assert table["note"].iloc[0] == "itself"
    assert table["predict"].iloc[0] == "./?atlas=lab&cell_line=LoVo&drug=Gefitinib&dose=5"


@pytest.mark.parametrize(
    ("reverse", "fdr", "score", "title", "lead"),
    [
        (False, 0.01, 0.5, "Drugs that mimic it", "<b>A</b> mimics it, of 2 drugs in"),
        (False, 0.2, 0.5, "Closest to it", "none is significant: the lowest FDR is 0.2, and 0.05"),
        (False, 0.01, -0.5, "Closest to it", "<b>A and B</b> come first of 2 drugs"),
        (True, 0.05, -0.5, "Drugs that reverse it", "<b>A</b> reverses it, of 2 drugs in"),
        (
            True,
            0.2,
            -0.5,
            "No drug reverses it",
            "perhaps by chance, is <b>A</b> (score -0.50, FDR",
        ),
        (True, 0.01, 0.1, "No drug reverses it", "Every score is above zero."),
    ],
)
def test_a_list_is_called_what_it_is(reverse, fdr, score, title, lead):
    """Finds only where an FDR and the sign say so; never the drug itself."""
    drugs = pd.DataFrame(
        {
            "drug": ["own", "A", "B"],
            "relation": ["self", "", ""],
            "fdr": [np.nan, fdr, 0.9],
            "score": [-1.0, score, score],
        }
    )
    found = DrugHits(pd.DataFrame(), drugs, reverse, 0)
    wanted = SimpleNamespace(words="it", where_words="all cell lines")
    assert headline.title(wanted, found) == title
    assert lead in headline.lead(wanted, found)


def test_with_no_other_compound_there_is_nothing_to_compare():
    """The drug alone is no find."""
    drugs = pd.DataFrame({"drug": ["own"], "relation": "self", "fdr": np.nan, "score": 1.0})
    found = DrugHits(pd.DataFrame(), drugs, reverse=False, n_undefined=0)
    wanted = SimpleNamespace(words="it", where_words="A549")
    assert headline.lead(wanted, found).endswith("none can be compared.")


def test_the_specific_change_comes_first_and_two_other_views_are_labelled(find, lab):
    """Each is the core's search of that view; the link names those that are not the first."""
    app = find(**{"atlas": "lab", "from": "measured", "drug": "Gefitinib", "cell_line": "A549"})
    query = Condition("A549", "Gefitinib", 5.0)
    for view in (View.SPECIFIC, View.RELATIVE_TO_POOL, View.TOTAL):
        if view is not View.SPECIFIC:
            app.session_state["view"] = str(view)
            app.session_state["picked"] = True
            app.run()
        read = changes_of(lab, view)
        library = SignatureLibrary.read(lab, BOOK, cell_line="A549", changes=read)
        expected = find_drugs(lab, whole_change(measured_change(lab, query, view)), library).drugs
        np.testing.assert_allclose(sorted(found(app)["score"]), sorted(expected["score"]))
        assert escape(LINES[view]) in text(app)
        assert link(app).get("view") == (None if view is View.SPECIFIC else str(view))


def test_what_cannot_be_separated_from_its_plate_is_compared_with_its_pool(find):
    """In LoVo a plate has five other compounds; that is said, and Total is offered."""
    app = find(**{"atlas": "lab", "from": "measured", "drug": "Gefitinib", "cell_line": "LoVo"})
    page = text(app)
    assert escape(LINES[View.RELATIVE_TO_POOL]) in page
    assert "it cannot be separated from its plate (5 other compounds there, 10 needed)" in page
    assert app.get("button_group")[0].options == ["Relative to the pool", "Total"]
    assert "view" not in link(app)


def test_an_atlas_of_small_plates_has_no_specific_change(find):
    """A gene list, too, is compared relative to the pool."""
    page = text(find(**{"atlas": "toy", "from": "genes", "up": "TP53 EGFR", "down": ""}))
    assert "no condition of this atlas has 10 other compounds on its plate" in page


def test_only_what_is_reversed_is_listed(find):
    """Nothing is: no figure and no table of drugs, and the page says so."""
    app = find(look="reverse", where="A549", at="0.5", drug="Compound 1", cell_line="A549")
    page = text(app)
    assert "No drug reverses the measured change of Compound 1 in A549" in page
    assert not app.get("plotly_chart")
    assert not app.dataframe


def test_the_measured_change_stands_beside_the_predicted_one(find, lab):
    """A column of scores with the measured change, and percentiles with their definition."""
    asked = {"atlas": "lab", "from": "predicted", "drug": "Gefitinib", "cell_line": "A549"}
    app = find(**asked, selector="mechanism", k="2", view="total")
    table = found(app)
    row = lab.row(Condition("A549", "Gefitinib", 5.0))
    library = SignatureLibrary.read(lab, BOOK, cell_line="A549")
    measured = find_drugs(lab, whole_change(lab.deltas(np.array([row]))[0]), library).drugs
    np.testing.assert_allclose(sorted(table["score (measured)"]), sorted(measured["score"]))
    own = table[(table["drug"] == "Gefitinib") & (table["dose (µM)"] == "5")]
    assert own["score (measured)"].iloc[0] == pytest.approx(1)
    assert table["percentile"].between(-100, 100).any()
    assert "<th>percentile</th><td>Against the atlas" in text(app)
    assert "<th>score (measured)</th>" in text(app)


def test_another_name_of_a_gene_is_offered_and_replaced_by_a_click(visit, own_home):
    """p53 is TP53 and FOXO3A FOXO3: neither is used before."""
    genes = ("TP53", "FOXO3", *(f"G{i}" for i in range(38)))
    plated_atlas(own_home / "atlases" / "plated", genes=genes, drugs=8, lines=2)
    app = turn(
        visit(),
        "find",
        **{"atlas": "plated", "from": "genes", "up": "p53 G1", "down": "G2, FOXO3A"},
    )
    assert "<th>unknown (1)</th><td>p53</td>" in text(app)
    app.button(key="use_up_p53_TP53").click().run()
    assert app.text_area(key="up").value == "TP53 G1"
    app.button(key="use_down_FOXO3A_FOXO3").click().run()
    assert link(app)["down"] == "G2, FOXO3"
    assert "<th>down: used (2)</th><td>G2, FOXO3</td>" in text(app)


def test_pasted_genes_are_sorted_into_piles_and_searched(find):
    """Used, known elsewhere, unknown, read as: nothing is dropped in silence."""
    app = find(**{"from": "genes"})
    app.text_area(key="up").input("gene1 GENE2, GENE3 TP53 BOGUS")
    app.text_area(key="down").input("GENE9")
    app.button(key="FormSubmitter:genes-Find drugs").click().run()
    page = text(app)
    assert "Closest to your genes" in page
    for words in (
        "<th>up: used (3)</th><td>GENE1, GENE2, GENE3</td>",
        "<th>known, but not measured here (1)</th><td>TP53</td>",
        "<th>unknown (1)</th><td>BOGUS</td>",
        "<th>read as (1)</th><td>gene1 → GENE1</td>",
        "<th>down: used (1)</th><td>GENE9</td>",
        "Only 4 genes can be used",
    ):
        assert words in page
    assert link(app)["up"] == "gene1 GENE2, GENE3 TP53 BOGUS"
    again = find(**link(app))
    assert text(again) == page


def test_lists_too_long_for_a_link_are_kept_for_the_visit(find, lab):
    """The address is without them, the boxes hold them on the way back."""
    genes = " ".join(f"{gene} NOT{gene}" for gene in lab.gene_names)
    assert len(genes) > finding.LONGEST_LINK
    app = find(**{"from": "genes"})
    app.text_area(key="up").input(genes[:-40])
    app.text_area(key="down").input(lab.gene_names[-1])
    app.button(key="FormSubmitter:genes-Find drugs").click().run()
    assert "Closest to your genes" in text(app)
    assert "up" not in link(app)
    assert finding.NO_LINK in text(app)
    app.switch_page("pages/views/data.py").run()
    app.switch_page("pages/views/find.py").run()
    assert app.text_area(key="up").value == genes[:-40]


def test_empty_boxes_say_what_to_do_and_offer_an_example(find):
    """A click fills them."""
    app = find(**{"from": "genes"})
    assert gene_boxes.PASTE in text(app)
    assert not app.get("plotly_chart")
    app.button(key="example").click().run()
    assert "DUSP6" in app.text_area(key="down").value
    assert "none of its genes is among the 120 that are searched" in text(app)


def test_a_predicted_change_can_be_searched_for(find):
    """Of a drug that was not measured there, with the neighbours that the link names."""
    app = find(
        **{"from": "predicted", "drug": UNMEASURED, "cell_line": "A549"},
        selector="mechanism",
        k="2",
    )
    assert f"the predicted change of {UNMEASURED} in A549 at 5 µM" in text(app)
    best = found(app)["drug"].tolist()[:2]
    assert set(best) <= {"Panobinostat", "Belinostat", UNMEASURED}
    assert (link(app)["selector"], link(app)["k"]) == ("mechanism", "2")


def test_a_change_may_be_predicted_by_best_evidence(find, lab):
    """What is searched for is what that method predicts, and the page changes with it."""
    asked = {"atlas": "lab", "from": "predicted", "drug": "Gefitinib", "cell_line": "LoVo"}
    app = find(**asked, method="best_evidence", where="all", view="total")
    question = {"cell_line": "LoVo", "drug": "Gefitinib", "dose_um": 5.0}
    answer = predict(lab, **question, method="best_evidence")
    expected = find_drugs(
        lab, whole_change(answer.prediction.delta), SignatureLibrary.read(lab, BOOK)
    ).drugs
    np.testing.assert_allclose(sorted(found(app)["score"]), sorted(expected["score"]), atol=1e-4)
    assert link(app)["method"] == "best_evidence"
    assert "<th>predicted from</th><td>Best evidence</td>" in text(app)
    app.selectbox(key="method").select("lgr").run()
    assert "method" not in link(app)
    assert [box for box in app.selectbox if box.key == "selector"]


def test_a_change_that_was_not_measured_is_one_box(find):
    """It says to search with the prediction."""
    page = text(find(**{"from": "measured", "drug": UNMEASURED, "cell_line": "A549"}))
    assert page.count('role="alert"') == 1
    assert "Search with its predicted change instead" in page


def test_the_reverse_in_one_line_at_one_dose(find):
    """Pickers narrow the search, and the link says so."""
    app = find()
    app.selectbox(key="look").select("reverse").run()
    app.selectbox(key="where").select("A549").run()
    app.selectbox(key="at").select("0.5").run()
    page = text(app)
    assert "Drugs that reverse the measured change of Trametinib" in page
    assert set(found(app)["dose (µM)"]) == {"0.5"}
    assert set(found(app)["lines"]) == {1}
    assert (found(app)["score"] < 0).all()
    assert (found(app)["FDR"] <= 0.05).all()
    asked = link(app)
    assert (asked["where"], asked["at"], asked["look"]) == ("A549", "0.5", "reverse")
    app.selectbox(key="where").select("LoVo").run()
    assert "a search in LoVo" in text(app)
    assert "Choose another line or dose." in text(app)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"from": "magic"}, "signature &#x27;magic&#x27;"),
        ({"look": "best"}, "search &#x27;best&#x27;"),
        ({"where": "Mars"}, "cell line &#x27;Mars&#x27;"),
        ({"at": "7"}, "dose &#x27;7&#x27;"),
        ({"drug": "Trametinob"}, "Nearest: Trametinib"),
        ({"atlas": "labb"}, "atlas &#x27;labb&#x27;"),
        ({"where": IMAGE}, "&lt;img"),
    ],
)
def test_a_bad_link_explains_itself_and_offers_the_nearest_view(find, bad, words):
    """One box, nothing searched, one click to a view that exists."""
    app = find(**bad)
    page = text(app)
    assert page.count('role="alert"') == 1
    assert words in page
    assert IMAGE not in page
    assert not app.get("plotly_chart")
    app.button(key="nearest").click().run()
    assert "lgr-box" not in text(app)
    assert len(app.get("plotly_chart")) == 1


def test_a_line_in_a_link_is_read_by_its_closest_form(find):
    """Case does not matter."""
    assert link(find(where="hepg2c3a"))["where"] == "HepG2/C3A"


def test_another_drug_keeps_the_dose_only_where_it_was_measured(find):
    """0.5 µM is measured in A549 alone."""
    app = find(**{"from": "measured", "dose": "0.5"})
    app.selectbox(key="cell_line").select("LoVo").run()
    assert link(app)["dose"] == "5"
    assert "lgr-box" not in text(app)


@pytest.mark.parametrize("source", ["measured", "predicted"])
def test_hostile_names_are_text(find, source):
    """In the title, the figure and the boxes."""
    app = find(**{"from": source, "drug": IMAGE}, selector="mechanism")
    page = text(app)
    assert escape(IMAGE) in page
    assert IMAGE not in page
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    assert "<img" not in json.dumps(specs)
    pasted = find(**{"from": "genes", "up": f"GENE1 {IMAGE}"})
    assert IMAGE not in text(pasted)


def test_the_page_hands_the_question_on(find):
    """Drug and line picked here stand on the first page."""
    app = find()
    app.selectbox(key="drug").select("Afatinib").run()
    app.query_params.clear()
    app.switch_page("pages/views/predict.py").run()
    assert "Afatinib <span" in text(app)
