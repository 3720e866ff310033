"""Ways from page to page: what was asked goes along."""

import pytest

from tests.support.rendered_page import link, tab_of, text

NOVEL = {"new": "1", "drug": "My inhibitor", "moa": "MEK inhibitor", "cell_line": "A549"}


def go(app, page):
    """Open another page by the bar, which empties the address."""
    app.query_params.clear()
    return app.switch_page(f"pages/views/{page}.py").run()


def ways(app):
    """The links of a page that ask on elsewhere, with what they ask."""
    links = [way.proto for way in app.get("page_link")]
    return [way for way in links if way.page in {"find", "batch"}]


def test_predict_leads_to_drugs_that_do_the_same(visit):
    """With line, drug, dose, selector and k."""
    app = visit(atlas="lab", cell_line="LoVo", drug="Gefitinib", selector="mechanism", k="3")
    way, many = ways(app)
    assert way.page == "find"
    asked = "atlas=lab&cell_line=LoVo&drug=Gefitinib&dose=5&selector=mechanism&k=3&from=predicted"
    assert way.query_string == asked
    assert (many.page, many.query_string) == ("batch", "atlas=lab&selector=mechanism&k=3")


def test_the_method_goes_along(visit):
    """Of a method that weighs everything; the search is made with its prediction."""
    app = visit(atlas="lab", cell_line="LoVo", drug="Gefitinib", method="best_evidence")
    way, _ = ways(app)
    asked = dict(part.split("=") for part in way.query_string.split("&"))
    assert (asked["method"], asked["from"]) == ("best_evidence", "predicted")
    app.query_params.clear()
    for key, value in asked.items():
        app.query_params[key] = value
    app.switch_page("pages/views/find.py").run()
    assert "the predicted change of Gefitinib in LoVo" in text(app)
    assert app.selectbox(key="method").value == "best_evidence"
    assert link(app)["method"] == "best_evidence"


@pytest.mark.parametrize(("page", "look"), [("neighbors", "reasons"), ("compare", "truth")])
def test_an_address_of_old_leads_to_its_look(visit, page, look):
    """With all that it asks; without a question, to the one of this visit."""
    asked = {"atlas": "lab", "cell_line": "LoVo", "drug": "Gefitinib", "selector": "mechanism"}
    app = visit(**asked, k="3")
    for given in (asked | {"k": "3", "reveal": "1"}, {}):
        app.query_params.clear()
        for key, value in given.items():
            app.query_params[key] = value
        app.switch_page(f"pages/views/{page}.py").run()
        assert not app.exception
        found = link(app)
        assert found["look"] == look
        assert found["drug"] == "Gefitinib"
        assert found["k"] == "3"


def test_an_edited_set_has_no_such_way(visit):
    """The search would choose neighbours of its own."""
    app = visit(
        atlas="lab", cell_line="LoVo", drug="Gefitinib", selector="mechanism", add="Afatinib"
    )
    assert ways(app) == []


def test_a_drug_beyond_the_atlas_is_searched_by_its_prediction(visit):
    """It was measured nowhere; the link holds what is known of it."""
    app = visit()
    app.query_params.clear()
    for key, value in {
        **NOVEL,
        "atlas": "lab",
        "from": "measured",
        "selector": "mechanism",
    }.items():
        app.query_params[key] = value
    app.switch_page("pages/views/find.py").run()
    assert "mimic the predicted change of My inhibitor in A549" in text(app)
    assert link(app)["new"] == "1"
    assert link(app)["from"] == "predicted"
    assert "MEK inhibitor" in app.dataframe[0].value["mechanism"].iloc[0]


def test_drugs_and_lines_say_that_a_drug_beyond_the_atlas_has_no_card(visit):
    """And Predict still knows it afterwards."""
    app = visit(atlas="lab", selector="mechanism", **NOVEL)
    go(app, "browse")
    for tab in ("drugs", "cell_lines"):
        tab_of(app, tab)
        assert "My inhibitor, which you asked about last, is not in this atlas" in text(app)
    go(app, "predict")
    assert "My inhibitor" in text(app)
    assert link(app)["new"] == "1"


def test_a_drug_that_is_picked_takes_its_place(visit):
    """The one beyond the atlas is forgotten."""
    app = visit(atlas="lab", selector="mechanism", **NOVEL)
    go(app, "browse")
    app.selectbox(key="drug").set_value("Afatinib").run()
    assert "is not in this atlas" not in text(app)
    go(app, "predict")
    assert link(app)["drug"] == "Afatinib"
    assert "new" not in link(app)
