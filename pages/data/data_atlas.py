"""What an atlas allows, its numbers and how it was made, and all atlases there are."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import quote

import pandas as pd
import streamlit as st

from lgr_core.atlas.data_verdict import DataStanding, DataVerdict, data_verdict
from lgr_core.atlas.plate_population import MIN_OTHERS
from lgr_core.atlas.store import AtlasStore
from pages.data import data_state
from pages.data.data_view import Seen
from pages.shared import browsing, pieces, state, tables, visit_atlases
from pages.shared.widgets import html
from pages.shared.words import count, share

LIGHTS = {
    DataStanding.GOOD: "green",
    DataStanding.PARTLY: "yellow",
    DataStanding.LITTLE: "grey",
}
"""The colour of each standing."""

WELLS = {
    "yes": "yes: a held-out cell line was measured in the wells of the others",
    "no": "no: each cell line has wells of its own",
    "unknown": "not known",
}


def show(seen: Seen) -> None:
    """What the data allow, then the atlas in numbers, its lines and drugs, how it was made."""
    store, info = seen.store, seen.store.info()
    report = data_state.report(store)
    html(
        pieces.title("About this data")
        + _verdict_line(data_verdict(report, store.value_kind, simulated=store.simulated))
        + pieces.facts([*_plate_facts(report), *_number_facts(store, info)])
    )
    html(pieces.section("Cell lines"))
    lines = tables.cell_lines(store)
    browsing.show_table(lines, f"{store.name} cell lines", columns=tables.LINE_COLUMNS)
    html(pieces.section("Drugs"))
    browsing.show_table(tables.drugs(store), f"{store.name} drugs", columns={})
    made = {"built": f"{info['built_at']}, lgr-explorer {info['lgr_version']}"}
    made |= {"build id": info["build_id"], **info["provenance"]}
    html(
        pieces.section("How it was made", "Every choice and every count, as stored in the atlas.")
        + pieces.facts((key.replace("_", " "), _plain(value)) for key, value in made.items())
    )


def _verdict_line(verdict: DataVerdict) -> str:
    """The verdict on the data as HTML: its colour and its sentence."""
    return (
        f'<p class="lgr-verdict"><span class="lgr-light lgr-{LIGHTS[verdict.standing]}" '
        f'aria-hidden="true"></span><span>{escape(verdict.words)}</span></p>'
    )


def _plate_facts(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What decides about the verdict: plates, shared wells, repeats."""
    plates, replicates = report["plates"], report["replicates"]
    known = plates["other_parents"] is not None
    share_of = f"{share(plates['separable'])} of conditions have {MIN_OTHERS} or more other"
    n = count(replicates["conditions"], "condition")
    return [
        ("plates", f"{plates['plates']:,}; {share_of} compounds on one" if known else "not known"),
        ("shared wells", WELLS[plates["shared_wells"]]),
        ("repeats", f"{n} on several plates" if replicates["lines"] else "none on several plates"),
    ]


def _number_facts(store: AtlasStore, info: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The atlas in numbers."""
    doses = ", ".join(f"{dose:g}" for dose in info["doses_um"])
    facts = [
        ("values", store.value_kind.label),
        ("conditions", f"{info['n_conditions']:,}"),
        ("cell lines", f"{len(info['cell_lines']):,}"),
        ("drugs", f"{len(info['drugs']):,}"),
        ("doses (µM)", doses or "pooled"),
        ("genes", f"{info['n_genes']:,}, of which {info['n_panel']:,} in the panel"),
    ]
    own = visit_atlases.is_of_this_visit(store.folder)
    return [*facts, ("seen by", "you alone, for this visit")] if own else facts


def show_all() -> None:
    """Every atlas of this installation as a row, with the way to it."""
    rows = [data_state.summary(name) for name in state.atlases()]
    here = "One atlas is" if len(rows) == 1 else f"{len(rows):,} atlases are"
    own = [visit_atlases.is_of_this_visit(state.folder_of(row.name)) for row in rows]
    words = f"{here} built in this installation. All visitors see them, but for those of a visit."
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
            "seen by": ["you, this visit" if is_own else "everybody" for is_own in own],
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
