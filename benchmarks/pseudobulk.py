"""Pseudobulk from disk beside scanpy in memory: time, processor time and peak memory.

Run: ``python benchmarks/pseudobulk.py``. It writes uncompressed h5ad files of raw counts (50,000
and 200,000 cells x 20,000 genes, 800 non-zeros a cell, 500 groups in random order; 1.6 GB) to a
temporary folder and prints medians over rounds in which the contenders take turns. Each runs in a
fresh process, warmed up on a tiny file so that no compilation is timed; reading counts in both.
scanpy does ``read_h5ad``, ``normalize_total``, ``log1p`` and ``get.aggregate(func="mean")``; ours
also checks every count, matches vehicles, and finds highly variable genes and variances.
"""

# ruff: noqa: PLC0415 - a contender's memory holds its own imports only

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GENES, NONZEROS, GROUPS = 20_000, 800, 500
MB = 1024  # VmHWM is in kB


def write(path: Path, n_cells: int, n_genes: int, nonzeros: int) -> None:
    """Counts of 5 lines x 50 drugs x 2 plates; a cell's genes are one of each run of genes."""
    import anndata
    import numpy as np
    import pandas as pd
    from scipy import sparse

    rng, width = np.random.default_rng(0), n_genes // nonzeros
    genes = np.empty((n_cells, nonzeros), dtype=np.int32)
    for cell in range(0, n_cells, 10_000):
        part = genes[cell : cell + 10_000]
        part[:] = np.arange(nonzeros) * width + rng.integers(0, width, part.shape)
    counts = rng.geometric(0.5, genes.size).astype(np.float32)
    starts = np.arange(n_cells + 1, dtype=np.int32) * nonzeros
    X = sparse.csr_matrix((counts, genes.ravel(), starts), shape=(n_cells, n_genes))
    group = rng.integers(0, GROUPS, n_cells)
    drugs = np.array(["DMSO", *(f"D{i:02d}" for i in range(1, 50))])
    obs = pd.DataFrame(
        {
            "cell_line": pd.Categorical.from_codes(group % 5, [f"L{i}" for i in range(5)]),
            "drug": pd.Categorical.from_codes(group // 5 % 50, drugs),
            "plate": pd.Categorical.from_codes(group // 250, ["p1", "p2"]),
            "group": pd.Categorical.from_codes(group, [f"g{i}" for i in range(GROUPS)]),
        },
        index=np.arange(n_cells).astype(str),
    )
    var = pd.DataFrame(index=[f"G{i}" for i in range(n_genes)])
    anndata.AnnData(X, obs=obs, var=var).write_h5ad(path)


def run_scanpy(path: Path) -> float:
    """Means per group in memory; returns their sum, so that the contenders can be compared."""
    import scanpy as sc

    adata = sc.read_h5ad(path)
    sc.pp.normalize_total(adata, target_sum=10_000)
    sc.pp.log1p(adata)
    means = sc.get.aggregate(adata, by=["cell_line", "plate", "drug"], func="mean")
    vehicles = (means.obs["drug"] == "DMSO").to_numpy()
    return float(means.layers["mean"][vehicles].sum())


def run_ours(path: Path, order: str) -> float:
    """The whole ingest of counts; returns the sum of the vehicles' means."""
    from lgr_core.atlas.pseudobulk import pseudobulk
    from lgr_core.atlas.sources import open_counts

    table = pseudobulk(open_counts(path), order=order)
    return float(table.control_profiles.sum(dtype=float))


CONTENDERS = {
    "scanpy": run_scanpy,
    "cells": lambda path: run_ours(path, "cells"),
    "pseudobulk": lambda path: run_ours(path, "pseudobulk"),
}


def measure(contender: str, path: Path, tiny: Path) -> dict[str, float]:
    """Seconds, processor seconds and peak MB of this process."""
    run = CONTENDERS[contender]
    run(tiny)
    start, cpu = time.perf_counter(), time.process_time()
    checksum = run(path)
    taken = {"s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return {**taken, "mb": int(peak.split()[1]) / MB, "checksum": checksum}


def in_fresh_process(*arguments: object) -> dict[str, float]:
    """Run this file again with ``arguments`` and read what it prints."""
    command = [sys.executable, __file__, *map(str, arguments)]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(out.stdout.splitlines()[-1]) if out.stdout else {}


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """The median of each measure."""
    return {key: statistics.median(row[key] for row in rounds) for key in rounds[0]}


def compare(folder: Path, sizes: list[int], rounds: int) -> None:
    """Write the files, let the contenders take turns, print the table and the ratios."""
    tiny = folder / "tiny.h5ad"
    in_fresh_process("write", tiny, 2_000, 400, 20)
    found: dict[tuple[str, int], dict[str, float]] = {}
    for n_cells in sizes:
        path = folder / "counts.h5ad"
        in_fresh_process("write", path, n_cells, GENES, NONZEROS)
        taken = {name: [] for name in CONTENDERS}
        for _ in range(rounds):
            for name in CONTENDERS:
                taken[name].append(in_fresh_process("measure", name, path, tiny))
        found |= {(name, n_cells): medians(rows) for name, rows in taken.items()}
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, median of {rounds} rounds")
    print(f"{'contender':12}{'cells':>9}{'s':>8}{'cpu s':>8}{'peak MB':>9}{'checksum':>14}")
    for (name, n_cells), row in found.items():
        numbers = f"{row['s']:8.2f}{row['cpu_s']:8.2f}{row['mb']:9.0f}{row['checksum']:14.2f}"
        print(f"{name:12}{n_cells:9,}{numbers}")
    least, most = min(sizes), max(sizes)
    for name in ("cells", "pseudobulk"):
        ours, theirs = found[name, most], found["scanpy", most]
        growth = ours["mb"] / found[name, least]["mb"]
        print(
            f"{name}: {theirs['s'] / ours['s']:.1f} x as fast as scanpy "
            f"({theirs['cpu_s'] / ours['cpu_s']:.1f} x in processor time), "
            f"{ours['mb'] / theirs['mb']:.2f} of its memory; "
            f"memory grows {growth:.2f} x from {least:,} to {most:,} cells"
        )


def main() -> None:
    """Compare; or, started by itself, write a file or measure one contender."""
    match sys.argv[1:]:
        case ["write", path, *sizes]:
            write(Path(path), *map(int, sizes))
        case ["measure", contender, path, tiny]:
            print(json.dumps(measure(contender, Path(path), Path(tiny))))
        case arguments:
            parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
            parser.add_argument("--cells", type=int, nargs="+", default=[50_000, 200_000])
            parser.add_argument("--rounds", type=int, default=3)
            options = parser.parse_args(arguments)
            with tempfile.TemporaryDirectory() as folder:
                compare(Path(folder), options.cells, options.rounds)


if __name__ == "__main__":
    main()
