"""The first page in a real browser: what is clicked, seen, linked and taken home."""

import csv
import io
import re

import pytest
from PIL import Image

from tests.support.browser_page import (
    READY,
    WORDS_IN_SIGHT,
    assert_fits,
    pick,
    settle,
    shoot,
    title,
)
from tests.support.lab_atlas import HOSTILE, UNMEASURED

pytestmark = pytest.mark.browser


def table(page):
    """The text of the metrics and of the neighbours."""
    return page.locator(".lgr-table").first.inner_text(), page.locator(".lgr-picks").inner_text()


def genes(page):
    """The genes named on the axis of the first figure."""
    return page.locator(READY).all_inner_texts()


def test_the_page_opens_on_a_finished_example(visit):
    """Title with a drawing, neighbours, two figures and metrics stand there before any click."""
    page = visit()
    title(page, "Trametinib in A549")
    settle(page)
    assert page.locator(".lgr-pick").count() == 8
    assert page.locator(".js-plotly-plot").count() == 2
    assert page.locator(".lgr-table").first.is_visible()
    widths = page.eval_on_selector_all(".lgr-drug img", "all => all.map(i => i.naturalWidth)")
    assert len(widths) == 1
    assert widths[0] > 0


def test_the_first_screen_answers_in_few_words(visit):
    """At 1440 x 900: name, verdict, whole rows of reasons, and at most 120 words beside them."""
    page = visit(drug="Trametinib", selector="mechanism", height=900)
    settle(page)
    assert page.get_by_text("LGR Explorer", exact=True).is_visible()
    assert page.locator(".lgr-verdict").count() == 1
    bottoms = page.eval_on_selector_all(
        ".lgr-pick", "all => all.map(row => row.getBoundingClientRect().bottom)"
    )
    assert bottoms[0] <= 900
    words = page.evaluate(WORDS_IN_SIGHT)
    assert len(words) <= 120, " ".join(words)


def test_a_synonym_finds_its_drug(visit):
    """``mekinist`` is trametinib, in the list of drugs."""
    page = visit(drug="Afatinib", selector="mechanism")
    settle(page)
    pick(page, "drug", "mekinist")
    title(page, "Trametinib in A549")


def test_a_drug_picked_changes_picture_and_table(visit):
    """Cards, metrics and figure follow, and so does the address."""
    page = visit()
    settle(page)
    before = (*table(page), genes(page))
    pick(page, "drug", "Panobinostat")
    title(page, "Panobinostat in A549")
    page.wait_for_function(  # while the figure is drawn anew there is none
        "before => ![undefined, before].includes("
        "document.querySelector('.js-plotly-plot .ytick text')?.textContent)",
        arg=before[2][0],
    )
    settle(page)
    after = (*table(page), genes(page))
    assert all(old != new for old, new in zip(before, after, strict=True))
    assert "drug=Panobinostat" in page.url


def test_a_line_picked_changes_the_page(visit):
    """The title, the facts under the list and the address follow."""
    page = visit()
    settle(page)
    pick(page, "cell_line", "HepG2")
    title(page, "HepG2/C3A")
    page.wait_for_url("**cell_line=HepG2%2FC3A**")
    assert "Liver" in page.locator("[data-testid=stSidebar]").inner_text()


def test_the_link_reopens_the_same_view_elsewhere(visit):
    """Another visitor, another browser profile: the same words and numbers."""
    page = visit()
    pick(page, "drug", "Erlotinib")
    title(page, "Erlotinib")
    settle(page)
    pick(page, "selector", "Chemistry")
    page.wait_for_url("**selector=chemistry**")
    settle(page)
    other = visit()
    other.goto(page.url)
    title(other, "Erlotinib")
    settle(other)
    assert table(other) == table(page)
    assert genes(other) == genes(page)


def test_the_way_back_shows_what_was_shown(visit):
    """The browser's back button undoes a pick."""
    page = visit()
    settle(page)
    pick(page, "drug", "Afatinib")
    title(page, "Afatinib")
    settle(page)
    page.go_back()
    title(page, "Trametinib")


