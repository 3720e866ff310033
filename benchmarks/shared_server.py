"""A server that visitors share, under a limit of 4 GB: what each sees of what the others do.

Run: ``python benchmarks/shared_server.py`` (needs ``apt install chromium``; the limit needs root
and control groups, else the memory is measured only). It builds a simulated atlas of Tahoe's size
in a folder that it removes. All the while one visitor opens a plain page again and again, and the
seconds that this takes are printed. Meanwhile

- ``bombs``: files that unpack to gigabytes are sent, one after the other;
- ``heavy``: two visitors ask for answers by the best evidence, a third for a batch of over 1,000
  queries.

``memory`` is that of ``browser.py``: ten visitors change drugs 500 times.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import h5py
import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from browser import AT_REST, DOSES, LINK, memory, opened
from chromium import Tab, browser
from simulated import simulated

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.support.app_server import served

LIMIT = 4_000_000_000
GROUPS = Path("/sys/fs/cgroup/memory")
WAIT_S = 400
BOX = "!!document.querySelector('.lgr-box .lgr-asked')"
FILE = "!!document.querySelector('input[type=file]')"
PLAIN = "cell_lines"
ANSWERED = re.compile(r"page Cell lines answered in ([\d.]+) s")
DRUGS = ("Afatinib", "Bortezomib")


def wide_csv(path: Path) -> None:
    """3,000,000 columns."""
    names = ",".join(f"G{i}" for i in range(3_000_000))
    path.write_text(f"cell_line,drug,{names}\nA,T{',1' * 3_000_000}\n")


def long_csv(path: Path) -> None:
    """As many short values as fit an upload: no limit of columns or header is passed."""
    row = "A,T" + ",1" * 50_000 + "\n"
    names = ",".join(f"G{i}" for i in range(50_000))
    path.write_text(f"cell_line,drug,{names}\n" + row * 1_800)


def wide_parquet(path: Path) -> None:
    """200,000 columns."""
    pq.write_table(pa.table([pa.array([1.0])] * 200_000, [f"G{i}" for i in range(200_000)]), path)


def long_parquet(path: Path) -> None:
    """One number, 400,000,000 times: some kilobytes."""
    pq.write_table(pa.table({"G1": pa.array(np.zeros(400_000_000, np.float32))}), path)


def linked_h5ad(path: Path) -> None:
    """Groups of links to each other."""
    with h5py.File(path, "w") as file:
        groups = [file.create_group(f"obs/c{i}") for i in range(30)]
        for group in groups:
            for i, other in enumerate(groups):
                group[f"a{i}"] = group[f"b{i}"] = other


def declared_h5ad(path: Path) -> None:
    """A table of 10 ** 12 rows, none of them stored."""
    with h5py.File(path, "w") as file:
        file.create_dataset("obs/drug", (10**12,), "f4", chunks=(1_000,))
        file.create_dataset("X", (10**12, 2), "f4", chunks=(1_000, 2))


def packed_h5ad(path: Path) -> None:
    """Columns of zeros that fill 1.8 GB, just below what is refused without reading."""
    with h5py.File(path, "w") as file:
        for table, n in (("obs", 30_000_000), ("var", 2)):
            group = file.create_group(table)
            group.attrs.update({"_index": "_index", "encoding-type": "dataframe"})
            group.attrs.update({"encoding-version": "0.2.0", "column-order": list("abcdef")})
            for name in ("_index", *"abcdef"):
                data = group.create_dataset(name, (n,), "i8", chunks=(min(n, 10**6),), fillvalue=1)
                data.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})


BOMBS: dict[str, Callable[[Path], None]] = {
    "linked.h5ad": linked_h5ad,
    "declared.h5ad": declared_h5ad,
    "packed.h5ad": packed_h5ad,
    "wide.csv": wide_csv,
    "long.csv": long_csv,
    "wide.parquet": wide_parquet,
    "long.parquet": long_parquet,
}


class Server:
    """The app's process with all that it started: limited, and its memory watched."""

    def __init__(self, log: Path) -> None:
        self._log, self._read = log, 0
        self.process = next(
            child for child in psutil.Process().children() if "streamlit" in child.cmdline()
        )
        self.peak, self._end = 0, threading.Event()
        self._group = GROUPS / f"lgr-{self.process.pid}"
        self.limited = self._limit()
        threading.Thread(target=self._watch, daemon=True).start()

    def answered(self) -> list[float]:
        """Seconds of the plain page's script, by the log since it was read last."""
        text = self._log.read_text()
        found = ANSWERED.findall(text[self._read :])
        self._read = len(text)
        return [float(seconds) for seconds in found]

    def close(self) -> None:
        """Watch no more."""
        self._end.set()

    def _limit(self) -> bool:
        try:
            self._group.mkdir()
            (self._group / "memory.limit_in_bytes").write_text(str(LIMIT))
            (self._group / "cgroup.procs").write_text(str(self.process.pid))
        except OSError as err:
            print(f"not limited ({err}): memory is measured only")
            return False
        return True

    def _watch(self) -> None:
        while not self._end.wait(0.2) and self.process.is_running():
            used = 0
            for each in (self.process, *self.process.children(recursive=True)):
                try:
                    used += each.memory_full_info().uss
                except psutil.Error:
                    continue
            self.peak = max(self.peak, used)


