"""The parts of a page that a visitor meets: the first start, pieces."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from lgr_core.errors import LgrError, ServiceError
from pages.shared import pieces, state
from pages.shared.glossary import explained

STYLE = Path(__file__).with_name("style.css")

WELCOME = (
    "There is no atlas here yet, so a small simulated one is being built for you to look at. "
    "It takes less than a minute, and only this once."
)


def html(text: str) -> None:
    """Show a piece, its terms explained; an empty one is nothing."""
    if text:
        st.html(explained(text))


def start() -> list[str]:
    """Dress the page and name the atlases; the first visitor of an empty home gets the demo."""
    st.html(STYLE)
    names = state.atlases()
    if not names and _build_demo():
        names = state.atlases()
    return names


def _build_demo() -> bool:
    build = state.demo_build()
    work = build.start()
    welcome = st.empty()
    with welcome.container():
        html(pieces.title("Welcome") + pieces.lead([WELCOME]))
        bar = st.progress(0.0, "Starting")
        while not work.done():
            bar.progress(build.share(), build.stage.replace("_", " ").capitalize())
            time.sleep(0.15)
    welcome.empty()
    error = work.exception()
    if error is None:
        return True
    if isinstance(error, OSError):
        do = "Make the folder writable (LGR_HOME names it) and free some space, then try again."
        error = ServiceError("Building the demo atlas", str(error), do)
    if not isinstance(error, LgrError):
        raise error
    html(pieces.error_box(error))
    st.button("Try again", key="again")
    return False
