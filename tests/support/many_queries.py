"""An atlas of many queries and no biology, for fills: 40 drugs in as many lines as are needed."""

import numpy as np
import pandas as pd

from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.domain import ValueKind

DRUGS = 40


def build_many(home, queries):
    """Write the atlas ``many`` below a home, with at least that many conditions."""
    lines = [f"L{i:03d}" for i in range(-(-queries // DRUGS))]
    drugs = [f"D{i:02d}" for i in range(DRUGS)]
    keys = [(line, drug, 5.0) for line in lines for drug in drugs]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    conditions = conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False)
    genes = pd.DataFrame({"gene": ["A", "B"], "ensembl_id": "", "in_panel": True, "variability": 1})
    deltas = np.zeros((len(keys), 2), dtype=np.float32)
    known = dict.fromkeys(("smiles", "pubchem_cid", "moa", "targets"), "")
    build_atlas(
        DeltaTable(conditions, deltas, genes, ValueKind.LOGNORM_DELTA),
        home / "atlases" / "many",
        drugs=pd.DataFrame({"drug": drugs, "parent": drugs}).assign(**known),
        cell_lines=pd.DataFrame({"cell_line": lines, "organ": "", "driver_genes": ""}),
        fingerprints=np.zeros((DRUGS, 256), dtype=np.uint8),
    )
    return home
