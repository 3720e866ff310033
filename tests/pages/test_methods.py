"""Methods: every part opens by its link, and its tables are the core's."""

import re
from html import escape, unescape

import pytest

from lgr_core.evaluation.regimes import RULES, Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext, declared
from lgr_core.metrics import METRICS
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import SELECTORS, make_selector
from pages.methods.methods_sections import DOCS, FULL_TEXT, SHOW
from pages.methods.methods_text import PARTS
from tests.support.rendered_page import link, text, turn


@pytest.fixture
def methods(visit):
    """A visit to a part of the page."""

    def open_part(**link):
        return turn(visit(), "methods", **link)

    return open_part


@pytest.mark.parametrize("part", PARTS)
def test_a_link_opens_each_part(methods, part):
    """And the address stays."""
    app = methods(part=part)
    assert text(app)
    assert link(app) == {"part": part}


def test_the_page_opens_on_how_to_read_it(methods):
    """A click opens another part."""
    app = methods()
    assert "Is it better than luck?" in text(app)
    app.segmented_control(key="part").set_value("metrics").run()
    assert "x is the predicted change" in text(app)
    assert link(app) == {"part": "metrics"}


def test_a_bad_link_explains_itself(methods):
    """And offers the first part."""
    app = methods(part="magic")
    assert "This link cannot be shown as it is" in text(app)
    app.button(key="nearest").click().run()
    assert "In two minutes" in text(app)


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
