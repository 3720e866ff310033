"""Cells to an atlas at Tahoe's width: one worker and two, h5ad and parquet, and the whole ingest.

Run: ``python benchmarks/million_cells.py DIR``. It writes simulated cells (``tahoe_cells.py``) to
DIR: three plates in both forms, on which the contenders take turns, then all 14 plates as h5ad,
which ``lgr ingest`` makes an atlas of (a million cells: 7 GB, partial sums as much, atlas 30 GB).
Memory is what no file backs, of each worker and of the command, looked at five times a second.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from lgr_core.atlas.executors import ExecutorConfig, execute_all
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_plan import plan_ingest
from lgr_core.atlas.pseudobulk import find_groups
from lgr_core.atlas.shards import plan_tasks

LGR = Path(sys.executable).with_name("lgr")


def sum_all(path: Path, workers: int) -> dict[str, float]:
    """Sum all cells of a source and say how long that took; opening it does not count."""
    source = plan_ingest(path, IngestOptions()).open_counts()
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        codes = find_groups(source.obs)[1]
        tasks = plan_tasks(source, codes, Path(folder), target_sum=1e4, order="cells")
        start, cpu = time.perf_counter(), os.times()
        with watched(os.getpid()) as peaks:
            execute_all(tasks, ExecutorConfig(workers, processes=True))
        end = os.times()
        size = sum(task.path.stat().st_size for task in tasks)
    spent = sum(end[:4]) - sum(cpu[:4])
    return {
        "cells": len(codes),
        "s": time.perf_counter() - start,
        "cpu_s": spent,
        "mb": max(peaks.values()),
        "partial_mb": size / 1e6,
    }


class watched:  # noqa: N801 - used as a statement
    """Anonymous memory in MB at its highest, of a process and each of its children, by number."""

    def __init__(self, parent: int) -> None:
        self._parent, self._end, self._peaks = parent, threading.Event(), dict[int, float]()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> dict[int, float]:
        self._thread.start()
        return self._peaks

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._end.wait(0.2):
            for process in family(self._parent):
                now = anonymous_mb(process)
                self._peaks[process] = max(now, self._peaks.get(process, 0.0))


def family(parent: int) -> Iterator[int]:
    """A process and all below it."""
    yield parent
    for thread in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            children = thread.read_text().split()
        except OSError:
            continue
        for child in children:
            yield from family(int(child))


def anonymous_mb(process: int) -> float:
    """What no file backs; 0 of a process that is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(x.split()[1]) for x in lines if x.startswith("RssAnon")), 0.0) / 1e3


def take_turns(folder: Path, rounds: int) -> None:
    """Sum three plates, each contender in a fresh process, in turns."""
    contenders = [("h5ad", 1), ("h5ad", 2), ("parquet", 1), ("parquet", 2)]
    taken: dict[tuple[str, int], list[dict[str, float]]] = {pair: [] for pair in contenders}
    possible = []
    for _ in range(rounds):
        possible.append(burnt(2) / burnt(1))
        for pair in contenders:
            taken[pair].append(in_fresh(__file__, "sum", folder / pair[0], pair[1]))
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, medians of {rounds} rounds")
    print(f"{'form':9}{'workers':>8}{'s':>8}{'cells/s':>9}{'cells/cpu s':>13}{'MB/worker':>11}")
    found = {}
    for pair, rows in taken.items():
        row = {key: statistics.median(r[key] for r in rows) for key in rows[0]}
        found[pair] = row
        rates = f"{row['cells'] / row['s']:9.0f}{row['cells'] / row['cpu_s']:13.0f}"
        print(f"{pair[0]:9}{pair[1]:8}{row['s']:8.1f}{rates}{row['mb']:11.0f}")
    for form in ("h5ad", "parquet"):
        pairs = zip(taken[form, 1], taken[form, 2], strict=True)
        ratios = [one["s"] / two["s"] for one, two in pairs]
        print(f"{form}: two workers {statistics.median(ratios):.2f} times one")
    print(f"what the machine had to give: {statistics.median(possible):.2f} times")
    slower = found["parquet", 1]["cpu_s"] / found["h5ad", 1]["cpu_s"]
    print(f"parquet takes {slower:.2f} times as long as h5ad (processor time)")


def burnt(n: int) -> int:
    """How often n processes that share nothing gather and take logarithms in five seconds."""
    code = (
        "import time, numpy as np; rng = np.random.default_rng(0); n = 0;"
        "a, i = rng.random(2**20), rng.integers(0, 2**20, 2**20);"
        "end = time.perf_counter() + 5\n"
        "while time.perf_counter() < end: np.log1p(a[i]); n += 1\n"
        "print(n)"
    )
    command = [sys.executable, "-c", code]
    all_of_them = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(n)]
    return sum(int(process.communicate()[0]) for process in all_of_them)


def in_fresh(*command: object) -> dict[str, float]:
    """What a script prints last, as JSON."""
    arguments = [sys.executable, *map(str, command)]
    out = subprocess.run(arguments, check=True, capture_output=True, text=True)
    return json.loads(out.stdout.splitlines()[-1])


def whole(source: Path, home: Path, workers: int) -> None:
    """``lgr ingest``, from files to an atlas that can be opened."""
    command = [LGR, "ingest", source, "--name", "million", "--workers", str(workers), "--overwrite"]
    start, cpu = time.perf_counter(), os.times()
    with (
        subprocess.Popen(
            command, env={**os.environ, "LGR_HOME": str(home)}, stdout=subprocess.PIPE, text=True
        ) as process,
        watched(process.pid) as peaks,
    ):
        said = process.stdout.read().splitlines()
        process.wait()
    end = os.times()
    print("\n".join(said[:3]))
    folder = home / "atlases" / "million"
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    spent = end.children_user + end.children_system - cpu.children_user - cpu.children_system
    print(f"{time.perf_counter() - start:.0f} s, {spent:.0f} s of processor; atlas {size:.1f} GB")
    print("peak MB:", ", ".join(f"{peak:.0f}" for peak in sorted(peaks.values(), reverse=True)))


def main() -> None:
    """Write, take turns, ingest; or, started by itself, sum one source."""
    if sys.argv[1:2] == ["sum"]:
        print(json.dumps(sum_all(Path(sys.argv[2]), int(sys.argv[3]))))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--only", choices=["turns", "whole"])
    options = parser.parse_args()
    wanted = {"h5ad": 3, "parquet": 3} if options.only != "whole" else {}
    wanted |= {"all": 14} if options.only != "turns" else {}
    for name, plates in wanted.items():
        if not (options.folder / name).exists():
            script = Path(__file__).with_name("tahoe_cells.py")
            form = "h5ad" if name == "all" else name
            choice = ["--cells", options.cells, "--plates", plates, "--form", form]
            command = [sys.executable, script, options.folder / name, *choice]
            subprocess.run(list(map(str, command)), check=True)
    if options.only != "whole":
        take_turns(options.folder, options.rounds)
    if options.only != "turns":
        whole(options.folder / "all", options.folder / "home", options.workers)


if __name__ == "__main__":
    main()
