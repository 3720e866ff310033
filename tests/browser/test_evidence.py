"""Best evidence in a real browser: chosen, read, linked, and drawn on any screen."""

import csv

import pytest

from tests.support.browser_page import assert_fits, pick, settle, shoot, title

pytestmark = pytest.mark.browser

TERMS = ".lgr-term"


def test_best_evidence_is_chosen_and_its_link_reopens_the_view(visit):
    """Terms and light stand where cards stood; another visitor's link shows the same words."""
    page = visit(drug="Afatinib", cell_line="A549", change="total")
    settle(page)
    assert page.locator(TERMS).count() == 0
    pick(page, "method", "Best evidence")
    page.locator(TERMS).first.wait_for()
    page.wait_for_url("**method=best_evidence**")
    settle(page)
    assert page.locator(TERMS).count() == 3
    assert page.locator(".lgr-pick").count() == 0
    page.get_by_text("What was expected of it before").click()
    page.locator(".lgr-trust", has_text="Expected Pearson r").wait_for()
    assert page.locator(".js-plotly-plot .errorbar").count() > 0
    first = page.locator(TERMS).all_inner_texts(), page.locator(".lgr-trust").inner_text()
    other = visit(**dict(part.split("=") for part in page.url.split("?")[1].split("&")))
    other.locator(TERMS).first.wait_for()
    settle(other)
    other.get_by_text("What was expected of it before").click()
    again = other.locator(TERMS).all_inner_texts(), other.locator(".lgr-trust").inner_text()
    assert again == first
    page.go_back()
    page.locator(".lgr-pick").first.wait_for()


def test_every_weight_is_taken_home(visit):
    """The table has a row a condition; its weights are those on the cards."""
    page = visit(drug="Afatinib", cell_line="A549", method="best_evidence", change="total")
    settle(page)
    page.locator("[data-testid=stExpander]", has_text="conditions with their weights").click()
    button = page.get_by_role("button", name="This table (csv)").first
    button.scroll_into_view_if_needed()
    with page.expect_download() as download:
        button.click()
    rows = list(csv.DictReader(download.value.path().open(encoding="utf-8")))
    assert len(rows) == 50
    shown = page.locator(f"{TERMS} li b").first.inner_text()
    assert f"{float(rows[0]['weight']):+.3f}" == shown


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("evidence_light", {"width": 1280}),
        ("evidence_dark", {"width": 1280, "scheme": "dark"}),
        ("evidence_phone", {"width": 390, "height": 844}),
    ],
)
def test_the_page_fits(visit, screenshots, name, options):
    """Nothing is wider than the window; a picture is kept."""
    page = visit(drug="Trametinib", cell_line="A549", method="best_evidence", **options)
    title(page, "Trametinib in A549")
    page.locator(TERMS).first.wait_for()
    settle(page)
    assert_fits(page)
    shoot(page, screenshots / f"{name}.png")
