"""The benchmark in a real browser: one look, files, tabs, a point that opens its condition."""

import io
import re
from urllib.parse import parse_qs, urlparse

import pytest
from PIL import Image

from tests.support.app_server import served
from tests.support.browser_page import assert_fits, pick, settle, shoot, still, title

pytestmark = pytest.mark.browser

DUEL = ".st-key-duel .js-plotly-plot"
PANELS = ".lgr-six-panel"
BOXES = """els => els.map(each => {
    const box = each.getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom].map(Math.round);
})"""


@pytest.fixture
def benchmark(visit):
    """The page, opened as a visitor does: over the app's first page, on the run of atlas lab."""

    def open_page(run="lab", **options):
        page = visit(**options)
        settle(page)
        page.goto(re.sub(r"/\?.*", f"/benchmark?run={run}", page.url))
        page.locator(PANELS).nth(5).wait_for()
        still(page)
        return page

    return open_page


def unfold(page, words):
    """Open a section by its title."""
    page.get_by_text(words, exact=True).click()
    still(page)


def saved(page, label):
    """What a button of the figure saves: its name and bytes."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


@pytest.fixture(scope="module")
def empty_installation(chromium, tmp_path_factory):
    """The address of an app whose home holds nothing at all."""
    with served(tmp_path_factory.mktemp("empty_home")) as address:
        yield address


def test_an_empty_installation_shows_real_results_in_the_first_look(browser, empty_installation):
    """Six panels, three by two, end within 1,000 px; their text has 14 px; nothing is built."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.goto(f"{empty_installation}/benchmark")
        page.locator(PANELS).nth(5).wait_for()
        still(page)
        boxes = page.locator(PANELS).evaluate_all(BOXES)
        assert len({left for left, *_ in boxes}) == 3
        assert len({top for _, top, *_ in boxes}) == 2
        assert max(bottom for *_, bottom in boxes) <= 1000
        size = "each => getComputedStyle(each).fontSize"
        assert page.locator(".lgr-six li").first.evaluate(size) == "14px"
        title(page, "Benchmark of Tahoe-100M")
        assert page.get_by_text("Measured data").is_visible()
        assert page.locator("p.lgr-lead").first.inner_text().count("Pearson r") == 1
    finally:
        context.close()


def test_the_figure_is_saved_as_svg_and_slide(benchmark):
    """The paper's figure by name; the slide has 16 to 9."""
    page = benchmark()
    name, data = saved(page, "SVG")
    assert name == "figure_2_unseen_cell_line_lab_svg.svg"
    assert data.count(b"Pool mean") == 6
    name, data = saved(page, "Slide (16:9)")
    assert name.endswith("_slide.png")
    assert Image.open(io.BytesIO(data)).size == (1920, 1080)


def test_a_tab_is_another_regime(benchmark):
    """The question, the warning and the address follow."""
    page = benchmark()
    assert page.get_by_text("Unequal evidence").is_visible()
    page.get_by_role("tab", name="Unseen drug").click()
    page.wait_for_url("**regime=unseen_drug**")
    page.locator(".lgr-asks:visible", has_text="never measured anywhere").wait_for()
    still(page)
    assert page.locator(".lgr-unequal:visible").count() == 0
    page.go_back()
    page.get_by_text("Unequal evidence").wait_for()


def test_a_rival_is_chosen(benchmark):
    """The gap is drawn against it, once its section is open."""
    page = benchmark()
    unfold(page, "Is one method better than another? Paired differences")
    pick(page, "rival", "Cell mean")
    page.get_by_role("heading", name="Paired gap to Cell mean").wait_for()
    page.wait_for_url("**rival=cell_mean**")


def test_a_point_opens_its_condition_in_predict(benchmark):
    """The drug and line that the point names are those that Predict shows."""
    page = benchmark()
    unfold(page, "Condition by condition, and how scores spread")
    point = page.locator(f"{DUEL} .point").first
    point.scroll_into_view_if_needed()
    point.hover(force=True)
    words = page.locator(f"{DUEL} .hovertext").text_content()
    point.click(force=True)
    page.wait_for_url("**drug=**")
    page.locator(".lgr-picks").wait_for()
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
    ],
)
def test_the_page_fits(benchmark, screenshots, name, options):
    """Nothing is wider than the window, no label is cut; a picture is kept."""
    page = benchmark(**options)
    unfold(page, "Where it helps and where it fails")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    assert_fits(page)
    shoot(page, screenshots / f"{name}.png")
