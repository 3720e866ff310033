"""What a visit keeps of a file that was sent, until it is an atlas or given up."""

from __future__ import annotations

import streamlit as st

from pages.data import data_columns
from pages.shared import pieces
from pages.shared.widgets import html

SENT, LOOK, TABLES, CHECKED = "sent", "sent_look", "sent_tables", "sent_check"
"""The file, what it holds, the tables that came along, what was checked and what was found."""

TURN = "turn"
"""How many files were sent: a box that took one is followed by an empty one."""

SEEN = {"all": "Everybody who can open this page", "visit": "Only me, for this visit"}
"""Who can open the atlas that is made of a file."""

_SEEN = "own_seen"


def who_sees_it() -> None:
    """The switch between the two, and what each means; said before anything is sent."""
    st.session_state[_SEEN] = st.session_state.get(f"{_SEEN}_kept", "all")

    def picked() -> None:
        st.session_state[f"{_SEEN}_kept"] = st.session_state[_SEEN]

    st.segmented_control(
        "Who can open the atlas",
        list(SEEN),
        key=_SEEN,
        format_func=SEEN.get,
        required=True,
        on_change=picked,
    )
    html(pieces.caption(_MEANS["visit" if for_this_visit() else "all"]))


def for_this_visit() -> bool:
    """Whether the atlas is kept to this visit."""
    return st.session_state.get(f"{_SEEN}_kept") == "visit"


_MEANS = {
    "all": "The atlas stays on this server and everybody who can open this page sees it; only "
    "whoever runs the server can remove it. Send nothing that others may not see.",
    "visit": "The atlas is seen by you alone and removed when this visit ends. Whoever runs the "
    "server could read it while it is there.",
}


def forget() -> None:
    """Give up the file, and what was said and found of it."""
    upload = st.session_state.get(SENT)
    if upload is not None:
        upload.close()
    for key in (SENT, LOOK, TABLES, CHECKED):
        st.session_state.pop(key, None)
    data_columns.forget()
