"""An atlas in numbers and how it was made, and all atlases there are."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import pandas as pd
import streamlit as st

from pages.data import data_state
from pages.data.data_view import Seen
from pages.shared import browsing, pieces, state, tables
from pages.shared.widgets import html


def show(seen: Seen) -> None:
    """The atlas in numbers, its cell lines and drugs, how it was made."""
    store, info = seen.store, seen.store.info()
    doses = ", ".join(f"{dose:g}" for dose in info["doses_um"])
    html(
        pieces.title("About this data")
        + pieces.section("In numbers")
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
    lines = tables.cell_lines(store)
    browsing.show_table(lines, f"{store.name} cell lines", columns=tables.LINE_COLUMNS)
    html(pieces.section("Drugs"))
    browsing.show_table(tables.drugs(store), f"{store.name} drugs", columns={})
    html(
        pieces.section("How it was made", "Every choice and every count, as stored in the atlas.")
        + pieces.facts(
            (key.replace("_", " "), _plain(value)) for key, value in info["provenance"].items()
        )
    )


def show_all() -> None:
    """Every atlas of this installation as a row, with the way to it."""
    rows = [data_state.summary(name) for name in state.atlases()]
    here = "One atlas is" if len(rows) == 1 else f"{len(rows):,} atlases are"
    words = f"{here} built in this installation; all of its visitors see the same."
    html(pieces.title("All atlases") + pieces.lead([words]))
    table = pd.DataFrame(
        {
            "atlas": [row.name for row in rows],
            "data": [_data(row) for row in rows],
            "values": [row.kind or row.error for row in rows],
            "conditions": [row.conditions for row in rows],
            "cell lines": [row.cell_lines for row in rows],
            "drugs": [row.drugs for row in rows],
            "genes": [row.genes for row in rows],
            "MB": [None if row.size is None else row.size / 1e6 for row in rows],
            "built (UTC)": [row.built.replace("T", " ").removesuffix("+00:00") for row in rows],
            "open": [f"./data?atlas={quote(row.name)}" for row in rows],
        }
    )
    formats = {
        "MB": st.column_config.NumberColumn(format="%.1f"),
        "open": st.column_config.LinkColumn("open", display_text="Open", width="small"),
    }
    browsing.show_table(table, "atlases", columns=formats)


def _plain(value: object) -> str:
    """A stored value as text, a record without its brackets."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {pieces.plain(part)}" for key, part in value.items()) or "none"
    return pieces.plain(value)


def _data(row: data_state.Summary) -> str:
    if row.simulated is None:
        return "cannot be opened"
    return "simulated" if row.simulated else "measured"
