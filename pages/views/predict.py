"""The first page: what would this drug do to this cell line, why, and was it right."""

import streamlit as st

from lgr_core.answer import LGR_METHOD
from lgr_core.domain import Change
from pages.predict import (
    answer_look,
    head,
    looks,
    own_cells,
    reasons_look,
    recent,
    second_question,
    truth_look,
)
from pages.shared import evidence_state, state, tahoe_offer, tour
from pages.shared.asking import Answered, answered
from pages.shared.pickers import ask

SHOW = {
    "answer": answer_look.show,
    "reasons": reasons_look.show,
    "truth": truth_look.show,
}


def show(view: Answered) -> None:
    """The question with its verdict, and the look at it that the link names."""
    view = view._replace(answer=evidence_state.told(view.asked.store, view.answer))
    head.head(view)
    SHOW[head.look_of(view.asked)](view)


asked = ask(
    method=LGR_METHOD,
    look="answer",
    change=str(Change.SPECIFIC),
    reveal="",
    rival="best_evidence",
    **second_question.FIELDS,
    **looks.FIELDS,
)
tahoe_offer.show(state.atlases())
if asked is not None:
    head.purpose(asked)
    if not own_cells.show(asked):
        tour.offer(linked=asked.linked)
        with st.sidebar.container(horizontal=True, gap="small"):
            recent.show(asked)
            tour.again()
        view = answered(asked)
        if view is not None:
            show(view)
