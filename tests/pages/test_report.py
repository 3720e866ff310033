"""The report of a question as one file, the link that is copied, and the questions of a visit."""

import re
from html import escape

import pytest

from lgr_core.answer import predict
from lgr_core.figures.method_bars import ScoreBar, method_bars
from pages.predict.report import report_html
from pages.shared import state
from pages.shared.asking import Answered
from pages.shared.pickers import Asked
from pages.shared.question import Question
from tests.support.lab_atlas import HOSTILE
from tests.support.rendered_page import link, text


@pytest.fixture
def report(lab_home, monkeypatch):
    """The report of a drug of the lab in A549, with one figure."""
    monkeypatch.setenv("LGR_HOME", str(lab_home))

    def made(drug, method="lgr"):
        store = state.store("lab")
        question = Question("lab", "A549", drug, 5.0, "mechanism", 5)
        how = {"selector": "mechanism", "k": 5} if method == "lgr" else {"method": method}
        answer = predict(store, cell_line="A549", drug=drug, dose_um=5.0, **how)
        view = Answered(Asked(store, question, ()), answer, answer.retrieval)
        figure = method_bars([ScoreBar(drug, 0.5)], answer.pool_mean, title="r")
        page = report_html(view, {"Genes": figure}, "http://lgr.example/?atlas=lab").decode()
        return page, answer

    return made


def test_it_holds_verdict_genes_reasons_and_provenance(report):
    """And every reason is open, with its weight."""
    page, answer = report("Trametinib")
    assert f"(r {answer.correlation:.2f})" in page
    for neighbor in answer.retrieval.neighbors:
        assert f'<th scope="row">{escape(neighbor.drug)}</th>' in page
        assert escape(neighbor.rationale) in page
    assert page.count("<details open>") == 5
    assert answer.provenance["build_id"] in page
    assert "was predicted by retrieval" in page
    assert "http://lgr.example/?atlas=lab" in page
    assert "Plotly.newPlot" in page


def test_it_needs_nothing_from_elsewhere(report):
    """No script, picture, style or font of another address."""
    page, _ = report("Trametinib")
    outside = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)[^"]*"', page)
    assert outside == []


def test_names_are_text_in_it(report):
    """Nothing of a hostile name is HTML or ends the script of a figure."""
    page, _ = report(HOSTILE[0])
    assert HOSTILE[0] not in page
    assert escape(HOSTILE[0]) in page


def test_of_a_weighted_sum_it_says_what_it_stands_on(report):
    """There are no reasons, but conditions."""
    page, _ = report("Trametinib", "best_evidence")
    assert "What it stands on" in page
    assert 'class="lgr-term"' in page


def test_the_link_is_there_to_be_copied(visit):
    """It asks what the page shows."""
    app = visit(atlas="lab", drug="Gefitinib", cell_line="LoVo")
    shown = link(app)
    copied = next(code.value for code in app.code if "atlas=lab" in code.value)
    assert all(f"{key}={value}" in copied for key, value in shown.items())


def test_questions_of_the_visit_lead_back(visit):
    """The latest first, without the one that is shown."""
    app = visit(atlas="lab", drug="Gefitinib", cell_line="LoVo")
    for drug in ("Afatinib", "Trametinib"):
        app.selectbox(key="drug").select(drug).run()
    there = [way.proto for way in app.get("page_link") if "drug=" in way.proto.query_string]
    there = [way for way in there if way.page not in {"find", "batch"}]
    assert [re.search("drug=([A-Za-z]+)", way.query_string)[1] for way in there] == [
        "Afatinib",
        "Gefitinib",
    ]
    assert "Afatinib in LoVo" in there[0].label
    assert "Trametinib" in text(app)
