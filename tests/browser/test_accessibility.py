"""Every page as axe sees it: contrast, names, roles, order, in light and dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.support.browser_page import PAGES, still

pytestmark = pytest.mark.browser

FOREIGN = {"presentation-role-conflict": "stFileUploaderDropzone"}
"""Streamlit's own, which no app can mend: where a rule is broken."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(browser, address, name, scheme):
    """No finding of any weight, and the rule that is broken first by a new colour has run."""
    with browser.new_context(color_scheme=scheme) as context:
        page = context.new_page()
        page.goto(f"{address}/{name}?atlas=lab")
        page.wait_for_selector(".lgr-title")
        still(page)
        page.wait_for_timeout(1_000)  # charts fade in
        found = Axe().run(page, options={}).response
    seen = [(v["id"], node["html"]) for v in found["violations"] for node in v["nodes"]]
    foreign = [(rule, html) for rule, html in seen if rule in FOREIGN and FOREIGN[rule] in html]
    assert [finding for finding in seen if finding not in foreign] == []
    assert "color-contrast" in {rule["id"] for rule in found["passes"]}
