"""Tables of an atlas with plain headings."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from pages.shared import state

LINE_COLUMNS = {"driver genes": st.column_config.Column(width=300)}
"""How the columns of cell lines fit a page of 1280 pixels; longer lists are read by clicking."""


def cell_lines(store: AtlasStore) -> pd.DataFrame:
    """The cell lines with plain headings."""
    names = {
        "cell_line": "cell line",
        "organ": "organ",
        "driver_genes": "driver genes",
        "cellosaurus": "Cellosaurus",
        "depmap_id": "DepMap",
    }
    return _headed(store.cell_lines, names)


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
    return _headed(frame, names)


def _headed(frame: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """The columns that there are under their plain headings, lists of genes as one reads them."""
    shown = frame[[name for name in names if name in frame]].copy()
    for name in shown.columns.intersection(["driver_genes", "targets"]):
        shown[name] = shown[name].str.replace(";", ", ")
    return shown.rename(columns=names)
