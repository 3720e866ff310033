"""An atlas of Tahoe's size at full width: built without being held, and read.

Run: ``python benchmarks/full_width.py DIR``. It writes 56,850 conditions x 62,710 genes of noise
(14 GB, and 0.5 GB for the panel; ``--conditions`` for fewer) beside the same conditions at 2,000
genes, and prints the time and memory of the build, then medians of reads in both, taking turns.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from store import anonymous_mb, median_ms

from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.domain import ValueKind

LINES, DOSES, PANEL = 50, (0.05, 0.5, 5.0), 2_000
NOISE = np.random.default_rng(0).standard_normal(1_000_000, dtype=np.float32)


class Noise:
    """Rows (n_rows, n_genes) that are made when they are asked for."""

    def __init__(self, *shape: int) -> None:
        self.shape = shape

    def __getitem__(self, rows: np.ndarray | slice) -> np.ndarray:
        """Each row a run of the noise, repeated."""
        rows = np.arange(self.shape[0])[rows]
        places = (rows[:, np.newaxis] * 977 + np.arange(self.shape[1])) % len(NOISE)
        return NOISE[places]


def build(folder: Path, n_drugs: int, n_genes: int) -> None:
    """An atlas of noise."""
    lines, names = [f"L{i:02d}" for i in range(LINES)], [f"D{j:03d}" for j in range(n_drugs)]
    keys = [(line, drug, dose) for line in lines for dose in DOSES for drug in names]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    conditions = conditions.assign(n_cells=1_000.0, n_replicates=1, underpowered=False)
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(n_genes)], "ensembl_id": ""})
    # Panel genes lie scattered, as in real files.
    genes["in_panel"] = np.arange(n_genes) % (n_genes // PANEL) == 0
    genes.loc[genes["in_panel"].cumsum() > PANEL, "in_panel"] = False
    genes["variability"] = 1.0
    drugs = pd.DataFrame({"drug": names, "parent": names, "smiles": "", "moa": ""})
    drugs = drugs.assign(targets="", pubchem_cid="")
    start, cpu = time.perf_counter(), time.process_time()
    build_atlas(
        DeltaTable(conditions, Noise(len(keys), n_genes), genes, ValueKind.LOGNORM_DELTA),
        folder,
        drugs=drugs,
        cell_lines=pd.DataFrame({"cell_line": lines}),
        fingerprints=np.zeros((n_drugs, 256), dtype=np.uint8),
        overwrite=True,
    )
    taken = time.perf_counter() - start, time.process_time() - cpu
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    status = Path("/proc/self/status").read_text()
    peak = next(float(x.split()[1]) for x in status.splitlines() if x.startswith("VmHWM")) / 1e3
    print(f"{folder.name}: {len(keys):,} x {n_genes:,}, {size:.1f} GB, {taken[0]:.0f} s")
    print(f"  ({taken[1]:.0f} s of processor), peak {peak:.0f} MB")


def reads(store: AtlasStore) -> dict[str, float]:
    """Medians in milliseconds."""
    rng = np.random.default_rng(1)
    n, names = len(store.conditions), store.gene_names
    blocks = rng.integers(0, n // 379, 64)
    some = [np.sort(rng.choice(n, 10, replace=False)) for _ in range(64)]
    ends = store.n_panel, len(names)
    found = {
        "ten conditions, panel": median_ms(lambda i: store.deltas(some[i % 64])),
        "a line's pool (379), panel": median_ms(
            lambda i: store.deltas(np.arange(blocks[i % 64] * 379, (blocks[i % 64] + 1) * 379))
        ),
        "a gene of the panel": median_ms(lambda i: store.gene(names[i * 7 % ends[0]]), 60),
    }
    if ends[1] > ends[0]:
        others = rng.integers(*ends, 64)
        found["another gene"] = median_ms(lambda i: store.gene(names[others[i % 64]]), 60)
        found["ten conditions, all genes"] = median_ms(
            lambda i: store.deltas(some[i % 64], all_genes=True)
        )
    return found


def read(folder: Path) -> None:
    """Warm both up and time their reads in turns."""
    stores = {name: open_atlas(name, folder) for name in ("wide", "narrow")}
    for name in stores:
        for path in (folder / name).glob("*.npy"):
            with path.open("rb") as file:
                while file.read(2**24):
                    pass
    for turn in range(2):
        for name, store in stores.items():
            for what, taken in reads(store).items():
                print(f"{turn} {name:8}{what:<30}{taken:9.3f} ms", flush=True)
    print(f"anonymous memory {anonymous_mb():.0f} MB")


def main() -> None:
    """Build each in a process of its own, then read."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--genes", type=int, default=62_710)
    parser.add_argument("--conditions", type=int, default=56_850)
    parser.add_argument("--only", choices=["wide", "narrow", "read"])
    options = parser.parse_args()
    n_drugs = options.conditions // LINES // len(DOSES)
    match options.only:
        case "read":
            read(options.folder)
        case None:
            for part in ("wide", "narrow", "read"):
                command = [sys.executable, __file__, *sys.argv[1:], "--only", part]
                subprocess.run(command, check=True)
        case name:
            build(options.folder / name, n_drugs, options.genes if name == "wide" else PANEL)


if __name__ == "__main__":
    main()
