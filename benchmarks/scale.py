"""A benchmark run at Tahoe's size: seconds and memory for 5,000, 10,000 and 19,000 queries.

Run: ``python benchmarks/scale.py``; it builds a simulated atlas of 50 lines by 379 drugs by 2,000
genes in a folder that it removes. The numbers say how long a run takes, not how good a method is.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.atlas.table import DeltaTable
from lgr_core.config import SHIPPED, Settings
from lgr_core.domain import ValueKind
from lgr_core.drugs.chemistry import fingerprints
from lgr_core.evaluation.methods import REGISTRY
from lgr_core.evaluation.plan import Plan
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.runner import run_benchmark
from lgr_core.evaluation.selectors import Selectors
from lgr_core.metrics import METRICS
from lgr_core.retrieval.question import LLMOptions

N_LINES, N_GENES = 50, 2_000
SIZES = (5_000, 10_000, 18_950)


def simulated(folder: Path) -> AtlasStore:
    """An atlas of noise about line and drug effects, with the shipped drugs and structures."""
    rng = np.random.default_rng(0)
    known = pd.read_csv(SHIPPED / "drugs.csv", keep_default_na=False)
    lines = [f"line {i:02d}" for i in range(N_LINES)]
    keys = [(line, drug, 5.0) for line in lines for drug in sorted(known["drug"])]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    conditions = conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False)
    of_line, of_drug = (rng.standard_normal((n, N_GENES)) for n in (N_LINES, len(known)))
    deltas = np.empty((len(keys), N_GENES), dtype=np.float32)
    for i in range(N_LINES):
        rows = slice(i * len(known), (i + 1) * len(known))
        deltas[rows] = of_line[i] + of_drug + rng.standard_normal((len(known), N_GENES))
    names = [f"GENE{i}" for i in range(N_GENES)]
    genes = pd.DataFrame({"gene": names, "ensembl_id": "", "in_panel": True, "variability": 1.0})
    drugs = annotate_drugs(sorted(known["drug"]), [known[["drug", "smiles"]]])
    bits, _ = fingerprints(drugs["smiles"].tolist())
    table = DeltaTable(conditions, deltas, genes, ValueKind.LOGNORM_DELTA)
    build_atlas(
        table,
        folder / "scale",
        drugs=drugs,
        cell_lines=annotate_lines(lines, []),
        fingerprints=np.packbits(bits, axis=1),
    )
    return open_atlas("scale", folder)


def bandwidth() -> float:
    """Bytes a second that one process copies: the yardstick for the metrics."""
    source = np.ones(1 << 26)
    target = np.empty_like(source)
    np.copyto(target, source)
    start = time.perf_counter()
    for _ in range(3):
        np.copyto(target, source)
    return 3 * 2 * source.nbytes / (time.perf_counter() - start)


def main() -> None:
    """Run one regime at every size and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--regime", type=Regime, default=Regime.UNSEEN_CELL_LINE)
    options = parser.parse_args()
    methods = tuple(name for name, entry in REGISTRY.items() if not entry.slow)
    selectors = Selectors(Settings(), LLMOptions())
    with tempfile.TemporaryDirectory() as folder:
        atlas = simulated(Path(folder))
        scored = len(methods) - 1 + Plan((options.regime,), methods).random_seeds
        print(f"{len(atlas.conditions):,} conditions x {N_GENES:,} genes, {options.regime}")
        print(
            f"{len(methods)} methods, {scored} with the draws of random_k, {len(METRICS)} metrics"
        )
        for size in SIZES:
            plan = Plan((options.regime,), methods, max_queries=size)
            start = time.perf_counter()
            out = Path(folder) / f"run{size}"
            run_benchmark(atlas, plan, out, selectors=selectors, workers=options.workers)
            took = time.perf_counter() - start
            peak = sum(
                resource.getrusage(who).ru_maxrss
                for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
            )
            pairs = size * scored
            moved = pairs * N_GENES * 8 * 2 / bandwidth()
            print(
                f"{size:>7,} queries: {took:6.1f} s, {1e6 * took / pairs:5.0f} us a prediction "
                f"and query, {took / moved:5.1f} times the copying of both vectors, "
                f"peak {peak / 1e6:.1f} GB (parent and largest child)"
            )


if __name__ == "__main__":
    main()
