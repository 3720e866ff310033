"""The side Methods of Data & methods: parts open by their links, tables are the core's."""

import re
from html import escape, unescape

import pytest

from lgr_core.evaluation.regimes import RULES, Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext, declared
from lgr_core.glossary import glossary
from lgr_core.metrics import METRICS
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import SELECTORS, make_selector
from pages.methods import selector_or_predictor
from pages.methods.methods_sections import DOCS, FULL_TEXT, SHOW
from pages.methods.methods_text import PARTS
from pages.shared.glossary import explained, meaning
from tests.support.rendered_page import link, marked, text, turn


@pytest.fixture
def methods(visit):
    """A visit to a part of the page."""

    def open_part(**link):
        return turn(visit(), "data", **{"atlas": "lab", "part": "start", **link})

    return open_part


@pytest.mark.parametrize("part", PARTS)
def test_a_link_opens_each_part(methods, part):
    """And the address stays."""
    app = methods(part=part)
    assert text(app)
    assert link(app) == {"atlas": "lab", "part": part}


@pytest.mark.parametrize(("given", "part"), [({}, "start"), ({"part": "metrics"}, "metrics")])
def test_the_address_of_old_leads_there(visit, given, part):
    """With its part, without one to how to read it all."""
    app = turn(visit(), "methods", **given)
    assert link(app)["part"] == part
    assert "lgr-section" in text(app) or "Is it better than luck?" in text(app)


def test_the_side_opens_on_how_to_read_it(visit):
    """The switch leads from the atlas to the methods, and back."""
    app = turn(visit(), "data", atlas="lab")
    app.segmented_control(key="side").set_value("Methods").run()
    assert "Is it better than luck?" in text(app)
    assert link(app) == {"atlas": "lab", "part": "start"}
    app.segmented_control(key="side").set_value("Data").run()
    assert link(app) == {"atlas": "lab"}


def test_a_model_is_asked_to_select_by_what_was_measured(methods):
    """The list of neighbours predicts better than the genes that the model expects itself."""
    rows = selector_or_predictor.measured()
    assert rows.loc["lgr_llm", "low"] > rows.loc["llm_genes", "high"] > 0
    page = text(methods(part="selector"))
    for name in ("lgr_llm", "llm_genes", "random_k"):
        assert selector_or_predictor.interval(rows.loc[name]) in page


def test_a_term_is_explained_where_it_is_used(methods):
    """The same words in the tooltip and in the glossary; once in a piece of a page."""
    app = methods(part="glossary")
    page = text(app)
    assert all(f">{escape(entry.words)}</td>" in page for entry in glossary())
    start = marked(methods(part="start"))
    tips = re.findall(r'data-tip="([^"]*)">([^<]*)<', start)
    said = {words: unescape(tip) for tip, words in tips}
    assert said["specific change"].casefold() == meaning("specific change").casefold()
    assert len(tips) == len({tip for tip, _ in tips})


@pytest.mark.parametrize(
    ("html", "tips"),
    [
        ("<p>The candidate pools of atlases</p>", ["candidate pools", "atlases"]),
        ("<p>neighbours</p><h1>neighbours</h1>", ["neighbours"]),
        ('<a href="x">the pool</a> <svg><text>pool</text></svg> pool', ["pool"]),
        ('<i title="a pool">pooled</i> non-twin', []),
        ("pool without any tag", []),
    ],
)
def test_terms_are_marked_in_running_text_only(html, tips):
    """In links, drawings, titles and attributes nothing is changed, nor in longer words."""
    found = explained(html)
    assert re.findall(r'class="lgr-tip"[^>]*>([^<]*)<', found) == tips
    assert re.sub(r'<span class="lgr-tip"[^>]*>([^<]*)</span>', r"\1", found) == html


def test_a_bad_link_explains_itself(methods):
    """And offers the first part."""
    app = methods(part="magic")
    assert "This link cannot be shown as it is" in text(app)
    app.button(key="nearest").click().run()
    assert "About this data" in text(app)


def test_the_tables_are_the_registries(methods, lab):
    """Every metric, selector, regime and method; what a method reads is what it declares."""
    page = text(methods(part="metrics"))
    for metric in METRICS.values():
        assert f"{metric.label}{' (paper)' if metric.paper else ''}</td>" in page
    page = text(methods(part="prediction"))
    assert all(f">{name}</td>" in page for name in SELECTORS)
    page = text(methods(part="evidence"))
    assert all(escape(rule.train) in page for rule in RULES.values())
    page = text(methods(part="methods"))
    setting = MethodContext(
        EvidenceReader(lab).labels, lambda name: make_selector(name, lab), Regime.OPEN_WORLD
    )
    rows = {cells[0]: cells for cells in map(_cells, page.split("<tr>")) if cells}
    for name, evidence in declared(setting).items():
        _, _, about, reads = rows[name]
        assert about == REGISTRY[name].about
        assert all(str(part) in reads for part in evidence)
        assert evidence or reads == "nothing"


def _cells(row):
    """The words of a row's cells."""
    return [unescape(words) for words in re.findall(r"<td [^>]*>(.*?)</td>", row)]


def test_the_documents_are_there_to_read(methods):
    """As they ship."""
    app = methods(part="limits")
    assert all((DOCS / name).is_file() for name in FULL_TEXT)
    assert any("what was decided" in block.value for block in app.markdown)


def test_every_part_is_drawn():
    """None is only named."""
    assert set(SHOW) == set(PARTS)
