"""Best evidence on the first page: its terms, its trust, its link, and what it cannot answer."""

import json

import pytest

from lgr_core.answer import predict
from pages.shared.trust import NEEDS
from tests.support.calibration_runs import calibrate
from tests.support.lab_atlas import HOSTILE, UNMEASURED
from tests.support.rendered_page import link, recipes, text, unfold
from tests.support.toy_atlas import DRUGS

BEST = {"method": "best_evidence", "change": "total"}


@pytest.fixture
def trusting(visit, lab_home, lab, tmp_path, monkeypatch):
    """A visit to a home that has a run which calibrated best evidence and mechanism."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "atlases").symlink_to(lab_home / "atlases")
    calibrate(home / "runs" / "a_run", lab, methods=("best_evidence", "lgr_mechanism"))

    def open_link(**asked):
        monkeypatch.setenv("LGR_HOME", str(home))
        return visit(**asked)

    return open_link


def bars(app):
    """The bars of the first figure, as the browser gets them."""
    return json.loads(app.get("plotly_chart")[0].proto.spec)["data"][0]


def test_what_is_shown_is_what_the_core_answers(visit, lab):
    """Three terms with their shares, the heaviest weights, and the sentence with n."""
    app = visit(cell_line="A549", drug="Afatinib", dose="5", **BEST)
    page = text(app)
    answer = predict(lab, cell_line="A549", drug="Afatinib", dose_um=5.0, method="best_evidence")
    n = sum(len(term.conditions) for term in answer.terms)
    assert f"The weighted sum of {n} measured changes predicts" in page
    assert page.count('class="lgr-term"') == len(answer.terms) == 3
    for term in answer.terms:
        assert f"<b>{term.conditions[0][1]:+.3f}</b>" in page
    assert f"All {n} conditions with their weights" in [e.label for e in app.expander]
    assert "Pearson r <b>" in page
    assert "lgr-pick" not in page
    assert len(app.dataframe[0].value) == n


def test_the_method_is_picked_and_linked(visit):
    """Neighbours give way to terms and come back; the link opens the same view."""
    app = visit(drug="Afatinib")
    assert "method" not in link(app)
    app = app.selectbox(key="method").select("best_evidence").run()
    page = text(app)
    assert "What it stands on" in page
    assert not [box for box in app.selectbox if box.key == "selector"]
    asked = link(app)
    assert asked["method"] == "best_evidence"
    assert text(visit(**asked)) == page
    app = app.selectbox(key="method").select("lgr").run()
    assert "lgr-pick" in text(app)
    assert app.selectbox(key="selector").value == asked["selector"]


def test_a_method_that_is_not_offered_is_said(visit):
    """One box, and the nearest view behind a click."""
    app = visit(method="magic", drug="Afatinib")
    assert "method &#x27;magic&#x27;" in text(app)
    assert "lgr-pick" not in text(app)
    app.button(key="nearest").click().run()
    assert "lgr-pick" in text(app)


def test_without_a_calibration_the_page_says_so(visit):
    """In a line, with what it needs, the command, and what trust means; no interval is drawn."""
    app = visit(drug="Afatinib", **BEST)
    page = text(app)
    assert "Trust: Not known: no benchmark run" in page
    assert "Run lgr" not in page
    app = unfold(app, "needs")
    assert NEEDS in text(app)
    assert "lgr calibrate lab" in [block.value for block in app.code]
    (way,) = [link.proto for link in app.get("page_link") if link.proto.label == "What trust means"]
    assert (way.page, way.query_string) == ("data", "part=trust")
    assert "error_x" not in bars(app)


@pytest.mark.parametrize("asked", [BEST, {"selector": "mechanism", "change": "total"}])
def test_trust_has_a_light_reasons_and_intervals(trusting, asked):
    """Of both methods: what is expected, from how many conditions, why, and each gene's limits."""
    app = trusting(drug="Afatinib", k="10", **asked)
    page = text(app)
    assert "Trust: not known" in page
    assert "Expected Pearson r <b>0.80</b> (90 % interval 0.70 to 0.90)" in page
    assert "40 held-out conditions (open world) of the benchmark run a_run" in page
    assert "other drugs were measured in this line" in page
    assert len(bars(app)["error_x"]["array"]) == len(bars(app)["x"])
    assert "90 % interval of each gene" in page


def test_a_drug_beyond_the_atlas_stands_on_the_line(visit):
    """By kriging: its likest weighs most, and its twins are out."""
    app = visit(atlas="toy", cell_line="A549", drug="LGR-1", new="1", smiles=DRUGS["Tofacitinib"],
                **BEST)  # fmt: skip
    page = text(app)
    assert "This line&#x27;s other drugs, by how alike they should act" in page
    assert page.count('class="lgr-term"') == 1
    assert "Left out as forms of the same compound: Tofacitinib" in page
    assert "It was not measured here" in page


def test_an_unmeasured_condition_and_hostile_names_are_fine(visit):
    """No truth, no script."""
    assert "It was not measured here" in text(visit(drug=UNMEASURED, cell_line="A549", **BEST))
    for name in HOSTILE:
        assert "<img src=x" not in text(visit(drug=name, **BEST))


def test_it_can_be_made_again(visit):
    """Python, shell and the paragraph name the method and its settings."""
    app = unfold(visit(drug="Afatinib", **BEST))
    python, shell, words = recipes(app)
    assert "method='best_evidence'" in python.replace("method = ", "method=")
    assert "--method=best_evidence" in shell
    assert "weighted sum of" in words
    assert "nothing measured of Afatinib in A549 was read" in words


def test_the_usual_method_is_no_news_on_the_way_back(visit):
    """From Predict to another page and back, nothing is mended and nothing is said."""
    app = visit(atlas="toy")
    before = text(app)
    app.switch_page("pages/views/find.py").run()
    assert text(app.switch_page("pages/views/predict.py").run()) == before
