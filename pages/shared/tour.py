"""A first visitor's tour: a few steps over the page, taken or skipped, and then gone."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from pages.shared import pieces
from pages.shared.widgets import html


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the tour: its name, what there is to see, and where, as a CSS selector."""

    name: str
    words: str
    where: str


STEPS = (
    Step(
        "Ask",
        "Choose cell line, drug and dose in the side bar: the lists also find synonyms, targets "
        "and organs. The page answers at once.",
        '[data-testid="stSidebarUserContent"]',
    ),
    Step(
        "Read the verdict",
        "This line says how far the prediction holds. Below it, red bars are genes that go up and "
        "blue bars genes that go down; each dot is one measured drug.",
        ".lgr-verdict",
    ),
    Step(
        "See the reasons",
        "These measured drugs are averaged, because each is like yours: click a reason to read all "
        "of it. A tick marks claims that the annotation bears out.",
        ".lgr-picks",
    ),
    Step(
        "Look closer",
        "Reasons checks every claim and lets you drop or add drugs. Was it right? compares the "
        "prediction with the measured change, with other methods and with a second drug.",
        ".st-key-look",
    ),
    Step(
        "Take it home",
        "The report and the files are below the figures. Copy link, in the side bar, gives the "
        "address of just this view.",
        ".st-key-download_report",
    ),
)

_STEP = "tour_step"
_POINTED = "outline: 3px solid var(--lgr-accent); outline-offset: 2px; border-radius: .3rem;"


def offer(*, linked: bool) -> None:
    """The tour, until it was taken or skipped; who opens a link came for what it shows."""
    step = st.session_state.setdefault(_STEP, None if linked else 0)
    if step is None:
        return
    with st.container(border=True, key="tour"):
        if step == 0:
            html(pieces.step("New here?", "Five short steps show what this page tells you."))
        else:
            shown = STEPS[step - 1]
            html(pieces.step(f"{step} of {len(STEPS)}. {shown.name}.", shown.words))
            html(f"<style>{shown.where} {{ {_POINTED} }}</style>")
        with st.container(horizontal=True, gap="small"):
            if step > 1:
                st.button("Back", key="tour_back", on_click=_go, args=(step - 1,))
            if step < len(STEPS):
                words = "Next" if step else "Take the tour"
                st.button(words, key="tour_next", type="primary", on_click=_go, args=(step + 1,))
            last = "Done" if step == len(STEPS) else "Skip"
            st.button(last, key="tour_skip", on_click=_go, args=(None,))


def again() -> None:
    """The button that starts the tour anew, once it was taken or skipped."""
    if st.session_state.get(_STEP) is None:
        st.button("Tour", key="tour_again", icon=":material/explore:", on_click=_go, args=(1,))


def leave() -> None:
    """Take the offer away: who uses the page has found the way."""
    if st.session_state.get(_STEP) == 0:
        _go(None)


def _go(step: int | None) -> None:
    st.session_state[_STEP] = step
