"""The parts of a page that a visitor meets: the first start, pieces, downloads."""

from __future__ import annotations

import re
import tempfile
import time
from pathlib import Path

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.errors import LgrError, ServiceError
from lgr_core.export import answer_csv, write_answer
from pages.shared import pieces, state
from pages.shared.question import Question, spell_dose

STYLE = Path(__file__).with_name("style.css")
CHART = {
    "displaylogo": False,
    "modeBarButtons": [["toImage"]],
    "toImageButtonOptions": {"format": "svg"},
}
"""Figures keep one button: save as a vector picture."""

_UNSAFE = re.compile(r"[^\w.+-]+")

WELCOME = (
    "There is no atlas here yet, so a small simulated one is being built for you to look at. "
    "It takes less than a minute, and only this once."
)


def html(text: str) -> None:
    """Show a piece; an empty one is nothing."""
    if text:
        st.html(text)


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


# -- taking it home --------------------------------------------------------------------------------


def downloads(answer: Answer, question: Question) -> None:
    """The answer as a file; each is made when it is asked for."""
    parts = (
        question.drug,
        question.cell_line,
        spell_dose(question.dose_um),
        answer.retrieval.selector,
        question.atlas,
    )
    stem = "_".join(_UNSAFE.sub("-", part).strip("-.")[:60] for part in parts)
    with st.container(horizontal=True, gap="small"):
        for ending, mime in (
            ("csv", "text/csv"),
            ("parquet", "application/vnd.apache.parquet"),
            ("h5ad", "application/x-hdf5"),
        ):
            st.download_button(
                f"Download {ending}",
                lambda ending=ending: _file(answer, ending),
                file_name=f"{stem}.{ending}",
                mime=mime,
                key=f"download_{ending}",
                on_click="ignore",
                icon=":material/download:",
            )


def _file(answer: Answer, ending: str) -> bytes:
    if ending == "csv":
        return answer_csv(answer).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answer.{ending}"
        write_answer(answer, path)
        return path.read_bytes()
