"""What a weighted prediction stands on: every measured condition with its signed weight."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
import streamlit as st

from lgr_core.answer import Answer
from lgr_core.domain import Condition, Term, TermSupport
from pages.shared import pieces
from pages.shared.browsing import download
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import count, share

SHOWN = 6
"""Conditions shown of each term; all are in the table."""

_MEANS = {
    Term.DRUG_OTHER_LINES: "what the drug does in other lines",
    Term.NEIGHBORS_HERE: "what other drugs do here",
    Term.NEIGHBORS_OTHER_LINES: "the same drugs in other lines: subtracted, so that only what is "
    "special about this line is added",
}


def show(asked: Asked, answer: Answer) -> None:
    """The terms side by side, then every condition as a table to search and to take home."""
    said = answer.retrieval.provenance
    why = str(said["why"])
    html(
        pieces.section(
            "What it stands on",
            f"{why[:1].upper()}{why[1:]}. A weight says how much of a measured change is added, or "
            "subtracted where it is negative; all of them make the prediction. Whatever drugs of a "
            "plate share in every line is learned with it, vehicle noise included.",
        )
    )
    if not answer.terms:
        return
    html(term_cards(answer.terms))
    table = weights_table(answer.terms)
    with st.expander(f"All {count(len(table), 'condition')} with their weights"):
        st.dataframe(
            table,
            hide_index=True,
            height=min(420, 35 * (len(table) + 1) + 3),
            column_config={"weight": st.column_config.NumberColumn(format="%+.4f")},
            key="weights",
        )
        download(table, f"weights {asked.question}")


def term_cards(terms: Sequence[TermSupport]) -> str:
    """A card a term: its share of all weights, and its heaviest conditions as bars."""
    most = max(abs(term.conditions[0][1]) for term in terms)
    return f'<div class="lgr-terms">{"".join(_card(term, most) for term in terms)}</div>'


def weights_table(terms: Sequence[TermSupport]) -> pd.DataFrame:
    """Every condition of every term, heaviest first: what it is and its signed weight."""
    rows = [
        (term.term.label, one.drug, one.cell_line, one.dose_um, weight)
        for term in terms
        for one, weight in term.conditions
    ]
    return pd.DataFrame(rows, columns=["term", "drug", "cell line", "dose (µM)", "weight"])


def _card(term: TermSupport, most: float) -> str:
    shown = term.conditions[:SHOWN]
    middle = 50 if any(w > 0 for _, w in shown) and any(w < 0 for _, w in shown) else 0
    rows = "".join(_row(term.term, *one, most, middle) for one in shown)
    more = len(term.conditions) - SHOWN
    rest = f"and {count(more, 'more condition')}" if more > 0 else ""
    label = term.term.label
    n = count(len(term.conditions), "measured change")
    return (
        f'<article class="lgr-term"><h3>{escape(label[:1].upper() + label[1:])}</h3>'
        f'<p class="lgr-words"><b>{share(term.share)}</b> of all weight, {n}: '
        f"{escape(_MEANS[term.term])}</p><ol>{rows}</ol>{pieces.caption(rest) if rest else ''}"
        "</article>"
    )


def _row(term: Term, one: Condition, weight: float, most: float, middle: int) -> str:
    """The name that tells conditions of a term apart, a bar from ``middle`` (%), the weight."""
    named = {
        Term.DRUG_OTHER_LINES: one.cell_line,
        Term.NEIGHBORS_HERE: one.drug,
    }.get(term, f"{one.drug} in {one.cell_line}")
    side = "left" if weight >= 0 or not middle else "right"
    kind = "plus" if weight >= 0 else "minus"
    width = (100 - middle) * abs(weight) / most
    bar = f'<i class="lgr-{kind}" style="{side}:{middle}%;width:{width:.1f}%"></i>'
    zero = f' style="background-position:{middle}%"'
    return f"<li><span>{escape(named)}</span><s{zero}>{bar}</s><b>{weight:+.3f}</b></li>"
