"""The app at Tahoe's size (56,850 conditions x 2,000 genes) in a real browser: seconds and memory.

Run: ``python benchmarks/browser.py`` (needs ``apt install chromium``). It builds a simulated atlas
of 0.5 GB in a folder that it removes, times first pages, changes of drug and every page, and then
lets ten visitors change drugs while the server's resident memory is read.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from playwright.sync_api import Browser, Page, sync_playwright
from simulated import simulated

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
from onscreen import PAGES, READY, pick, still, title
from served import served

DOSES = (0.05, 0.5, 5.0)
LINE = "line 07"
DRUGS = ("Afatinib", "Bortezomib", "Gemcitabine", "Erlotinib", "Everolimus", "Lapatinib")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@contextmanager
def visitor(browser: Browser) -> Iterator[Page]:
    """A page of a visitor of their own."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


def opening(page: Page, link: str) -> float:
    """Seconds until a page stands and no script runs."""
    start = time.perf_counter()
    page.goto(link)
    page.locator(".lgr-title").first.wait_for()
    still(page)
    return time.perf_counter() - start


def change(page: Page, drug: str) -> float:
    """Seconds from the key that chooses another drug to the new page, figures and all."""
    old = page.locator(READY).all_inner_texts()
    box = page.locator(".st-key-drug input")
    box.click()
    box.fill(drug)
    page.locator("[role=option]").first.wait_for()
    start = time.perf_counter()
    box.press("Enter")
    title(page, drug)
    still(page)
    page.wait_for_function(
        "([where, old]) => [...document.querySelectorAll(where)].map(t => t.textContent)"
        ".join() !== old.join()",
        arg=[READY, old],
    )
    return time.perf_counter() - start


def memory_mb(server: psutil.Process) -> float:
    """Memory that is the server's own, without the pages of mapped files."""
    return server.memory_full_info().uss / 1e6


def main() -> None:
    """Print one line for each of what is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interactions", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = Path(folder)
        simulated(home / "atlases", doses=DOSES)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        with served(home) as address:
            server = next(
                child for child in psutil.Process().children() if "streamlit" in child.cmdline()
            )
            question = (
                f"atlas=scale&cell_line={quote('line 07')}&selector=chemistry&drug=Trametinib"
            )
            with visitor(browser) as page:
                print(f"first page, cold server: {opening(page, f'{address}/?{question}'):.2f} s")
            taken = []
            for _ in range(5):
                with visitor(browser) as page:
                    taken.append(opening(page, f"{address}/?{question}"))
            print(f"first page, warm server: {statistics.median(taken):.2f} s (median of 5)")
            with visitor(browser) as page:
                opening(page, f"{address}/?{question}")
                found = [change(page, DRUGS[i % len(DRUGS)]) for i in range(20)]
            print(f"change of drug: {statistics.median(found):.2f} s (median of 20)")
            for name in PAGES:
                with visitor(browser) as page:
                    first = opening(page, f"{address}/{name}?{question}")
                with visitor(browser) as page:
                    again = opening(page, f"{address}/{name}?{question}")
                print(f"page {name or 'predict'}: first {first:.2f} s, again {again:.2f} s")
            print(f"memory before: {memory_mb(server):,.0f} MB")
            each = options.interactions // options.sessions
            for session in range(options.sessions):
                with visitor(browser) as page:
                    opening(page, f"{address}/?{question}")
                    for i in range(each):
                        pick(page, "drug", DRUGS[(session + i) % len(DRUGS)])
                        title(page, DRUGS[(session + i) % len(DRUGS)])
                        still(page)
                print(f"memory after {(session + 1) * each} changes: {memory_mb(server):,.0f} MB")
        browser.close()


if __name__ == "__main__":
    main()
