"""Reasons, truth, new drugs and looks in a real browser: main paths, files, pictures."""

import csv
import io

import anndata
import pytest

from tests.support.browser_page import assert_fits, pick, settle, shoot, title
from tests.support.lab_atlas import HOSTILE

pytestmark = pytest.mark.browser

TRAMETINIB = "CC1=C2C(=C(N(C1=O)C)NC3=C(C=C(C=C3)I)F)C(=O)N(C(=O)N2C4=CC=CC(=C4)NC(=O)C)C5CC5"
MEK = {"drug": "Trametinib", "selector": "mechanism", "k": "4", "change": "total"}

LOOKS = {"Reasons": "reasons", "Was it right?": "truth"}
FIRST = {"Reasons": "Who is averaged", "Was it right?": "How it scores beside its rivals"}
"""The looks by their names: how the link spells them, and the heading that each opens with."""


@pytest.fixture
def opened(visit):
    """A look at the question by its name on the page, reached as a visitor does."""

    def open_page(name, **options):
        page = visit(**options)
        settle(page)
        page.locator(".st-key-look").get_by_text(name, exact=True).click()
        page.wait_for_url(f"**look={LOOKS[name]}**")
        page.get_by_role("heading", name=FIRST[name], exact=True).wait_for()
        settle(page)
        return page

    return open_page


def ranks(page):
    """The neighbours of the page, best first."""
    return page.locator(".lgr-row h3").all_inner_texts()


def saved(page, name):
    """What the button of that name gives."""
    with page.expect_download() as caught:
        page.get_by_role("button", name=name, exact=True).first.click()
    return caught.value.path()


def rows(path):
    """A CSV file's rows."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def test_a_neighbour_dropped_changes_set_link_and_prediction(opened, visit):
    """One click; the link reopens the edited set, and so does the first page."""
    page = opened("Reasons", **MEK)
    before = ranks(page)
    assert len(before) == 4
    page.locator(".st-key-used button").first.click()
    page.wait_for_url("**drop=**")
    page.wait_for_function("() => document.querySelectorAll('.lgr-row').length == 3")
    settle(page)
    assert ranks(page) == before[1:]
    page.locator(".st-key-look").get_by_text("Answer", exact=True).click()
    page.locator(".lgr-pick").first.wait_for()
    settle(page)
    assert page.locator(".lgr-pick th").all_inner_texts() == before[1:]
    other = visit()
    other.goto(page.url)
    other.locator(".lgr-pick").first.wait_for()
    settle(other)
    assert other.locator(".lgr-pick th").all_inner_texts() == before[1:]


def test_one_is_added_and_the_truth_revealed(opened):
    """The list adds it at the end; the toggle shows true ranks; the file holds both."""
    page = opened("Reasons", **MEK)
    pick(page, "another", "Belinostat")
    page.wait_for_url("**add=Belinostat**")
    page.locator(".st-key-revealed label").click()
    page.wait_for_url("**reveal=1**")
    page.locator(".lgr-truth").first.wait_for()
    settle(page)
    table = rows(saved(page, "This table (csv)"))
    assert table[-1]["drug"] == "Belinostat"
    assert {1 <= int(row["true rank"]) <= 16 for row in table} == {True}
    assert "with the truth" in page.locator(".lgr-row").last.inner_text()


def test_the_rival_is_picked_linked_and_taken_home(opened):
    """Two scatters, a table of all methods, a figure as a page of its own."""
    page = opened("Was it right?", **MEK)
    assert page.locator(".js-plotly-plot").count() == 4
    pick(page, "rival", "Drug mean")
    page.wait_for_url("**rival=drug_mean**")
    settle(page)
    methods = [row["method"] for row in rows(saved(page, "This table (csv)"))]
    assert methods[0] == "Mechanism (this prediction)"
    assert {"Pool mean", "Cell mean", "Drug mean", "Oracle k"} <= set(methods)
    assert b"<html>" in saved(page, "Strips as HTML").read_bytes()[:200]


def test_a_new_drug_is_typed_in(visit):
    """By SMILES: predicted, its twin left out, and the address is its link."""
    page = visit(atlas="toy", selector="chemistry", k="3")
    settle(page)
    page.get_by_role("button", name="A drug not listed").click()
    page.get_by_label("Name").fill("LGR-1")
    page.get_by_label("Structure (SMILES)").fill(TRAMETINIB)
    page.get_by_role("button", name="Predict it in A549").click()
    title(page, "LGR-1")
    settle(page)
    assert "Left out as forms of the same compound: Trametinib" in page.inner_text(".lgr-notes")
    assert "Trametinib" not in page.locator(".lgr-pick th").all_inner_texts()
    page.reload()
    title(page, "LGR-1")


def test_gene_sets_are_uploaded(visit, tmp_path):
    """A GMT file of one's own is ranked, for this visitor alone."""
    path = tmp_path / "mine.gmt"
    path.write_text("rising\td\t" + "\t".join(f"GENE{i}" for i in range(1, 30)) + "\n")
    page = visit(tab="pathways", **MEK)
    page.locator("[role=alert], .lgr-box").first.wait_for()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").set_input_files(path)
    page.get_by_text("Strongest of 1 set").wait_for(timeout=60_000)
    other = visit(tab="pathways", **MEK)
    other.locator(".lgr-box").first.wait_for()
    assert "rising" not in other.inner_text("[data-testid=stMain]")


