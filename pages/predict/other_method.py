"""What the other method says of the same question, in one line that leads to it.

It is asked once everything else is drawn, so that nobody waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lgr_core.answer import LGR_METHOD, Answer
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.errors import LgrError
from lgr_core.prediction.best_evidence import BestEvidence
from pages.shared import asking, evidence_state, links, pieces
from pages.shared.asking import Answered

NAMES = {LGR_METHOD: "Neighbours (LGR)", BestEvidence.name: "Best evidence"}
"""The two methods of the page, as a sentence begins with them."""

_NAMED = 2
"""Genes named each way."""


def place() -> DeltaGenerator:
    """The line's place, which holds its height while the line is not known."""
    return st.container(key="other_method").empty()


def fill(line: DeltaGenerator, view: Answered) -> None:
    """Ask the other method, and write what it says with a button that shows it in full."""
    method = other_of(view.asked.view["method"])
    asked = view.asked._replace(view={**view.asked.view, "method": method}, notes=())
    with line:
        try:
            answer = asking.answer(asked).answer
        except LgrError as err:
            line.html(pieces.caption(f"{NAMES[method]} has no answer here: {err.found}."))
            return
    answer = evidence_state.told(asked.store, answer)
    with line.container(horizontal=True, gap="small", vertical_alignment="center"):
        said = sentence(answer, NAMES[method])
        st.html(f'<p class="lgr-other">{said}</p>', width="content")
        st.button("Show", key="show_other", type="tertiary", on_click=_show, args=(method,))


def other_of(method: str) -> str:
    """The method that is not shown."""
    return LGR_METHOD if method == BestEvidence.name else BestEvidence.name


def sentence(answer: Answer, name: str) -> str:
    """The strongest genes outside the noise, and how good this is expected to be, as HTML."""
    up, down = (answer.genes[rows].tolist() for rows in strongest_genes(answer, _NAMED, sure=True))
    ways = [f"{_named(up, 'up')} up"] if up else []
    ways += [f"{_named(down[::-1], 'down')} down"] if down else []
    says = ", ".join(ways) or "no gene stands out of the noise"
    return f"<b>{name}</b> says: {says}{_expected(answer)}."


def _named(genes: Sequence[str], way: str) -> str:
    return f'<b class="lgr-{way}">{escape(", ".join(genes))}</b>'


def _expected(answer: Answer) -> str:
    trust = answer.trust
    if trust is None or not math.isfinite(trust.expected):
        return ""
    return f" (expected r {trust.expected:.2f})"


def _show(method: str) -> None:
    st.session_state["method"] = method
    links.picked()
