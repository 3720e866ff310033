"""The look *Answer*: genes beside reasons in the first screen, everything else below."""

from __future__ import annotations

import streamlit as st

from lgr_core.answer.baselines import verdict
from pages.predict import (
    fit,
    gene_figures,
    looks,
    neighbor_cards,
    other_method,
    sections,
    taking,
    terms,
)
from pages.predict.head import little_effect
from pages.predict.picks import chosen_by, picks_table
from pages.shared import guide, pieces, state, trust
from pages.shared.asking import Answered
from pages.shared.widgets import html


def show(view: Answered) -> None:
    """The strongest genes and the reasons side by side; below them the answer in full."""
    asked, answer = view.asked, view.answer
    line = other_method.place()
    genes, reasons = st.columns([9, 11], gap="medium")
    with genes:
        drawn = {"Genes": gene_figures.top_genes(asked, answer, grey=uncertain(view))}
    with reasons:
        _reasons(view)
    _in_words(view)
    figures = looks.show(asked, answer)
    fit.scores(asked, answer, sections.pool_mean_scores(answer))
    taking.downloads(view, drawn)
    taking.figure_downloads({**drawn, **figures})
    fit.provenance(asked, answer)
    other_method.fill(line, view)


def uncertain(view: Answered) -> bool:
    """Whether genes are shown in grey: little effect is expected, or nothing is known."""
    nobody = not (view.answer.is_linear or view.answer.retrieval.k_used)
    return nobody or little_effect(view)


def _reasons(view: Answered) -> None:
    """Why: the neighbours as a table, or the conditions of a weighted sum."""
    retrieval = view.answer.retrieval
    if view.answer.is_linear:
        terms.show(view.asked, view.answer)
    elif retrieval.neighbors:
        html(pieces.section("Reasons", chosen_by(retrieval)) + picks_table(view))
    else:
        none = "No measured drug was found to be like it."
        html(pieces.section("Reasons") + pieces.caption(none))


def _in_words(view: Answered) -> None:
    """The answer in sentences, what it stands on, and how far it was expected to hold."""
    asked, answer = view.asked, view.answer
    html(pieces.section("In words"))
    found = None
    if not answer.is_linear:
        reader = state.reader(asked.store, answer.change)
        found = verdict(asked.store, answer, reader=reader)
    sections.in_words(asked, answer, found)
    if answer.measured is None:
        trust.box(answer)
    else:
        with st.expander("What was expected of it before its measurement was read"):
            trust.box(answer)
    if answer.is_linear:
        return
    neighbor_cards.forms(asked, answer)
    if answer.retrieval.rejected:
        neighbor_cards.refused(answer.retrieval.rejected)
    guide.panel(asked, answer)
