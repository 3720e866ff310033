"""What stands above every look at a question: purpose, title, verdict, and the two switches."""

from __future__ import annotations

from html import escape

import streamlit as st

from lgr_core.answer.repeat import repeat_correlation
from lgr_core.domain import Change
from pages.predict.neighbor_cards import picture
from pages.predict.verdict import KnownFacts, PredictionVerdict, verdict_of
from pages.shared import links, pieces, state
from pages.shared.asking import Answered
from pages.shared.pickers import Asked, switch
from pages.shared.widgets import html

PURPOSE = "What a drug does to a cell line, from the measured effects of similar drugs."

LOOKS = {"answer": "Answer", "reasons": "Reasons", "truth": "Was it right?"}
"""The looks at a question by their name in the link."""

CHANGES = {Change.SPECIFIC: "Specific to the drug", Change.TOTAL: "Total"}

_CHANGE_HELP = (
    "Drugs that share a plate share a part of their change. Specific: the change less the mean of "
    "at least ten other drugs on its plate. Total: the change as it was measured."
)


def purpose(asked: Asked) -> None:
    """The app's name, what it is for, and what its numbers are."""
    store = asked.store
    html(
        f'<p class="lgr-purpose"><b>LGR Explorer</b> {escape(PURPOSE)}</p>'
        + pieces.badge(store.info(), store.value_kind.label, brief=True)
    )


def head(view: Answered) -> None:
    """The question, whether its truth is known, the verdict, and what is looked at."""
    asked, answer = view.asked, view.answer
    store, question = asked.store, asked.question
    known = "predicted" if not _measured(view) else "predicted, also measured"
    html(
        pieces.headline(
            question.drug,
            question.cell_line,
            question.dose_um,
            mechanism=state.mechanisms(store)[question.drug],
            picture=picture(store, question.drug),
            known=known,
        )
        + verdict_line(verdict_of(facts(view)))
    )
    look, change = st.columns([3, 2], vertical_alignment="center")
    with look:
        switch("Look", "look", LOOKS, look_of(asked), label_visibility="collapsed")
    with change:
        _change_switch(view, answer.change)


def look_of(asked: Asked) -> str:
    """The look that the link names, else the answer."""
    wished = asked.view["look"]
    return wished if wished in LOOKS else "answer"


def facts(view: Answered) -> KnownFacts:
    """What is known of an answer, for its verdict."""
    answer, store = view.answer, view.asked.store
    reader = state.reader(store, answer.change)
    return KnownFacts(
        measured=_measured(view),
        trust=None if answer.trust is None else answer.trust.light,
        score=answer.correlation,
        repeat=repeat_correlation(answer, reader),
        not_separable=view.why_total,
        little_effect=little_effect(view),
        simulated=bool(store.info()["simulated"]),
    )


def little_effect(view: Answered) -> bool:
    """Whether a language model expects the drug to change little."""
    stated = state.expected(view.asked.store).of(view.asked.question.drug)
    return stated is not None and stated.label is not None


def verdict_line(verdict: PredictionVerdict) -> str:
    """A verdict as HTML: its colour and its words."""
    return (
        f'<p class="lgr-verdict"><span class="lgr-light lgr-{verdict.standing}" '
        f'aria-hidden="true"></span>{escape(verdict.words)}</p>'
    )


def _measured(view: Answered) -> bool:
    return view.answer.measured is not None


def _change_switch(view: Answered, change: Change) -> None:
    """The switch between the changes, where both have a meaning."""
    if view.why_total is not None:
        st.session_state.pop("change", None)
        return
    st.session_state["change"] = str(change)
    st.segmented_control(
        "Change",
        [str(one) for one in CHANGES],
        key="change",
        format_func=lambda one: CHANGES[Change(one)],
        required=True,
        on_change=links.picked,
        label_visibility="collapsed",
        help=_CHANGE_HELP,
    )
