"""Reads from an atlas of Tahoe's size (56,850 conditions x 2,000 genes), beside a plain np.memmap.

Run: ``python benchmarks/store.py``. It builds the atlas in a temporary folder (0.5 GB), prints
medians and their ratios to the plain map, and how resident memory grows while all of it is read.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from simulated import DOSES, N_GENES, N_LINES, NAME, simulated

from lgr_core.atlas.store import AtlasStore, open_atlas


def line(i: int) -> str:
    """The name of a line, any number will do."""
    return f"line {i % N_LINES:02d}"


def median_ms(run: Callable[[int], object], times: int = 300) -> float:
    """Median milliseconds of ``run(i)``, after a warm-up."""
    for i in range(20):
        run(i)
    taken = []
    for i in range(times):
        start = time.perf_counter()
        run(i)
        taken.append(1e3 * (time.perf_counter() - start))
    return statistics.median(taken)


def opening_ms(folder: Path) -> float:
    """Milliseconds from a fresh process's first call to an open atlas, imports done."""
    code = (
        "import sys, time; from pathlib import Path; from lgr_core.atlas.store import open_atlas;"
        f"t = time.perf_counter(); open_atlas({NAME!r}, Path(sys.argv[1]));"
        "print(1e3 * (time.perf_counter() - t))"
    )
    command = [sys.executable, "-c", code, folder]
    runs = [subprocess.run(command, capture_output=True, check=True).stdout for _ in range(5)]
    return statistics.median(map(float, runs))


def read_ten(store: AtlasStore, choices: list[list[str]], i: int) -> np.ndarray:
    """Ten named drugs of a line at a dose."""
    return store.deltas(store.rows(line(i), choices[i % len(choices)], 5.0))


def read_pool(store: AtlasStore, i: int) -> np.ndarray:
    """Every drug of a line at a dose."""
    return store.deltas(store.rows(line(i), store.measured_drugs(line(i), 5.0), 5.0))


def anonymous_mb() -> float:
    """Memory of this process that no file backs, in MB (Linux)."""
    status = Path("/proc/self/status").read_text()
    return next(float(x.split()[1]) for x in status.splitlines() if x.startswith("RssAnon")) / 1e3


def read(atlases: Path) -> None:
    """Time the reads of an atlas that is there, and say what memory they took."""
    before = anonymous_mb()
    store = open_atlas(NAME, atlases)
    opened = anonymous_mb()
    plain = np.load(atlases / NAME / "deltas.npy", mmap_mode="r")
    plain.sum()  # everything in the page cache
    rng = np.random.default_rng(1)
    names = store.drugs["drug"].to_numpy()
    n = len(names)
    choices = [rng.choice(names, 10, replace=False).tolist() for _ in range(64)]
    rows = [store.rows(line(7), chosen, 5.0) for chosen in choices]
    genes = rng.permutation(N_GENES)
    table = {
        "ten named drugs of a line": (
            median_ms(lambda i: read_ten(store, choices, i)),
            median_ms(lambda i: np.array(plain[rows[i % 64]])),
        ),
        "a whole line's pool (379)": (
            median_ms(lambda i: read_pool(store, i)),
            median_ms(lambda i: np.array(plain[i % 100 * n : (i % 100 + 1) * n])),
        ),
        "one gene over all conditions": (
            median_ms(lambda i: store.gene(f"GENE{genes[i]}"), 100),
            median_ms(lambda i: np.array(plain[:, genes[-i]]), 100),
        ),
    }
    for what, (ours, theirs) in table.items():
        print(f"{what:<34}{ours:8.3f}  plain map {theirs:8.3f}  ratio {ours / theirs:5.2f}")
    memory = (before, opened, anonymous_mb())
    print("anonymous memory, MB: start {:.0f}, atlas open {:.0f}, all read {:.0f}".format(*memory))


def main() -> None:
    """Build in one process, open and read in fresh ones."""
    if len(sys.argv) > 1:
        read(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        store = simulated(Path(scratch), doses=DOSES)
        print(f"{len(store.conditions):,} conditions x {N_GENES:,} genes; medians in ms")
        print(f"{'open, fresh process':<34}{opening_ms(Path(scratch)):8.1f}", flush=True)
        subprocess.run([sys.executable, __file__, scratch], check=True)


if __name__ == "__main__":
    main()
