"""The app at Tahoe's size (56,850 conditions x 2,000 genes) in a real browser: seconds and memory.

Run: ``python benchmarks/browser.py`` (needs ``apt install chromium``). It builds a simulated atlas
of 0.5 GB in a folder that it removes, and measures what visitors do:

- a first visit, by a browser that has never seen the app: until it is *usable* (title, pickers and
  a figure drawn), and until it is *at rest* (no script runs, nothing is still to be drawn);
- a change of drug, from the key that chooses it until all is drawn anew;
- each page by a click in the bar of a running session, at first and again, and by a link in a new
  tab of a browser that has been here before;
- the server's memory while ten visitors change drugs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import psutil
from chromium import Tab, browser
from simulated import simulated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.app_server import served
from tests.support.browser_page import PAGES, READY

DOSES = (0.05, 0.5, 5.0)
DRUGS = ("Afatinib", "Bortezomib", "Gemcitabine", "Erlotinib", "Everolimus", "Lapatinib")
LINK = f"?atlas=scale&cell_line={quote('line 07')}&selector=chemistry&drug=Trametinib"
VISITS, CHANGES = 5, 20

ALL = "const all = where => [...document.querySelectorAll(where)];"
USABLE = f"""(() => {{ {ALL} return all('.lgr-title').length && all('.st-key-drug input').length
    && all('{READY}').length }})()"""
AT_REST = f"""(() => {{ {ALL} const titles = all('.lgr-title').map(title => title.innerText);
    return titles.length && (window.ran !== false || titles[0] !== window.title)
    && all('[data-testid=stApp][data-test-script-state=notRunning]').length
    && !all('[data-testid=stSkeleton], [data-stale=true]').length
    && all('.stPlotlyChart').every(chart => chart.querySelector('.main-svg .plot, .main-svg .bg'))
    }})()"""
WATCH = """window.ran = false; window.title = document.querySelector('.lgr-title').innerText;
new MutationObserver(() => {
    if (document.querySelector('[data-test-script-state=running]')) window.ran = true;
}).observe(document.querySelector('[data-testid=stApp]'), {attributes: true})"""


def opened(tab: Tab, link: str, *conditions: str) -> list[float]:
    """Seconds from a link until each condition is met."""
    start = time.perf_counter()
    tab.call("Page.navigate", url=link)
    return [tab.until(condition, start) for condition in conditions]


def clicked(tab: Tab, page: str) -> float:
    """Seconds from a click in the bar until that page is at rest."""
    tab.js(WATCH)
    start = time.perf_counter()
    tab.js(
        f"[...document.querySelectorAll('[data-testid=stTopNavLink]')]"
        f".find(a => new URL(a.href).pathname === '/{page}').click()"
    )
    return tab.until(f"location.pathname === '/{page}' && {AT_REST}", start)


def changed(tab: Tab, drug: str) -> float:
    """Seconds from the key that chooses another drug until all is drawn anew."""
    tab.js("const box = document.querySelector('.st-key-drug input'); box.focus(); box.select()")
    tab.call("Input.insertText", text=drug)
    tab.until("document.querySelectorAll('[role=option]').length === 1", time.perf_counter())
    tab.js(WATCH)
    start = time.perf_counter()
    tab.key("Enter", 13)
    title = f"document.querySelector('.lgr-title')?.innerText.includes('{drug}')"
    return tab.until(f"{title} && {AT_REST}", start)


def visits(address: str) -> None:
    """First visits, each with a browser of its own, and changes of drug in the last."""
    for server, n in (("cold", 1), ("warm", VISITS)):
        taken = []
        for _ in range(n):
            with browser() as chrome, Tab(chrome) as tab:
                taken.append(opened(tab, f"{address}/{LINK}", USABLE, AT_REST))
                if server == "warm" and len(taken) == n:
                    found = [changed(tab, DRUGS[i % len(DRUGS)]) for i in range(CHANGES)]
        usable, rest = (statistics.median(column) for column in zip(*taken, strict=True))
        print(f"first visit, {server} server: usable {usable:.2f} s, at rest {rest:.2f} s")
    print(f"change of drug: {statistics.median(found):.2f} s (median of {CHANGES})")


def pages(address: str) -> None:
    """Every page by click and by link, in a browser that has seen them all."""
    with browser() as chrome:
        with Tab(chrome) as tab:
            opened(tab, f"{address}/{LINK}", AT_REST)
            first, again = (
                {page: clicked(tab, page) for page in (*PAGES[1:], PAGES[0])} for _ in range(2)
            )
        for page in PAGES:
            with Tab(chrome) as tab:
                (linked,) = opened(tab, f"{address}/{page}{LINK}", AT_REST)
            name, click, more = page or "predict", first[page], again[page]
            print(f"page {name}: clicked {click:.2f} s, again {more:.2f} s; by link {linked:.2f} s")


def memory(address: str, interactions: int, sessions: int) -> None:
    """The server's own memory, without the pages of mapped files, after each session."""
    server = next(child for child in psutil.Process().children() if "streamlit" in child.cmdline())
    print(f"memory before: {server.memory_full_info().uss / 1e6:,.0f} MB")
    each = interactions // sessions
    with browser() as chrome:
        for session in range(sessions):
            with Tab(chrome) as tab:
                opened(tab, f"{address}/{LINK}", AT_REST)
                for i in range(each):
                    changed(tab, DRUGS[(session + i) % len(DRUGS)])
            used = server.memory_full_info().uss / 1e6
            print(f"memory after {(session + 1) * each} changes: {used:,.0f} MB")


def main() -> None:
    """Print one line for each of what is measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--interactions", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=10)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        simulated(Path(folder) / "atlases", doses=DOSES)
        with served(Path(folder)) as address:
            visits(address)
            pages(address)
            memory(address, options.interactions, options.sessions)


if __name__ == "__main__":
    main()
