"""What the cards of drugs and of cell lines share: the heatmap, and conditions as a table."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import UsageError
from lgr_core.figures import heatmap
from lgr_core.retrieval.effect_grid import EffectGrid
from lgr_core.retrieval.plate_centring import MIN_OTHERS
from lgr_core.retrieval.specific_change import View
from lgr_core.retrieval.well_agreement import WellPair
from pages.browse import browse_state
from pages.shared import browsing, change_state, pieces
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import listed

SECOND_WELL = {
    WellPair.PLATE: "the same form on another plate",
    WellPair.TWIN: "another form of the compound",
    WellPair.DOSE: "its neighbouring dose",
}
"""What a second well is, in words."""

NOT_KNOWN = "not known"
"""A strength that no second well tells."""


def rows_at_highest_dose(store: AtlasStore, mask: BoolArray, by: str) -> IntArray:
    """Rows of the mask, of each value of the column ``by`` the one at its highest dose."""
    table = store.conditions[mask].assign(row=np.flatnonzero(mask))
    table = table.assign(dose=table["dose_um"].fillna(0.0)).sort_values([by, "dose"])
    return table.drop_duplicates(by, keep="last")["row"].to_numpy()


def changes(store: AtlasStore, rows: IntArray) -> tuple[View, FloatArray]:
    """The specific changes of rows where any has one, else those relative to the pool."""
    view = View.SPECIFIC if change_state.separable(store)[rows].any() else View.RELATIVE_TO_POOL
    return view, change_state.changes(store, view)(rows)


def show_grid(
    store: AtlasStore, grid: EffectGrid, view: View, words: str, name: str, *, narrow: bool = False
) -> None:
    """A heatmap with its file; ``words`` say what it shows. A narrow one names no columns."""
    title = "Strongest specific genes"
    if view is View.RELATIVE_TO_POOL:
        title = "Strongest genes relative to the pool"
        words += (
            f" No plate here holds {MIN_OTHERS} other compounds, so what the plate adds is still "
            "in them."
        )
    html(pieces.section(title, words))
    if not grid.columns:
        html(pieces.caption("It has no other drug to be compared with."))
        return
    drawn = heatmap.gene_heatmap(
        grid.genes, grid.columns, grid.values, title=store.value_kind.label, named=not narrow
    )
    chart(drawn, f"heatmap_{name}", f"{title}: {len(grid.genes)} by {len(grid.columns)}.")
    browsing.download(grid.table(), f"{store.name}_{name}_genes")


def strength_words(store: AtlasStore, drug: str) -> str:
    """How far the drug's change comes back in another well, as HTML."""
    try:
        found = browse_state.strength(store).loc[drug]
    except (UsageError, KeyError):
        found = None
    if found is None or np.isnan(found["agreement"]):
        why = "no second well of it was measured, or it cannot be separated from its plate"
        return f"Effect strength: {pieces.strong(NOT_KNOWN)}, as {why}."
    r = f"{found['agreement']:.2f}"
    kinds = listed(SECOND_WELL[WellPair(kind)] for kind in found["kinds"].split("; "))
    return (
        f"Effect strength: {pieces.strong(r)}, the Pearson r between its "
        f"wells ({kinds}; median of {found['n_lines']} lines)."
    )


def conditions(store: AtlasStore, mask: BoolArray, name: str) -> None:
    """Every condition with its agreement between wells and a link, behind a click."""
    table = store.conditions[mask].reset_index(drop=True)
    box = st.expander(f"Measured conditions ({len(table):,})", key=f"box_{name}", on_change="rerun")
    if not box.open:
        return
    try:
        known = browse_state.agreement(store)[mask].reset_index(drop=True)
        table = table.assign(agreement=known["agreement"], kind=known["kind"])
    except UsageError:  # its plates are not known
        table = table.assign(agreement=np.nan, kind="")
    table = table.sort_values(["cell_line", "drug", "dose_um"], ascending=[True, True, False])
    spelled = [browsing.spelled(dose) for dose in table["dose_um"]]
    shown = pd.DataFrame(
        {
            "cell line": table["cell_line"].astype(str),
            "drug": table["drug"].astype(str),
            "dose (µM)": spelled,
            "agreement of wells": table["agreement"],
            "second well": [
                SECOND_WELL[WellPair(kind)] if kind else NOT_KNOWN for kind in table["kind"]
            ],
            "cells": table["n_cells"],
            "predict": [
                browsing.predict_link(store, row.drug, row.cell_line, dose)
                for row, dose in zip(table.itertuples(), spelled, strict=True)
            ],
        }
    )
    with box:
        columns = {"agreement of wells": browsing.SCORE, "predict": browsing.PREDICT}
        browsing.show_table(shown, f"{store.name}_{name}", columns=columns)
