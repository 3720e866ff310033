"""Find drugs and Browse in a real browser: the main path of each, and the pictures."""

import csv
import io
import re

import pytest

from tests.support.browser_page import assert_fits, pick, settle, shoot, still, title
from tests.support.lab_atlas import HOSTILE

pytestmark = pytest.mark.browser

PAGES = {
    "Find drugs": ("Find drugs", "Drugs that mimic"),
    "Drugs": ("Browse", "drugs"),
    "Cell lines": ("Browse", "cell lines"),
}
"""A page or tab: the page's name in the bar, and a part of its title."""


@pytest.fixture
def opened(visit):
    """A page of the app, or a tab of Browse, reached as a visitor does."""

    def open_page(name, **options):
        page = visit(**options)
        settle(page)
        if page.viewport_size["width"] < 640:
            page.locator("[data-testid=stExpandSidebarButton]").click()
        in_bar, words = PAGES[name]
        page.get_by_role("link", name=in_bar, exact=True).click()
        page.wait_for_url(re.compile(r"/(find|browse)\b"))
        settle(page)
        if page.viewport_size["width"] < 640:
            page.locator("[data-testid=stSidebarCollapseButton] button").click()
        if name == "Cell lines":
            page.get_by_role("tab", name=name).click()
        title(page, words)
        settle(page)
        return page

    return open_page


def saved(page):
    """The rows of the first file that the page offers."""
    with page.expect_download() as caught:
        page.get_by_role("button", name="This table (csv)").first.click()
    return list(csv.DictReader(io.StringIO(caught.value.path().read_text(encoding="utf-8"))))


def test_a_change_finds_what_shares_its_mechanism(opened):
    """From the first page to the search, to its reverse, to a file, to a link."""
    page = opened("Find drugs", cell_line="A549", drug="Gefitinib")
    title(page, "Gefitinib in A549")
    rows = saved(page)
    best = [row["drug"] for row in rows if row["dose (µM)"] == "5"][:3]
    assert set(best) == {"Gefitinib", "Erlotinib", "Afatinib"}
    pick(page, "look", "reverse")
    title(page, "No drug reverses")
    page.wait_for_url("**look=reverse**")
    still(page)
    assert page.locator("[data-testid=stDataFrame]").count() == 0
    page.goto(page.url)
    title(page, "No drug reverses the measured change of Gefitinib in A549")


def test_pasted_genes_are_searched(opened):
    """Typed, sent, sorted into piles; the address holds them."""
    page = opened("Find drugs")
    pick(page, "from", "Genes that I paste")
    title(page, "Find drugs by genes")
    page.get_by_label("Genes up").fill("GENE1 gene2 BOGUS")
    page.get_by_label("Genes down").fill("GENE5")
    page.get_by_role("button", name="Find drugs").click()
    title(page, "your genes")
    settle(page)
    page.get_by_text("3 of 4 names used").click()
    page.get_by_text("unknown (1)").wait_for()
    page.wait_for_url("**up=GENE1+gene2+BOGUS**")


def test_a_row_leads_to_its_prediction(opened):
    """The address in the table opens the first page at that drug, line and dose."""
    page = opened("Drugs")
    page.get_by_text("Measured conditions").click()
    page.locator("[data-testid=stDataFrame]").nth(1).wait_for()
    table = page.locator("[data-testid=stDataFrame]").nth(1)
    canvas = table.locator("canvas").first
    canvas.scroll_into_view_if_needed()
    page.wait_for_timeout(1_000)  # the table draws its links a moment after itself
    width = canvas.bounding_box()["width"]
    for left in range(30, 230, 20):  # only the word of the cell is a link, wherever it stands
        canvas.click(position={"x": width - left, "y": 52}, force=True)
        page.wait_for_timeout(400)
        if len(page.context.pages) > 1:
            break
    new = page.context.pages[-1]
    title(new, "Trametinib in A549")
    assert "drug=Trametinib" in new.url


def test_a_drug_is_searched_and_picked_from_the_table(opened):
    """By another name; a click on its row shows its card."""
    page = opened("Drugs", drug="Afatinib")
    page.locator(".lgr-title", has_text="Afatinib").wait_for()
    box = page.locator(".st-key-drugs input")
    box.fill("mekinist")
    box.press("Enter")
    page.wait_for_url("**drugs=mekinist**")
    title(page, "1 of 18 drugs")
    canvas = page.locator("[data-testid=stDataFrame] canvas").first
    page.wait_for_timeout(1_000)  # the table is drawn a moment after the words above it
    canvas.click(position={"x": 18, "y": 52}, force=True)
    page.locator(".lgr-title", has_text="Trametinib").wait_for()
    page.wait_for_url("**drug=Trametinib**")


def test_a_line_is_picked_and_its_address_reopens_it(opened):
    """Organ, drivers, effects."""
    page = opened("Cell lines")
    pick(page, "cell_line", "HepG2")
    page.locator(".lgr-title", has_text="HepG2/C3A").wait_for()
    page.wait_for_url("**cell_line=HepG2%2FC3A**")
    page.goto(page.url)
    page.locator(".lgr-title", has_text="HepG2/C3A").wait_for()
    settle(page)
    assert page.locator(".lgr-mechanism").first.inner_text() == "Liver"


def test_a_drug_of_the_map_opens_in_predict(visit):
    """A click on a point, wherever it stands."""
    page = visit(wait=".lgr-title")
    page.goto(f"{page.url.split('?')[0]}browse?atlas=lab&show=map&cell_line=A549&drug=Trametinib")
    title(page, "Map of 17 drugs")
    page.locator(".js-plotly-plot .scatterlayer .point").first.wait_for()
    still(page)
    page.wait_for_timeout(1_000)  # the figure takes its final place
    page.locator(".js-plotly-plot .scatterlayer .point").first.click(force=True)
    page.wait_for_url("**cell_line=A549**")
    page.locator(".lgr-known-as").wait_for()


@pytest.mark.parametrize("drug", HOSTILE)
@pytest.mark.parametrize("name", ["Find drugs", "Drugs"])
def test_hostile_names_do_nothing(opened, name, drug):
    """Titles, figures and hovering: nothing runs, nothing is fetched."""
    page = opened(name, drug=drug, selector="mechanism")
    page.locator(".lgr-title", has_text=drug).wait_for()
    page.locator(".js-plotly-plot .nsewdrag").first.hover(force=True)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("name", ["Find drugs", "Drugs", "Cell lines"])
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("light", {}),
        ("dark", {"scheme": "dark"}),
        ("phone", {"width": 390, "height": 844}),
        ("phone_dark", {"width": 390, "height": 844, "scheme": "dark"}),
    ],
)
def test_the_pages_fit(opened, screenshots, name, kind, options):
    """Nothing is wider than the window; a picture is kept."""
    page = opened(name, **options)
    assert_fits(page)
    shoot(page, screenshots / f"{name.lower().replace(' ', '_')}_{kind}.png")