def test_downloads_hold_the_answer(visit):
    """The CSV has a row a gene, the prediction being the mean of its neighbours."""
    page = visit(k="3", selector="mechanism", change="total")
    settle(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download csv").click()
    download = caught.value
    assert re.fullmatch(r"Trametinib_A549_5_mechanism_lab\.csv", download.suggested_filename)
    rows = list(csv.DictReader(io.StringIO(download.path().read_text(encoding="utf-8"))))
    assert len(rows) == 120
    drugs = [name for name in rows[0] if name not in {"gene", "predicted", "measured"}]
    assert len(drugs) == 3
    for row in rows:
        mean = sum(float(row[drug]) for drug in drugs) / 3
        assert float(row["predicted"]) == pytest.approx(mean, abs=1e-4)


@pytest.mark.parametrize(("ending", "magic"), [("parquet", b"PAR1"), ("h5ad", b"\x89HDF")])
def test_other_formats_can_be_taken_home(visit, ending, magic):
    """Each button gives a file of its kind."""
    page = visit()
    settle(page)
    with page.expect_download() as caught:
        page.get_by_role("button", name=f"Download {ending}").click()
    assert caught.value.path().read_bytes()[:4] == magic


def test_visitors_do_not_disturb_each_other(visit):
    """Two at once: each keeps what they picked."""
    first, second = visit(), visit(drug="Gefitinib")
    pick(first, "drug", "Afatinib")
    title(first, "Afatinib")
    second.locator(".st-key-how summary").click()
    second.locator(".st-key-k input[type=range]").press("ArrowRight")
    second.wait_for_url("**k=11**")
    title(second, "Gefitinib")
    title(first, "Afatinib")


def test_a_bad_link_explains_itself(visit):
    """One box, no prediction; one click leads on."""
    page = visit(drug="Trametinob", k="0", wait=".lgr-box")
    assert page.locator(".lgr-box").count() == 1
    assert page.locator(".lgr-pick").count() == 0
    page.get_by_role("button", name="Open the nearest view").click()
    title(page, "Trametinib in A549")
    assert page.locator(".lgr-box").count() == 0


@pytest.mark.parametrize("drug", HOSTILE)
def test_hostile_names_do_nothing(visit, drug):
    """They are read, hovered over and searched for as text; nothing runs, nothing is fetched."""
    page = visit(drug=drug, selector="oracle", k="15")
    title(page, drug)
    settle(page)
    page.locator(".js-plotly-plot .point").first.hover(force=True)
    page.locator(".st-key-drug input").click()
    page.locator("[role=option]").first.wait_for()
    assert drug in page.locator("[role=listbox]").inner_text()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    assert page.locator(".lgr-pick strong").count() == 0


def test_an_unmeasured_drug_is_predicted_without_truth(visit):
    """One figure, and the plain sentence."""
    page = visit(drug=UNMEASURED)
    settle(page)
    assert page.get_by_text("Not measured: this atlas holds no measured change").is_visible()
    assert page.locator(".js-plotly-plot").count() == 1


def test_a_phone_reaches_the_pickers(visit):
    """The side bar is out of the way until it is asked for."""
    page = visit(width=390, height=844)
    settle(page)
    page.locator("[data-testid=stExpandSidebarButton]").click()
    pick(page, "drug", "Afatinib")
    title(page, "Afatinib in A549")


def test_a_phone_says_which_page_it_shows(visit, address):
    """Where the bar of pages is folded away, the head names the page; a wide one has the bar."""
    said = "getComputedStyle(document.querySelector('[data-testid=stHeader]'), '::after').content"
    page = visit(width=390, height=844)
    settle(page)
    assert page.evaluate(said) == '"Predict"'
    page.goto(f"{address}/find")
    page.wait_for_selector(".lgr-title")
    assert page.evaluate(said) == '"Find drugs"'
    wide = visit(width=1280)
    assert wide.evaluate(said) == "none"


def test_a_theme_chosen_in_the_menu_turns_the_drawings_too(visit):
    """Dark on a machine that is light: text, ground and bonds change without a reload."""
    page = visit(scheme="light")
    settle(page)

    def tones():
        """The darkest and the brightest grey of a drawing on its ground, as painted."""
        picture = page.locator(".lgr-drug img").first.screenshot()
        return Image.open(io.BytesIO(picture)).convert("L").getextrema()

    assert tones() == (0, 255)
    page.locator("[data-testid=stMainMenu] button").click()
    page.get_by_role("menuitemradio", name="Dark").or_(page.get_by_text("Dark", exact=True)).click()
    page.wait_for_function(
        "() => getComputedStyle(document.querySelector('.lgr-drug img')).colorScheme == 'dark'"
    )
    page.keyboard.press("Escape")
    darkest, brightest = tones()
    assert 10 < darkest < 60
    assert 200 < brightest < 250


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("predict_light", {}),
        ("predict_dark", {"scheme": "dark"}),
        ("predict_narrow", {"width": 800}),
        ("predict_phone", {"width": 390, "height": 844}),
        ("predict_phone_dark", {"width": 390, "height": 844, "scheme": "dark"}),
        ("predict_simulated", {"atlas": "toy"}),
        ("predict_unmeasured", {"drug": UNMEASURED}),
    ],
)
def test_the_page_fits(visit, screenshots, name, options):
    """Nothing is wider than the window or cut, in light, dark, narrow; a picture is kept."""
    page = visit(**options)
    settle(page)
    assert_fits(page)
    shoot(page, screenshots / f"{name}.png")


def test_the_bad_link_and_the_data_page_are_pictured(visit, screenshots):
    """The other faces of the app, for the eye."""
    page = visit(drug="Trametinob", wait=".lgr-box")
    page.screenshot(path=screenshots / "bad_link.png")
    page = visit()
    page.get_by_role("link", name="Data & methods", exact=True).click()
    page.locator("[data-testid=stDataFrame] canvas").nth(1).wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=screenshots / "data.png")
    page.get_by_role("link", name="Predict").click()
    title(page, "Trametinib")
