"""The data page in a real browser: looking, uploading, two visitors at once, and the pictures."""

import re
from urllib.parse import urlencode

import numpy as np
import pandas as pd
import pytest

from tests.support.browser_page import assert_fits, pick, shoot, still, title
from tests.support.count_files import write_h5ad

pytestmark = pytest.mark.browser

DRUGS = ("DMSO", "Trametinib", "Vorinostat", "Erlotinib")


@pytest.fixture
def opened(visit, address):
    """A visit to that part of the page."""

    def open_part(part, heading, *, width=1280, **options):
        page = visit(width=width, **options)
        page.goto(f"{address}/data?{urlencode({'atlas': 'lab', 'part': part})}")
        title(page, heading)
        still(page)
        return page

    return open_part


@pytest.fixture
def counts(tmp_path):
    """An h5ad of raw counts whose column of lines has a name that says nothing."""
    rng = np.random.default_rng(5)
    rows = [(line, drug) for line in ("A549", "LoVo") for drug in DRUGS for _ in range(12)]
    obs = pd.DataFrame(rows, columns=["where_from", "drug"])
    obs["dose"] = np.where(obs["drug"] == "DMSO", "0 uM", "1 uM")
    X = rng.poisson(3.0, (len(obs), 30))
    X[obs["drug"] == "Trametinib", :5] *= 4
    return write_h5ad(tmp_path / "My cells.h5ad", X, obs)


@pytest.fixture
def changes(tmp_path):
    """A CSV of changes of two lines and three drugs, and another of the same name."""

    def write(seed):
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame(
            [(line, drug, 1.0) for line in ("A549", "LoVo") for drug in DRUGS[1:]],
            columns=["cell_line", "drug", "dose_um"],
        )
        genes = pd.DataFrame(rng.normal(size=(6, 25)), columns=[f"GENE{i}" for i in range(25)])
        path = tmp_path / str(seed) / "changes.csv"
        path.parent.mkdir()
        pd.concat([frame, genes], axis=1).to_csv(path, index=False)
        return path

    return write


def send(page, path):
    """Upload a file and wait for what it holds."""
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(path)
    page.get_by_text("2. What its columns are").wait_for()
    still(page)


def name(page, words):
    """Give the atlas a name."""
    box = page.get_by_label("Name of the atlas")
    box.fill(words)
    box.press("Enter")
    still(page)


def check(page, words):
    """Check, and wait until these words are found."""
    page.get_by_role("button", name="Check").click()
    page.locator(".lgr-facts").last.get_by_text(words, exact=True).wait_for()
    page.get_by_role("button", name="Ingest", exact=True).wait_for()


def ingest(page):
    """Ingest what was checked."""
    page.get_by_role("button", name="Ingest", exact=True).click()


def test_counts_are_sent_corrected_built_and_explored(opened, counts, screenshots):
    """A column that was not guessed is chosen; the atlas opens in Predict, the file is gone."""
    page = opened("own", "Bring your own data")
    assert page.get_by_text("everybody who can open this page sees it").is_visible()
    send(page, counts)
    page.get_by_role("button", name="Check").click()
    page.get_by_text("Choose the column «Cell line» above.").wait_for()
    pick(page, "own_cell_line", "where_from")
    name(page, "mine")
    check(page, "mine")
    facts = page.locator(".lgr-facts").last.inner_text()
    assert "2: A549, LoVo" in facts
    assert "DMSO (24)" in facts
    shoot(page, screenshots / "data_checked.png")
    ingest(page)
    page.get_by_text("mine is built").wait_for()
    page.wait_for_url(re.compile("ingest=[0-9a-f]{32}"))
    page.get_by_role("button", name="Open it in Predict").click()
    page.wait_for_url("**atlas=mine**")
    title(page, "Trametinib in A549")


def test_two_visitors_send_at_once_and_nobody_is_overwritten(opened, changes):
    """One name is had once; the other visitor is told, chooses another, and both are there."""
    first, second = (opened("own", "Bring your own data") for _ in range(2))
    for page, seed in ((first, 1), (second, 2)):
        send(page, changes(seed))
        pick(page, "own_kind", "Log2 fold changes")
        name(page, "shared")
        check(page, "shared")
    ingest(first)
    first.get_by_text("shared is built").wait_for()
    ingest(second)
    second.get_by_text("it exists already, and stays as it is").first.wait_for()
    name(second, "other")
    second.get_by_text("check again").wait_for()
    check(second, "other")
    ingest(second)
    second.get_by_text("other is built").wait_for()
    second.get_by_role("button", name="See what it covers").click()
    title(second, "What is measured")
    second.get_by_text("6 of 6").wait_for()
    second.wait_for_url("**atlas=other**")


def test_a_page_left_during_an_ingest_shows_it_again(opened, changes, visit):
    """The address of the ingest tells its outcome to whoever opens it."""
    page = opened("own", "Bring your own data")
    send(page, changes(3))
    pick(page, "own_kind", "Log2 fold changes")
    name(page, "left")
    check(page, "left")
    ingest(page)
    page.wait_for_url(re.compile("ingest=[0-9a-f]{32}"))
    url = page.url
    page.goto(url.split("/data")[0])
    title(page, "Trametinib")
    other = visit()
    other.goto(url)
    other.get_by_text("left is built").wait_for()


def test_a_picture_called_csv_is_refused_in_one_box(opened, tmp_path):
    """No stack trace, no path of the server; the file can be removed."""
    path = tmp_path / "photo.csv"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9)
    page = opened("own", "Bring your own data")
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(path)
    box = page.locator(".lgr-box")
    box.wait_for()
    assert box.count() == 1
    assert "file photo.csv" in box.inner_text()
    assert "uploads" not in box.inner_text()
    page.get_by_role("button", name="Remove this file").click()
    box.wait_for(state="detached")


def test_the_slider_and_the_dose_are_in_the_address(opened):
    """Coverage of one dose, and how many conditions have few cells."""
    page = opened("coverage", "What is measured")
    page.get_by_text("0.5 µM").click()
    page.wait_for_url("**coverage=0.5**")
    page.get_by_role("slider").focus()
    page.keyboard.press("End")
    page.wait_for_url("**min_cells=50**")
    page.get_by_text("have fewer than 50 cells").wait_for()
    url = page.url
    page.goto(url)
    page.get_by_text("have fewer than 50 cells").wait_for()
    with page.expect_download() as caught:
        page.get_by_role("button", name="This table (csv)").first.click()
    table = pd.read_csv(caught.value.path(), index_col="cell line")
    assert table.index.tolist()[0] == "A549"
    assert table.loc["A549", "Trametinib"] == 40


@pytest.mark.parametrize(
    ("part", "heading"),
    [
        ("atlas", "About this data"),
        ("coverage", "What is measured"),
        ("quality", "Quality of the data"),
        ("all", "All atlases"),
        ("own", "Bring your own data"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("light", {}),
        ("dark", {"scheme": "dark"}),
        ("phone", {"width": 390, "height": 844}),
    ],
)
def test_the_parts_fit(opened, screenshots, part, heading, kind, options):
    """Nothing is wider than the window; a picture is kept."""
    page = opened(part, heading, **options)
    page.wait_for_timeout(500)
    assert_fits(page)
    shoot(page, screenshots / f"data_{part}_{kind}.png")
