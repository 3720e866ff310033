"""The boxes that take the lists of a batch: pasted, crossed, from a file, or an example."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.batch.query_list import FORM
from lgr_core.errors import InputError
from pages.batch.batch_asking import EVERY, FIELDS, FORMS, LONGEST_LIST, TEXTS, Wanted
from pages.shared import links, pieces, uploading
from pages.shared.pickers import switch
from pages.shared.widgets import html

UPLOAD_MB = 1

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"

LIST_HELP = (
    "Drug, cell line, dose, with commas between; without a dose, the highest measured. A drug that "
    "the atlas lacks is predicted from its structure: write its SMILES in place of the name, or "
    "after the dose; or its mechanism there, such as MEK inhibitor. A first line can name columns: "
    "drug, cell_line, dose_um, smiles, moa."
)
CROSS_HELP = (
    "A drug that the atlas lacks: its SMILES, or its name, a semicolon, and its structure or "
    "mechanism."
)


def boxes(wanted: Wanted) -> None:
    """The lists: pasted, or taken from a file."""
    for name in TEXTS:
        st.session_state[name] = wanted.texts[name]
    st.session_state["at_dose"] = wanted.at_dose
    switch("Ask for", "form", FORMS, wanted.form)
    if wanted.form == "list":
        _list_boxes(wanted.store)
    else:
        _cross_boxes()


def _list_boxes(store: AtlasStore) -> None:
    with st.form("batch_list", border=False):
        st.text_area(
            "Queries",
            key="queries",
            height=180,
            max_chars=LONGEST_LIST,
            placeholder=f"{FORM}, structure or mechanism\n{example(store, 4)}",
            help=LIST_HELP,
        )
        st.form_submit_button("Check the list", type="primary", on_click=links.picked)
    if uploading.allowed():
        _file_box()
    error = st.session_state.pop("batch_file_error", None)
    if error:
        html(pieces.error_box(error))


def _file_box() -> None:
    st.file_uploader(
        "Or a CSV file",
        type=["csv", "tsv", "txt"],
        key="batch_file",
        max_upload_size=UPLOAD_MB,
        on_change=_take_file,
        help="With columns drug (or smiles) and cell_line; dose_um, smiles and moa if you like. It "
        "fills the box above and is kept nowhere else.",
    )


def _cross_boxes() -> None:
    with st.form("batch_cross", border=False):
        drugs, lines = st.columns(2)
        hint = f"One name per line, or the word {EVERY}"
        drugs.text_area(
            "Drugs",
            key="all_drugs",
            height=180,
            max_chars=LONGEST_LIST,
            placeholder=f"{hint}\nMy compound; MEK inhibitor",
            help=CROSS_HELP,
        )
        lines.text_area(
            "Cell lines", key="all_lines", height=180, max_chars=LONGEST_LIST, placeholder=hint
        )
        st.text_input(
            "Dose for all",
            key="at_dose",
            max_chars=20,
            placeholder="5, 0.5 or 500 nM; empty: the highest measured",
        )
        st.form_submit_button("Check the lists", type="primary", on_click=links.picked)


def example(store: AtlasStore, n: int) -> str:
    """Queries that this atlas can answer, one a line, from all over it; the last two of new drugs.

    One of these is a structure, the other a name with its mechanism.
    """
    plain = store.conditions[~store.conditions["drug"].str.contains(",", regex=False)]
    rows = plain.iloc[np.linspace(0, len(plain) - 1, n - 2).astype(int)]
    known = [f"{row.drug}, {row.cell_line}" for row in rows.itertuples()]
    line = rows.iloc[0]["cell_line"]
    return "\n".join([*known, f"{ASPIRIN}, {line}", f"My compound, {line}, , MEK inhibitor"])


def example_button(store: AtlasStore) -> None:
    """Fill the box with a few queries."""
    st.button("Show an example", key="batch_example", on_click=_show_example, args=(store,))


def _show_example(store: AtlasStore) -> None:
    links.keep({"form": "list", "queries": example(store, 12)})


def last_batch(link: Mapping[str, str]) -> None:
    """The way back to the batch that was run last."""
    st.button(
        "Back to the batch that ran last",
        key="batch_back",
        on_click=links.keep,
        args=({key: link[key] for key in FIELDS},),
        icon=":material/history:",
    )


def _take_file() -> None:
    file = st.session_state["batch_file"]
    if file is None:
        return
    try:
        small = file.size <= UPLOAD_MB * 1_000_000
        text = file.getvalue().decode("utf-8-sig") if small else ""
    except UnicodeDecodeError:
        text = ""
    if not text.strip() or "\0" in text or len(text) > LONGEST_LIST:
        found = f"it is no text in UTF-8 of 1 to {LONGEST_LIST:,} letters"
        do = "Save the table as CSV (UTF-8) and try again."
        st.session_state["batch_file_error"] = InputError("This file was not taken", found, do)
        return
    links.keep({"form": "list", "queries": text})
