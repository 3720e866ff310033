"""The app on a free port of this machine, driven in Debian's Chromium."""

import os
import shutil
from urllib.parse import urlencode

import pytest
from playwright.sync_api import sync_playwright

from lgr_core.atlas.store import open_atlas
from tests.support.app_server import ROOT, served
from tests.support.benchmark_runs import write_run
from tests.support.calibration_runs import calibrate
from tests.support.lab_atlas import build_lab
from tests.support.toy_atlas import build_toy

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
)
FOREIGN = ("_stcore/", "favicon")
"""Complaints about these are Streamlit's own."""


@pytest.fixture(scope="session")
def chromium():
    """Where Chromium is; without it the tests are skipped, but fail in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None and os.environ.get("CI"):
        pytest.fail("chromium is not installed (apt install chromium)")
    if path is None:
        pytest.skip("chromium is not installed (apt install chromium)")
    return path


@pytest.fixture(scope="session")
def address(chromium, tmp_path_factory):
    """The address of the app: atlas lab, with hostile names, a run of it, and atlas toy."""
    home = tmp_path_factory.mktemp("home")
    build_lab(home / "atlases" / "lab", tmp_path_factory.mktemp("scratch"))
    lab = open_atlas("lab", home / "atlases")
    write_run(home / "runs" / "lab", lab.conditions, simulated=False)
    calibrate(home / "runs" / "trust", lab)
    build_toy(home / "atlases" / "toy", simulated=True)
    with served(home) as address:
        yield address


@pytest.fixture(scope="session")
def browser(chromium):
    """One browser for all tests."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, address):
    """A visitor of their own: ``visit(drug="Afatinib")`` opens that link in a fresh context.

    After the test, whatever the browser complained of on our account fails it.
    """
    contexts, complaints = [], []

    def open_link(*, width=1440, height=1000, scheme="light", wait=".lgr-title", **link):
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: _hear(message, complaints))
        page.on("request", lambda request: _stay(request, address, complaints))
        page.goto(f"{address}/?{urlencode(link)}")
        page.wait_for_selector(wait)
        return page

    yield open_link
    for context in contexts:
        context.close()
    assert complaints == []


def _hear(message, complaints):
    where = message.location.get("url", "")
    if message.type == "error" and not any(part in where for part in FOREIGN):
        complaints.append(f"{message.text} ({where})")


def _stay(request, address, complaints):
    """Nothing is fetched from anywhere but the app itself."""
    if not request.url.startswith((address, "data:", "blob:")):
        complaints.append(f"fetched from elsewhere: {request.url}")


@pytest.fixture(scope="session")
def screenshots():
    """Where pictures of the pages go; git ignores it."""
    folder = ROOT / "artifacts" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
