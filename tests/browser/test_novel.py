"""A drug that is not in the list, in a real browser: typed in, and its answer in sight."""

import pytest

from tests.support.browser_page import settle, title

pytestmark = pytest.mark.browser


def test_the_box_closes_once_the_drug_was_sent(visit):
    """Nothing stands over the answer; the box opens again, as it was."""
    page = visit(drug="Trametinib", cell_line="A549", selector="mechanism")
    settle(page)
    button = page.get_by_role("button", name="A drug not listed")
    name = page.get_by_label("Name", exact=True)
    button.click()
    name.fill("LGR-1")
    page.get_by_label("Mechanism or targets, if known").fill("MEK inhibitor")
    page.get_by_role("button", name="Predict it in A549").click()
    title(page, "LGR-1 in A549")
    settle(page)
    name.wait_for(state="hidden")
    assert page.get_by_text("You gave its mechanism MEK inhibitor.").is_visible()
    button.click()
    name.wait_for()
    assert name.input_value() == "LGR-1"
