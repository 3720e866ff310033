"""The answer of a search in a few sentences, and the switch between the views of a change."""

from __future__ import annotations

import streamlit as st

from lgr_core.errors import LgrError
from lgr_core.retrieval.specific_change import View
from lgr_core.signatures.search import SIGNIFICANT, DrugHits
from pages.find.finding import LOOKS, Wanted
from pages.find.views import HELP, LINES, VIEWS
from pages.shared import links, pieces
from pages.shared.widgets import html
from pages.shared.words import count, listed

NAMED = 3
"""Hits named in the first sentence."""


def show(wanted: Wanted, found: DrugHits) -> None:
    """What was searched for, the answer, which view of the change it is, and remarks."""
    html(
        pieces.title(title(wanted, found))
        + pieces.lead([lead(wanted, found)])
        + pieces.notes(wanted.notes)
    )
    view_switch(wanted)


def unanswered(wanted: Wanted, error: LgrError) -> None:
    """What was searched for, and why there is no answer."""
    html(pieces.title(f"Closest to {wanted.words}") + pieces.error_box(error))
    view_switch(wanted)


def view_switch(wanted: Wanted) -> None:
    """The views that can be searched, and what the one in sight compares."""
    searched = wanted.searched
    st.session_state["view"] = str(searched.view)
    st.segmented_control(
        "Change",
        [str(view) for view in searched.offered],
        key="view",
        format_func=lambda view: VIEWS[View(view)],
        required=True,
        on_change=links.picked,
        label_visibility="collapsed",
        help=HELP,
    )
    html(pieces.caption(LINES[searched.view] + _why(wanted)))


def title(wanted: Wanted, found: DrugHits) -> str:
    """What the list is: finds only where there are any."""
    verb = "reverse" if found.reverse else "mimic"
    if len(found.significant):
        return f"{LOOKS[verb].removesuffix(' it')} {wanted.words}"
    if found.reverse:
        return f"No drug reverses {wanted.words}"
    return f"Closest to {wanted.words}"


def lead(wanted: Wanted, found: DrugHits) -> str:
    """Which drugs are significant, or which come nearest to it, as HTML."""
    others = found.drugs[found.drugs["relation"] == ""]
    of_all = f"{count(others['drug'].nunique(), 'drug')} in {pieces.strong(wanted.where_words)}"
    sure = list(dict.fromkeys(found.significant["drug"]))
    if sure:
        more = f" and {count(len(sure) - NAMED, 'other')}" if len(sure) > NAMED else ""
        verb = ("reverse" if found.reverse else "mimic") + "s" * (len(sure) == 1)
        lowest = f"lowest FDR {found.significant['fdr'].min():.2g}"
        return f"{pieces.strong(listed(sure[:NAMED]))}{more} {verb} it, of {of_all} ({lowest})."
    if others.empty:
        return f"With the compound asked about left out of {of_all}, none can be compared."
    if found.reverse:
        return f"None of {of_all} reverses it. {_most_opposed(found)}"
    first = pieces.strong(listed(list(dict.fromkeys(others["drug"]))[:NAMED]))
    return (
        f"{first} come first of {of_all}, but none is significant: the lowest FDR is "
        f"{others['fdr'].min():.2g}, and {SIGNIFICANT:g} would pass."
    )


def _most_opposed(found: DrugHits) -> str:
    """The drug of the lowest score, which is no reverse."""
    others = found.drugs[found.drugs["relation"] == ""]
    last = others.loc[others["score"].idxmin()]
    if last["score"] >= 0:
        return "Every score is above zero."
    return (
        f"Most opposed, perhaps by chance, is {pieces.strong(last['drug'])} "
        f"(score {last['score']:.2f}, FDR {last['fdr']:.2g})."
    )


def _why(wanted: Wanted) -> str:
    """Why the specific change is not offered."""
    why = wanted.searched.why
    if why is None:
        return ""
    whose = "" if wanted.source == "genes" else f" of {wanted.question}"
    return f" No specific change{whose}: {why}."
