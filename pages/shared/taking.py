"""Taking it home: answers and figures as files, each made when it is asked for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.export import write_answer
from pages.shared.question import Question, spell_dose
from pages.shared.widgets import CHART

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MIMES = {
    "csv": "text/csv",
    "rnk": "text/tab-separated-values",
    "parquet": "application/vnd.apache.parquet",
    "h5ad": "application/x-hdf5",
}
"""Endings of an answer's files."""

PICTURES = ("svg", "png")
"""What the camera in a figure's corner saves."""

_UNSAFE = re.compile(r"[^\w.+-]+")


def stem(answer: Answer, question: Question) -> str:
    """A file name that tells the question."""
    parts = (
        question.drug,
        question.cell_line,
        spell_dose(question.dose_um),
        answer.retrieval.selector,
        question.atlas,
    )
    return "_".join(_UNSAFE.sub("-", part).strip("-.")[:60] for part in parts)


def downloads(answer: Answer, question: Question) -> None:
    """The answer as a file, and the way on: to the drugs that do the same."""
    _find_drugs(answer, question)
    with st.container(horizontal=True, gap="small"):
        for ending, mime in MIMES.items():
            st.download_button(
                f"Download {ending}",
                lambda ending=ending: _file(answer, ending),
                file_name=f"{stem(answer, question)}.{ending}",
                mime=mime,
                key=f"download_{ending}",
                on_click="ignore",
                icon=":material/download:",
            )


def _find_drugs(answer: Answer, question: Question) -> None:
    """A link to the search with this predicted change; that search chooses its own neighbours."""
    if question.edited or not answer.prediction.method.startswith("lgr_"):
        return
    link = {**question.link(), "from": "predicted"}
    st.page_link(
        "pages/views/find.py",
        label="Which measured drugs mimic or reverse this predicted change?",
        icon=":material/search:",
        query_params={key: value for key, value in link.items() if value},
    )


def chart(figure: Figure, key: str, words: str) -> None:
    """Draw a figure; ``words`` say what it shows to who cannot see it.

    The camera in its corner saves it as the picture that the visitor chose.
    """
    ending = st.session_state.get("picture") or PICTURES[0]
    config = {**CHART, "toImageButtonOptions": {"format": ending, "filename": key, "scale": 2}}
    st.plotly_chart(figure, key=key, config=config, alt=words)


def figure_downloads(figures: Mapping[str, Figure]) -> None:
    """Figures as pages of their own that still answer the pointer, and the camera's format."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for name, figure in figures.items():
            st.download_button(
                f"{name} as HTML",
                lambda figure=figure: figure.to_html(include_plotlyjs=True).encode(),
                file_name=f"{_UNSAFE.sub('-', name).lower()}.html",
                mime="text/html",
                key=f"html_{name}",
                on_click="ignore",
                icon=":material/download:",
            )
        st.segmented_control(
            "The camera in a figure saves",
            PICTURES,
            default=PICTURES[0],
            key="picture",
            format_func=str.upper,
            required=True,
        )


def _file(answer: Answer, ending: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"answer.{ending}"
        write_answer(answer, path)
        return path.read_bytes()
