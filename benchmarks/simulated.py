"""An atlas of Tahoe's size whose numbers mean nothing, for timing: real drugs, made-up lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import SHIPPED
from lgr_core.domain import ValueKind
from lgr_core.drugs.chemistry import fingerprints

NAME = "scale"
N_LINES, N_GENES = 50, 2_000
DOSES = (0.05, 0.5, 5.0)
"""Tahoe's: with all three an atlas has 56,850 conditions and takes 0.5 GB."""


def simulated(folder: Path, *, doses: tuple[float, ...] = (5.0,)) -> AtlasStore:
    """Atlas :data:`NAME` in ``folder``: noise about line and drug effects; 8 kB a condition."""
    rng = np.random.default_rng(0)
    known = pd.read_csv(SHIPPED / "drugs.csv", keep_default_na=False)
    names = sorted(known["drug"])
    lines = [f"line {i:02d}" for i in range(N_LINES)]
    keys = [(line, drug, dose) for line in lines for dose in doses for drug in names]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    conditions = conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False)
    of_line, of_drug = (rng.standard_normal((n, N_GENES)) for n in (N_LINES, len(names)))
    blocks = np.empty((N_LINES * len(doses), len(names), N_GENES), dtype=np.float32)
    for i, block in enumerate(blocks):
        block[:] = of_line[i // len(doses)] + of_drug + rng.standard_normal(of_drug.shape)
    deltas = blocks.reshape(-1, N_GENES)
    symbols = [f"GENE{i}" for i in range(N_GENES)]
    genes = pd.DataFrame({"gene": symbols, "ensembl_id": "", "in_panel": True, "variability": 1.0})
    drugs = annotate_drugs(names, [known[["drug", "smiles"]]])
    bits, _ = fingerprints(drugs["smiles"].tolist())
    build_atlas(
        DeltaTable(conditions, deltas, genes, ValueKind.LOGNORM_DELTA),
        folder / NAME,
        drugs=drugs,
        cell_lines=annotate_lines(lines, []),
        fingerprints=np.packbits(bits, axis=1),
        simulated=True,
    )
    return open_atlas(NAME, folder)
