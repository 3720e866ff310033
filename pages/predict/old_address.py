"""Addresses that became looks of the page Predict lead there, with all that they ask."""

from __future__ import annotations

import streamlit as st

from pages.shared import links
from pages.shared.question import EDITS, FIELDS, NOVEL

_OWN = ("method", "change", "reveal", "rival")
"""Further fields that those pages had, or that a question of this visit may have."""


def lead_to(look: str) -> None:
    """Open that look, at the question of the address, else at that of the visit."""
    given = st.query_params.to_dict()
    asked = given or links.kept((*FIELDS, *NOVEL, *EDITS, *_OWN))
    known = {key: value for key, value in asked.items() if value}
    st.switch_page("pages/views/predict.py", query_params={**known, "look": look})
