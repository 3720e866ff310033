"""The address of what is shown, to be copied, and the questions of this visit, to go back to."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from pages.shared import pieces
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import literal

MOST = 8
"""Questions that are remembered."""

_MEMORY = "recent"


def show(asked: Asked) -> None:
    """Two boxes; the question shown is the last of this visit."""
    link: Mapping[str, str] = st.session_state["link"]
    earlier = remember(str(asked.question), link)
    with st.popover("Copy link", icon=":material/link:"):
        html(pieces.caption("The button at its right edge copies it."))
        st.code(address(link), language=None, wrap_lines=True)
    if earlier:
        with st.popover("Recent", icon=":material/history:"):
            for words, there in earlier.items():
                st.page_link("pages/views/predict.py", label=literal(words), query_params=there)


def address(link: Mapping[str, str]) -> str:
    """The whole address of this page with what it asks, as others open it."""
    here = urlsplit(st.context.url or "")
    return urlunsplit((here.scheme, here.netloc, here.path or "/", urlencode(link), ""))


def remember(words: str, link: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Keep the question shown, and return those before it, the latest first."""
    kept: dict[str, dict[str, str]] = st.session_state.setdefault(_MEMORY, {})
    kept.pop(words, None)
    earlier = dict(reversed(kept.items()))
    kept[words] = dict(link)
    for oldest in list(kept)[:-MOST]:
        del kept[oldest]
    return earlier
