"""Addresses that became tabs of the page Browse lead there, with all that they ask."""

from __future__ import annotations

import streamlit as st

from pages.shared import links


def lead_to(tab: str) -> None:
    """Open that tab as the address asks, else as it was left."""
    links.keep({"show": tab})
    given = {key: value for key, value in st.query_params.to_dict().items() if value}
    show = {"show": tab} if given else {}
    st.switch_page("pages/views/browse.py", query_params={**given, **show})
