"""Taking it home: answers and figures as files, each made when it is asked for."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from lgr_core.answer import Answer
from lgr_core.answer.export import write_answer
from pages.predict import recent
from pages.predict.report import report_html
from pages.shared.asking import Answered
from pages.shared.charts import PICTURES
from pages.shared.question import Question, spell_dose
from pages.shared.words import selector_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MIMES = {
    "csv": "text/csv",
    "rnk": "text/tab-separated-values",
    "parquet": "application/vnd.apache.parquet",
    "h5ad": "application/x-hdf5",
}
"""Endings of an answer's files."""

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


def downloads(view: Answered, drawn: Mapping[str, Figure]) -> None:
    """The ways on, and the answer as a file; ``drawn`` are the figures of the report."""
    answer, question = view.answer, view.asked.question
    _ways_on(answer, question)
    with st.container(horizontal=True, gap="small"):
        report_download(view, drawn)
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


def _ways_on(answer: Answer, question: Question) -> None:
    """Links that ask on in the same way: which drugs do the same, and many queries at once.

    Where neighbours are edited by hand or chosen by a control there are none.
    """
    method, weighed = answer.prediction.method, answer.is_linear
    if not weighed and (question.edited or selector_words(question.selector).control):
        return
    how = {"method": method} if weighed else {"selector": question.selector, "k": str(question.k)}
    asked = replace(question, drop=(), add=()).link()
    find = "Which measured drugs mimic or reverse this predicted change?"
    _way("find", find, "search", {**asked, **how, "from": "predicted"})
    if question.novel is None:
        words = "Predict many drugs and cell lines at once in this way"
        _way("batch", words, "table_rows", {"atlas": question.atlas, **how})


def _way(page: str, words: str, icon: str, link: Mapping[str, str]) -> None:
    given = {key: value for key, value in link.items() if value}
    address = f"pages/views/{page}.py"
    st.page_link(address, label=words, icon=f":material/{icon}:", query_params=given)


def report_download(view: Answered, figures: Mapping[str, Figure]) -> None:
    """The question with its answer as one page to send or to keep."""
    link = recent.address(st.session_state["link"])
    st.download_button(
        "Report (html)",
        lambda: report_html(view, figures, link),
        file_name=f"{stem(view.answer, view.asked.question)}.html",
        mime="text/html",
        key="download_report",
        on_click="ignore",
        icon=":material/description:",
        help="Verdict, genes, reasons with their checks and how it was made, in one file.",
    )


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
