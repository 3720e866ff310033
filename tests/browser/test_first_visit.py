"""A link into any page works on a server that nobody has visited before."""

import pytest

from tests.support.app_server import served
from tests.support.toy_atlas import build_toy

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("page", ["benchmark", "find"])
def test_a_deep_link_is_the_first_request_of_a_server(browser, tmp_path, page):
    """The page stands under our own navigation, not under a list of files."""
    build_toy(tmp_path / "atlases" / "toy", simulated=True)
    with served(tmp_path) as address:
        context = browser.new_context()
        tab = context.new_page()
        tab.goto(f"{address}/{page}")
        tab.wait_for_selector(".lgr-title", timeout=60_000)
        assert tab.get_by_role("link", name="Predict").first.is_visible()
        assert tab.get_by_text("predict.py").count() == 0
        assert tab.get_by_text("Page not found").count() == 0
        context.close()
