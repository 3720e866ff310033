"""Batch in a real browser: pasted, checked, predicted, taken home as a zip file; the pictures."""

import csv
import io
import json
from zipfile import ZipFile

import anndata as ad
import pytest

from tests.support.browser_page import (
    WORDS_IN_SIGHT,
    assert_fits,
    settle,
    shoot,
    still,
    title,
)
from tests.support.lab_atlas import UNMEASURED

pytestmark = pytest.mark.browser

QUERIES = f"trametinib, A549\nGefitinib, LoVo, 5000 nM\n{UNMEASURED}, A549\nNonsense, LoVo"


@pytest.fixture
def batch(visit):
    """The page with this list checked, reached as a visitor does."""

    def open_page(**options):
        page = visit(selector="mechanism", **options)
        settle(page)
        narrow = page.viewport_size["width"] < 640
        if narrow:
            page.locator("[data-testid=stExpandSidebarButton]").click()
        page.get_by_role("link", name="Batch", exact=True).click()
        title(page, "Batch")
        if narrow:
            page.locator("[data-testid=stSidebarCollapseButton] button").click()
        page.locator(".st-key-queries textarea").fill(QUERIES)
        page.get_by_role("button", name="Check the list").click()
        page.get_by_role("button", name="Predict 3 queries").wait_for()
        still(page)
        return page

    return open_page


def run(page):
    """Predict them."""
    page.get_by_role("button", name="Predict 3 queries").click()
    page.get_by_text("queries are predicted").wait_for()
    still(page)


def zipped(page):
    """Names and contents of the zip file."""
    with page.expect_download() as caught:
        page.get_by_role("button", name="Download all as zip").click()
    with ZipFile(caught.value.path()) as file:
        return {name: file.read(name) for name in file.namelist()}


def rows(files, name):
    """The rows of a CSV in it."""
    return list(csv.DictReader(io.StringIO(files[name].decode())))


def test_a_list_is_checked_predicted_and_taken_home(batch, tmp_path):
    """The file holds all four lines; its address asks the same again."""
    page = batch()
    assert page.get_by_text("1 line refused, and why").is_visible()
    run(page)
    files = zipped(page)
    drugs = [row["drug"] for row in rows(files, "summary.csv")]
    assert drugs == ["Trametinib", "Gefitinib", UNMEASURED]
    assert [row["line"] for row in rows(files, "refused.csv")] == ["Nonsense, LoVo"]
    wide = rows(files, "predictions.csv")
    assert [row["change"] for row in wide] == ["predicted", "measured"] * 2 + ["predicted"]
    assert files["neighbors.jsonl"].decode().count("\n") == 3
    assert "lab (measured data)" in files["README.txt"].decode()
    (tmp_path / "side.h5ad").write_bytes(files["cell_eval/predicted.h5ad"])
    assert ad.read_h5ad(tmp_path / "side.h5ad").n_obs == 4
    page.get_by_role("radio", name="Tidy").or_(page.get_by_text("Tidy", exact=True)).first.click()
    page.wait_for_timeout(1_000)  # until the script has begun anew
    still(page)
    tidy = rows(zipped(page), "predictions.csv")
    assert len(tidy) == 3 * (len(wide[0]) - 4)
    page.goto(page.url)
    page.get_by_role("button", name="Predict 3 queries").wait_for()
    assert page.locator(".st-key-queries textarea").input_value() == QUERIES


def test_best_evidence_is_carried_here_and_answers(batch):
    """From Predict by the bar: trust in a sentence, weights in the file, the method in the link."""
    page = batch(method="best_evidence")
    run(page)
    assert page.get_by_text("Trust is high for 0, some for 0, not known for 3").is_visible()
    assert "method=best_evidence" in page.url
    files = zipped(page)
    lines = [json.loads(line) for line in files["weights.jsonl"].decode().splitlines()]
    assert [line["method"] for line in lines] == ["best_evidence"] * 3
    assert [row["trust"] for row in rows(files, "summary.csv")] == ["grey"] * 3


def test_a_file_fills_the_list_and_results_wait(batch, tmp_path):
    """Uploaded, predicted, left for another page, found again."""
    page = batch()
    file = tmp_path / "list.csv"
    file.write_text("cell_line,drug\nLoVo,Afatinib\n")
    page.locator("[data-testid=stFileUploader] input").set_input_files(file)
    page.get_by_role("button", name="Predict 1 query").click()
    page.get_by_text("queries are predicted").wait_for()
    page.get_by_role("link", name="Browse", exact=True).click()
    title(page, "drugs")
    page.get_by_role("link", name="Batch", exact=True).click()
    page.get_by_text("queries are predicted").wait_for()
    assert "Afatinib" in page.locator(".st-key-queries textarea").input_value()


def test_a_file_that_is_no_text_is_refused(batch, tmp_path):
    """One sentence; the list stays."""
    page = batch()
    file = tmp_path / "picture.csv"
    file.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\xff\xfe")
    page.locator("[data-testid=stFileUploader] input").set_input_files(file)
    page.get_by_text("This file was not taken").wait_for()
    assert page.locator(".st-key-queries textarea").input_value() == QUERIES


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("light", {}),
        ("dark", {"scheme": "dark"}),
        ("phone", {"width": 390, "height": 844}),
    ],
)
def test_the_page_fits(batch, screenshots, kind, options):
    """Nothing is wider than the window; a picture is kept."""
    page = batch(**options)
    run(page)
    assert_fits(page)
    shoot(page, screenshots / f"batch_{kind}.png")


def test_a_term_is_explained_by_keyboard(visit):
    """Its tooltip opens when it has the focus, in the glossary's words, inside the window."""
    page = visit()
    page.goto(page.url.split("?")[0] + "methods")
    title(page, "Methods in two minutes")
    still(page)
    term = page.locator(".lgr-tip", has_text="specific change").first
    term.focus()
    shown = "tip => getComputedStyle(tip, '::after').content"
    assert "other compounds is subtracted" in term.evaluate(shown)
    page.locator("h1").click()
    assert term.evaluate(shown) == "none"


def test_the_first_screens_have_few_words(visit):
    """At most 150 in the window of 1440 x 900, tables of lines and drugs left aside."""
    page = visit(height=900)
    first = page.url.split("?")[0]
    for place in ("data", "methods", "batch", "data?part=own"):
        page.goto(f"{first}{place}")
        page.locator(".lgr-title").wait_for()
        still(page)
        words = page.evaluate(WORDS_IN_SIGHT)
        assert 30 < len(words) <= 150, " ".join(words)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("part", ["start", "selector", "methods", "metrics", "glossary", "trust"])
def test_the_methods_fit(visit, screenshots, width, part):
    """No table is cut; a picture is kept."""
    page = visit(width=width)
    page.goto(page.url.split("?")[0] + f"methods?part={part}")
    page.wait_for_url(f"**/data?**part={part}**")
    page.locator("[role=tab][aria-selected=true]").wait_for()
    still(page)
    assert_fits(page)
    shoot(page, screenshots / f"methods_{part}_{width}.png")