def test_ranked_list_and_h5ad_hold_the_prediction(visit):
    """The .rnk is in falling order, the h5ad has the same numbers."""
    page = visit(**MEK)
    settle(page)
    lines = saved(page, "Download rnk").read_text().splitlines()
    genes, values = zip(*(line.split("\t") for line in lines), strict=True)
    numbers = [float(value) for value in values]
    assert numbers == sorted(numbers, reverse=True)
    adata = anndata.read_h5ad(saved(page, "Download h5ad"))
    predicted = adata[adata.obs["role"] == "predicted", list(genes)].X[0]
    assert predicted == pytest.approx(numbers, abs=1e-4)


def test_the_tour_is_taken_by_keyboard(visit):
    """It is offered once, walked through with Enter, and gone."""
    page = visit()
    settle(page)
    for step in range(1, 6):
        page.get_by_role("button", name="Next" if step > 1 else "Take the tour").press("Enter")
        page.get_by_text(f"{step} of 5.").wait_for()
    page.get_by_role("button", name="Done").press("Enter")
    page.wait_for_selector(".st-key-tour", state="detached")


@pytest.mark.parametrize("name", LOOKS)
def test_names_are_text_whatever_they_hold(opened, name):
    """Nothing of a hostile name runs or is fetched."""
    page = opened(name, drug=HOSTILE[0], selector="mechanism")
    assert page.evaluate("window.hacked") is None
    assert HOSTILE[0] in page.inner_text(".lgr-title")


@pytest.mark.parametrize("name", LOOKS)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (400, "light")])
def test_pictures(opened, screenshots, name, width, scheme):
    """Wide and on a phone, light and dark: nothing sticks out at the side."""
    page = opened(name, width=width, scheme=scheme, reveal="1", **MEK)
    assert_fits(page)
    shoot(page, screenshots / f"{LOOKS[name]}_{width}_{scheme}.png")


def test_two_drugs_stand_side_by_side(opened):
    """Picked, linked, each with its verdict and its genes."""
    page = opened("Was it right?", **MEK)
    pick(page, "other_drug", "Cobimetinib")
    page.wait_for_url("**other_drug=Cobimetinib**")
    page.wait_for_function("() => document.querySelectorAll('.lgr-verdict').length == 3")
    settle(page)
    left, right = (page.locator(".lgr-verdict").nth(place).bounding_box() for place in (1, 2))
    assert abs(left["y"] - right["y"]) < 2
    assert right["x"] > left["x"] + left["width"] / 2


@pytest.mark.parametrize(("name", "look"), [("neighbors", "reasons"), ("compare", "truth")])
def test_an_address_of_old_leads_to_its_look(visit, address, name, look):
    """With the question that it asks."""
    page = visit()
    page.goto(f"{address}/{name}?atlas=lab&cell_line=LoVo&drug=Gefitinib&selector=mechanism&k=3")
    title(page, "Gefitinib in LoVo")
    settle(page)
    assert all(part in page.url for part in (f"look={look}", "drug=Gefitinib", "k=3"))
