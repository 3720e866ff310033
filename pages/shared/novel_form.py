"""A drug that is not in the list: its name, its structure or its mechanism, typed in."""

from __future__ import annotations

import streamlit as st

from pages.shared import links, pieces
from pages.shared.question import EDITS, Question
from pages.shared.widgets import html
from pages.shared.words import literal

FIELDS = {"drug": "novel_name", "smiles": "novel_smiles", "moa": "novel_moa"}
"""The fields of the link that the form fills, and the keys of its boxes."""

WORDS = (
    "A name or a structure is enough. Drugs of the atlas that are the same compound are found and "
    "left out. Chemistry needs the structure, Mechanism a known name or the mechanism."
)


def draw(question: Question) -> None:
    """The form, in the side bar; sent, its drug is the one asked for."""
    sent = st.session_state.get("novel_sent", 0)  # another key is another box, which is closed
    words = "A drug that is not in the list"
    with st.sidebar.popover(words, icon=":material/add:", key=f"novel_{sent}"):
        html(pieces.caption(WORDS))
        with st.form("novel", border=False):
            st.text_input("Name", key="novel_name", max_chars=200, placeholder="New compound")
            st.text_input(
                "Structure (SMILES)", key="novel_smiles", max_chars=5_000, placeholder="CC(=O)O…"
            )
            st.text_input(
                "Mechanism or targets, if known",
                key="novel_moa",
                max_chars=200,
                placeholder="MEK inhibitor",
            )
            line = literal(f"Predict it in {question.cell_line}")
            st.form_submit_button(line, key="novel_go", type="primary", on_click=_send)


def _send() -> None:
    given = {field: str(st.session_state[key]).strip() for field, key in FIELDS.items()}
    if not (given["drug"] or given["smiles"]):
        return
    links.keep({**given, "new": "1", **dict.fromkeys(EDITS, "")})
    st.session_state["novel_sent"] = st.session_state.get("novel_sent", 0) + 1
    st.session_state.pop("drug", None)  # the picker's own value would go before it
    links.picked()
