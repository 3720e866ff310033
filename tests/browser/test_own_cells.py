"""From the first page to a prediction in one's own cells, in a real browser."""

import numpy as np
import pandas as pd
import pytest

from tests.support.app_server import served
from tests.support.browser_page import title
from tests.support.factor_atlas import build_world

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def world(chromium, tmp_path_factory):
    """The address of an app with one atlas of twelve lines that have control profiles."""
    home = tmp_path_factory.mktemp("home")
    build_world(home / "atlases" / "world", lines=12, drugs=8, vehicles=True)
    with served(home) as address:
        yield address


def test_five_actions_lead_from_a_table_to_named_evidence(world, browser, tmp_path):
    """The page opened, the box, the file, its column's name taken, Predict: genes and reasons."""
    values = np.exp(np.random.default_rng(1).standard_normal(60) + 3)
    table = pd.DataFrame({"gene": [f"G{i}" for i in range(60)], "my_line": values})
    table.to_csv(tmp_path / "tpm.csv", index=False)
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(world)  # 1
    page.wait_for_selector(".lgr-title")
    page.get_by_role("button", name="My own cells").click()  # 2
    page.locator("[data-testid=stPopoverBody] input[type=file]").set_input_files(
        tmp_path / "tpm.csv"
    )  # 3
    go = page.get_by_role("button", name="Predict in my cells")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.st-key-own_go button')].some(b => !b.disabled)"
    )
    go.click()  # 4
    title(page, "my_line")
    page.get_by_text("60 of 60 genes match").wait_for()
    page.get_by_text("Lines like your cells").wait_for()
    page.locator(".lgr-trust").wait_for()
    go.wait_for(state="hidden")
    page.close()
