"""The benchmark in a real browser: shipped results, six panels, files, a point that leads on."""

import re
from urllib.parse import parse_qs, urlparse

import pytest

from tests.support.browser_page import assert_fits, pick, settle, shoot, title

pytestmark = pytest.mark.browser

DUEL = ".st-key-duel .js-plotly-plot"
OWN = "lab · lab"


@pytest.fixture
def benchmark(visit):
    """The page, opened as a visitor does: over the app's first page."""

    def open_page(**options):
        page = visit(**options)
        settle(page)
        if page.viewport_size["width"] < 640:
            page.goto(re.sub(r"/\?.*", "/benchmark", page.url))
        else:
            page.get_by_role("link", name="Benchmark").click()
        title(page, "Benchmark of Tahoe-100M")
        page.locator(".lgr-six").first.wait_for()
        settle(page)
        return page

    return open_page


def unfold(page, words):
    """Open a section of the page."""
    page.get_by_text(words, exact=True).click()
    settle(page)


def test_real_results_answer_within_the_first_look(benchmark):
    """Without any atlas of theirs: six panels end above 1,000 px."""
    page = benchmark()
    panels = page.locator(".lgr-six:visible > *")
    assert panels.count() == 6
    box = page.locator(".lgr-six:visible").bounding_box()
    assert box["y"] + box["height"] < 1000


def test_a_tab_is_another_regime(benchmark):
    """The question, the warning and the address follow."""
    page = benchmark()
    assert page.get_by_text("Unequal evidence").is_visible()
    page.get_by_role("tab", name="Unseen drug").click()
    page.wait_for_url("**regime=unseen_drug**")
    page.locator(".lgr-asks:visible", has_text="never measured anywhere").wait_for()
    settle(page)
    assert page.locator(".lgr-unequal:visible").count() == 0
    page.go_back()
    page.get_by_text("Unequal evidence").wait_for()


@pytest.mark.parametrize(("name", "start"), [("svg", b"<?xml"), ("slide", b"\x89PNG")])
def test_the_figure_is_taken_home(benchmark, name, start):
    """As a picture that can be edited, and as a slide of 16 to 9."""
    page = benchmark()
    with page.expect_download() as saved:
        page.locator(f".st-key-panels_{name} button").click()
    data = saved.value.path().read_bytes()
    assert data.startswith(start)
    if name == "slide":
        width, height = (int.from_bytes(data[at : at + 4]) for at in (16, 20))
        assert (width, height) == (1920, 1080)


def test_a_rival_is_chosen(benchmark):
    """The gap is drawn against it."""
    page = benchmark()
    unfold(page, "Is one method better than another? Paired differences")
    pick(page, "rival", "Cell mean")
    page.get_by_role("heading", name="Paired gap to Cell mean").wait_for()
    page.wait_for_url("**rival=cell_mean**")


def test_a_point_opens_its_condition_in_predict(benchmark):
    """The drug and line that the point names are those that Predict shows."""
    page = benchmark()
    pick(page, "run", OWN)
    title(page, "Benchmark of lab")
    settle(page)
    unfold(page, "Condition by condition, and how scores spread")
    page.locator(DUEL).wait_for()
    point = page.locator(f"{DUEL} .point").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    words = page.locator(f"{DUEL} .hovertext").text_content()
    point.click(force=True)
    page.wait_for_url("**drug=**")
    page.locator(".lgr-title").wait_for()
    settle(page)
    asked = parse_qs(urlparse(page.url).query)
    assert asked["drug"][0] in words
    assert asked["cell_line"][0] in words
    assert asked["selector"] == ["mechanism"]
    title(page, asked["drug"][0])


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("benchmark_light", {"width": 1280}),
        ("benchmark_dark", {"width": 1280, "scheme": "dark"}),
        ("benchmark_phone", {"width": 400, "height": 844}),
        ("benchmark_phone_dark", {"width": 400, "height": 844, "scheme": "dark"}),
    ],
)
def test_the_page_fits(benchmark, screenshots, name, options):
    """Nothing is wider than the window, no label is cut; a picture is kept."""
    page = benchmark(**options)
    assert_fits(page)
    shoot(page, screenshots / f"{name}.png")
