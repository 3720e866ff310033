"""Tables of an atlas with plain headings."""

from __future__ import annotations

import pandas as pd

from lgr_core.atlas.store import AtlasStore
from pages.shared import state


def cell_lines(store: AtlasStore) -> pd.DataFrame:
    """The cell lines with plain headings."""
    names = {
        "cell_line": "cell line",
        "organ": "organ",
        "driver_genes": "driver genes",
        "cellosaurus": "Cellosaurus",
        "depmap_id": "DepMap",
    }
    return store.cell_lines[[name for name in names if name in store.cell_lines]].rename(
        columns=names
    )


def drugs(store: AtlasStore) -> pd.DataFrame:
    """The drugs with plain headings, the mechanism in words."""
    frame = store.drugs.assign(mechanism=store.drugs["drug"].map(state.mechanisms(store)))
    names = {
        "drug": "drug",
        "mechanism": "mechanism",
        "targets": "targets",
        "pubchem_cid": "PubChem",
        "smiles": "SMILES",
    }
    return frame[[name for name in names if name in frame]].rename(columns=names)
