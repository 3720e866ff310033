"""What the chosen atlas is and how it was made."""

import streamlit as st

from lgr_core.atlas.store import AtlasStore
from pages.shared import pieces
from pages.shared.pickers import pick_atlas
from pages.shared.tables import cell_lines, drugs
from pages.shared.widgets import html


def show(store: AtlasStore) -> None:
    """The atlas as tables: in numbers, its cell lines and drugs, how it was made."""
    info = store.info()
    doses = ", ".join(f"{dose:g}" for dose in info["doses_um"])
    html(pieces.badge(info, store.value_kind.label) + pieces.title("About this data"))
    html(
        pieces.section("In numbers")
        + pieces.facts(
            [
                ("values", store.value_kind.label),
                ("conditions", f"{info['n_conditions']:,}"),
                ("cell lines", f"{len(info['cell_lines']):,}"),
                ("drugs", f"{len(info['drugs']):,}"),
                ("doses (µM)", doses or "pooled"),
                ("genes", f"{info['n_genes']:,}, of which {info['n_panel']:,} in the panel"),
                ("built", f"{info['built_at']}, lgr-explorer {info['lgr_version']}"),
                ("build id", info["build_id"]),
            ]
        )
    )
    html(pieces.section("Cell lines"))
    st.dataframe(cell_lines(store), hide_index=True, height=280)
    html(pieces.section("Drugs"))
    st.dataframe(drugs(store), hide_index=True, height=280)
    html(
        pieces.section("How it was made", "Every choice and every count, as stored in the atlas.")
        + pieces.facts((key, pieces.plain(value)) for key, value in info["provenance"].items())
    )


store = pick_atlas()
if store is not None:
    show(store)
