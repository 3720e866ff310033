"""What a visit keeps of a file that was sent, until it is an atlas or given up."""

from __future__ import annotations

import streamlit as st

from pages.data import data_columns

SENT, LOOK, TABLES, CHECKED = "sent", "sent_look", "sent_tables", "sent_check"
"""The file, what it holds, the tables that came along, what was checked and what was found."""

TURN = "turn"
"""How many files were sent: a box that took one is followed by an empty one."""


def forget() -> None:
    """Give up the file, and what was said and found of it."""
    upload = st.session_state.get(SENT)
    if upload is not None:
        upload.close()
    for key in (SENT, LOOK, TABLES, CHECKED):
        st.session_state.pop(key, None)
    data_columns.forget()
