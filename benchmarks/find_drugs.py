"""A search of an atlas of Tahoe's size (56,850 conditions x 2,000 genes) for a signature.

Run: ``python benchmarks/find_drugs.py``. It builds the atlas in a temporary folder (0.5 GB) and
prints medians in milliseconds beside one plain reading of the whole matrix. ``prepare`` is done
once for what is searched, ``search`` for every signature. On a machine that is busy with other
work, processor time is what to read.
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
from simulated import DOSES, N_GENES, NAME, simulated

from lgr_core.atlas.store import open_atlas
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.signatures.gene_lists import gene_set, whole_change
from lgr_core.signatures.library import SignatureLibrary
from lgr_core.signatures.search import find_drugs

TIMES = 7


def median_ms(run: Callable[[], object]) -> tuple[float, float]:
    """Median milliseconds of a call, by the wall clock and of the processor, after a warm-up."""
    wall, cpu = [], []
    for _ in range(TIMES + 1):
        start = time.perf_counter(), time.process_time()
        run()
        wall.append(1e3 * (time.perf_counter() - start[0]))
        cpu.append(1e3 * (time.process_time() - start[1]))
    return statistics.median(wall[1:]), statistics.median(cpu[1:])


def plain_read(matrix: np.ndarray) -> float:
    """Every number once."""
    return sum(float(matrix[i : i + 64].max()) for i in range(0, len(matrix), 64))


def search(atlases: Path) -> None:
    """Time the parts of a search in an atlas that is there."""
    store = open_atlas(NAME, atlases)
    plain = np.load(atlases / NAME / "deltas.npy", mmap_mode="r")
    book = MechanismAnnotations.load()
    library = SignatureLibrary.read(store, book)
    genes = store.gene_names[np.random.default_rng(1).permutation(N_GENES)[:200]]
    listed = gene_set(store, genes[:100], genes[100:])
    change = whole_change(store.deltas(np.array([12_345]))[0], drug="Trametinib")
    once = median_ms(lambda: plain_read(plain))
    table = {
        "one reading of the matrix": once,
        "prepare, all lines and doses": median_ms(lambda: SignatureLibrary.read(store, book)),
        "search, 100 genes up, 100 down": median_ms(lambda: find_drugs(store, listed, library)),
        "search, a whole change": median_ms(lambda: find_drugs(store, change, library)),
    }
    for what, (wall, cpu) in table.items():
        print(f"{what:<34}{wall:8.1f}  ratio {wall / once[0]:5.1f}  processor {cpu:8.1f}")


def main() -> None:
    """Build in one process, search in a fresh one."""
    if len(sys.argv) > 1:
        search(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as scratch:
        store = simulated(Path(scratch), doses=DOSES)
        print(f"{len(store.conditions):,} conditions x {N_GENES:,} genes; medians in ms")
        subprocess.run([sys.executable, __file__, scratch], check=True)


if __name__ == "__main__":
    main()