@contextmanager
def other_visitor(chrome: str, address: str) -> Iterator[list[float]]:
    """One who opens a plain page again and again; gives the seconds that each took."""
    taken: list[float] = []
    end = threading.Event()

    def visit() -> None:
        with Tab(chrome) as tab:
            while not end.is_set():
                taken.append(opened(tab, f"{address}/{PLAIN}{LINK}", AT_REST)[0])
                time.sleep(0.5)

    thread = threading.Thread(target=visit)
    thread.start()
    try:
        yield taken
    finally:
        end.set()
        thread.join()


def print_times(name: str, taken: list[float], server: Server) -> None:
    """Print what the other visitor saw, and how long the server took of it."""
    script = server.answered()
    print(
        f"{name}: another visitor's page {statistics.median(taken):.2f} s (median of "
        f"{len(taken)}), at most {max(taken):.2f} s; the server's part of it "
        f"{statistics.median(script):.2f} s, at most {max(script):.2f} s",
        flush=True,
    )


def send(tab: Tab, address: str, file: Path) -> tuple[float, str]:
    """Seconds until a file that is sent is answered, and the answer."""
    opened(tab, f"{address}/data?part=own", FILE)
    root = tab.call("DOM.getDocument")["root"]["nodeId"]
    box = tab.call("DOM.querySelector", nodeId=root, selector="input[type=file]")["nodeId"]
    start = time.perf_counter()
    tab.call("DOM.setFileInputFiles", nodeId=box, files=[str(file)])
    while not tab.js(BOX) and time.perf_counter() - start < WAIT_S:
        time.sleep(0.1)
    said = tab.js("document.querySelector('.lgr-box li')?.innerText")
    return time.perf_counter() - start, str(said)


def bombs(address: str, chrome: str, server: Server, folder: Path) -> None:
    """Send every bomb while another visitor opens a page."""
    for name, make in BOMBS.items():
        file = folder / name
        make(file)
        server.peak = 0
        with other_visitor(chrome, address) as taken, Tab(chrome) as tab:
            seconds, said = send(tab, address, file)
        size = file.stat().st_size / 1e6
        print(f"{name} ({size:,.1f} MB): answered in {seconds:.1f} s: {said}")
        print(f"  the server and its readers at most {server.peak / 1e6:,.0f} MB")
        print_times(f"  {name}", taken, server)
        file.unlink()


def heavy(address: str, chrome: str, server: Server) -> None:
    """Two answers by the best evidence and a batch, all begun at once."""
    server.peak = 0
    batch = f"{address}/batch?atlas=scale&form=cross&all_drugs=all&selector=chemistry"
    batch += "&all_lines=line 01%0Aline 02%0Aline 03&at_dose=5"
    with other_visitor(chrome, address) as taken, ExitStack() as tabs:
        asking = [tabs.enter_context(Tab(chrome)) for _ in DRUGS]
        listing = tabs.enter_context(Tab(chrome))
        button = "document.querySelector('.st-key-batch_run button:not([disabled])')"
        opened(listing, batch.replace(" ", "%20"), f"!!{button}")
        listing.js(f"{button}.click()")
        start = time.perf_counter()
        for tab, drug in zip(asking, DRUGS, strict=True):
            link = LINK.replace("Trametinib", drug) + "&method=best_evidence"
            tab.call("Page.navigate", url=f"{address}/{link}")
        seen, left = set(), {"one": asking[0], "two": asking[1], "batch": listing}
        while left and time.perf_counter() - start < WAIT_S:
            for name, tab in list(left.items()):
                text = str(tab.js("document.body.innerText"))
                seen |= {line for line in text.splitlines() if line.startswith("Waiting for")}
                done = "Predicted" not in text and "Waiting" not in text
                if tab.js(AT_REST) and (done if name == "batch" else True):
                    print(f"{name} answered after {time.perf_counter() - start:.1f} s", flush=True)
                    left.pop(name)
            time.sleep(0.1)
    for line in sorted(seen):
        print(f"  shown: {line}")
    print(f"  not answered: {', '.join(left) or 'none'}; memory {server.peak / 1e6:,.0f} MB")
    print_times("heavy", taken, server)


def main() -> None:
    """Print what is measured, part by part."""
    parts = ("bombs", "heavy", "memory")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=parts, help=", ".join(parts))
    parser.add_argument("--interactions", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        simulated(folder / "atlases", doses=DOSES)
        with served(folder) as address, browser() as chrome:
            server = Server(folder / "log")
            print(f"limited to {LIMIT / 1e6:,.0f} MB: {server.limited}", flush=True)
            with Tab(chrome) as tab:
                first = opened(tab, f"{address}/{PLAIN}{LINK}", AT_REST)[0]
            print(f"the first page of a server: {first:.2f} s", flush=True)
            server.answered()
            with other_visitor(chrome, address) as taken:
                time.sleep(20)
            print_times("nothing else", taken, server)
            if "bombs" in options.parts:
                bombs(address, chrome, server, folder)
            if "heavy" in options.parts:
                heavy(address, chrome, server)
            if "memory" in options.parts:
                memory(address, options.interactions, 10)
            server.close()
            print(f"the server lives: {server.process.is_running()}")


if __name__ == "__main__":
    main()
