"""A small laboratory's atlas, with everything that can go wrong in names, for the pages' tests."""

import numpy as np
import pandas as pd

from lgr_core.atlas.ingest import ingest
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.domain import ValueKind

IMAGE = '<img src=x onerror="window.hacked=1">'
MARKDOWN = "![x](http://evil.example/x.png) **bold** :red[no] $x^2$"
HOSTILE = (IMAGE, MARKDOWN)

LINES = ("A549", "HepG2/C3A", "LoVo")
MECHANISMS = {
    "MEK inhibitor": ("Trametinib", "Cobimetinib", "Binimetinib", "Selumetinib", *HOSTILE),
    "HDAC inhibitor": ("Vorinostat", "Panobinostat", "Belinostat"),
    "EGFR inhibitor": ("Erlotinib", "Gefitinib", "Afatinib"),
    "unclear": tuple(f"Compound {i}" for i in range(1, 7)),
}
UNMEASURED = "Vorinostat"
"""Measured in LoVo alone."""

GENES = tuple(f"GENE{i}" for i in range(1, 121))


def build_lab(folder, scratch, *, seed=7):
    """Write the atlas ``folder``: 3 lines, 18 drugs, 5 uM, in A549 0.5 uM too; returns it."""
    rng = np.random.default_rng(seed)
    rows = []
    for mechanism, drugs in MECHANISMS.items():
        programme = rng.normal(size=len(GENES)) * (mechanism != "unclear")
        for drug in drugs:
            for line in LINES if drug != UNMEASURED else ("LoVo",):
                for dose in (5.0, 0.5) if line == "A549" else (5.0,):
                    delta = programme * dose / 5 + rng.normal(scale=0.4, size=len(GENES))
                    rows.append((line, drug, dose, f"plate{len(rows) % 3}", 40, *delta))
    columns = ["cell_line", "drug", "dose_um", "plate", "n_cells", *GENES]
    pd.DataFrame(rows, columns=columns).to_csv(scratch / "deltas.csv", index=False)
    known = [(drug, moa) for moa, drugs in MECHANISMS.items() for drug in drugs]
    pd.DataFrame(known, columns=["drug", "moa"]).to_csv(scratch / "drugs.csv", index=False)
    return ingest(
        scratch / "deltas.csv",
        folder,
        options=IngestOptions(value_kind=ValueKind.LOG2FC),
        drugs=scratch / "drugs.csv",
    )
