"""A first visitor's tour: a few steps over the page, taken or skipped, and then gone."""

from __future__ import annotations

import streamlit as st

from pages.shared import pieces
from pages.shared.widgets import html

STEPS = {
    "Ask": "Choose cell line, drug and dose on the left. The page answers at once.",
    "Read the answer": "The sentences under the title say which genes go up and down, how well the "
    "neighbours agree, and whether random picks would have done as well.",
    "See who says so": "Each card is a measured drug, with the reason why it was chosen. Open "
    "Neighbours above to drop one, add one, and see how much each matters.",
    "Look closer": "Genes, pathways or a list of your own: the switch below the cards. Open "
    "Compare for the measured change beside the predicted one, and all rivals.",
    "Take it home": "The files are below the figures. The address of the page is a link to just "
    "this view.",
}

_STEP = "tour_step"


def offer(*, linked: bool) -> None:
    """The tour, until it was taken or skipped; who opens a link came for what it shows."""
    step = st.session_state.setdefault(_STEP, None if linked else 0)
    if step is None:
        return
    with st.container(border=True, key="tour"):
        if step == 0:
            html(pieces.step("New here?", "Five short steps show what this page tells you."))
        else:
            name, words = list(STEPS.items())[step - 1]
            html(pieces.step(f"{step} of {len(STEPS)}. {name}.", words))
        with st.container(horizontal=True, gap="small"):
            if step > 1:
                st.button("Back", key="tour_back", on_click=_go, args=(step - 1,))
            if step < len(STEPS):
                words = "Next" if step else "Take the tour"
                st.button(words, key="tour_next", type="primary", on_click=_go, args=(step + 1,))
            last = "Done" if step == len(STEPS) else "Skip"
            st.button(last, key="tour_skip", on_click=_go, args=(None,))


def leave() -> None:
    """Take the offer away: who uses the page has found the way."""
    if st.session_state.get(_STEP) == 0:
        _go(None)


def _go(step: int | None) -> None:
    st.session_state[_STEP] = step
