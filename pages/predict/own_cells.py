"""What a drug does to a visitor's own cells, which nobody has treated: genes, reasons, trust."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.answer.new_line import NewLineAnswer, predict_new_line, with_line_trust
from lgr_core.domain import Change, Selector
from lgr_core.errors import LgrError, NotFoundError, NotSeparableError
from lgr_core.figures import intervals
from lgr_core.figures import prediction as figures
from lgr_core.prediction.profile_ridge import LineBasis
from lgr_core.retrieval.selectors import MechanismSelector
from pages.predict import own_cells_form
from pages.predict.neighbor_cards import picture
from pages.predict.own_cells_form import OwnCells
from pages.shared import browsing, guide, pieces, state
from pages.shared.charts import chart
from pages.shared.pickers import Asked
from pages.shared.trust import expected_words, light_box
from pages.shared.widgets import html
from pages.shared.words import count, selector_words

_TOP = 8
_NEAREST = 5
_REASONS = 10


def show(asked: Asked) -> bool:
    """The box in the side bar and, where cells of one's own are asked for, the answer for them."""
    own_cells_form.draw(asked.store)
    own = own_cells_form.active(asked.store)
    if own is None:
        return False
    st.button(
        "Back to the atlas’s lines",  # noqa: RUF001 - typographic in all words of the pages
        key="own_leave",
        icon=":material/arrow_back:",
        on_click=own_cells_form.leave,
    )
    try:
        answer = _answer(asked, own)
    except LgrError as err:
        html(pieces.error_box(err))
        return True
    _head(asked, answer)
    trust = st.empty()  # filled last: the atlas's lines may have to be held out first
    genes, reasons = st.columns([9, 11], gap="medium")
    with genes:
        _genes(asked, answer)
    with reasons:
        _reasons(answer)
    _likeness(own, answer)
    browsing.download(answer.table(), f"{answer.drug} in {own.line.name}")
    with trust:
        html(_trust(_learned_trust(asked, answer)))
    return True


def _answer(asked: Asked, own: OwnCells) -> NewLineAnswer:
    """By the selector that answers in the atlas's line, else by mechanisms.

    A language model's answers may be recorded for that line and not for those most like the cells.
    """
    chosen = guide.choose(asked).selector
    try:
        return _of_change(asked, own, chosen)
    except NotFoundError:
        return _of_change(asked, own, state.selector(MechanismSelector.name, asked.store))


def _of_change(asked: Asked, own: OwnCells, selector: Selector) -> NewLineAnswer:
    """The specific change where plates are known and the drug has one; else the total change."""
    store, question = asked.store, asked.question
    ask = partial(
        predict_new_line,
        store,
        line=own.line,
        drug=question.drug,
        dose_um=question.dose_um if _measured(asked) else None,
        selector=selector,
        k=question.k,
    )
    wished = asked.view.get("change") != Change.TOTAL and not store.named_plates.empty
    if wished:
        try:
            found = ask(change=Change.SPECIFIC)
        except NotSeparableError:
            return ask(change=Change.TOTAL)
        if np.isfinite(found.delta).all():
            return found
    return ask(change=Change.TOTAL)


def _measured(asked: Asked) -> bool:
    """Whether the drug was measured at the question's dose in any line."""
    return asked.question.drug in asked.store.drugs_at(asked.question.dose_um)


def _head(asked: Asked, answer: NewLineAnswer) -> None:
    store = asked.store
    html(
        pieces.headline(
            answer.drug,
            answer.line.name,
            answer.dose_um,
            mechanism=state.mechanisms(store)[answer.drug],
            picture=picture(store, answer.drug),
            known="predicted, your own cells",
        )
    )


def _learned_trust(asked: Asked, answer: NewLineAnswer) -> NewLineAnswer:
    """The answer with its trust; the atlas's lines are held out once for all visitors."""
    basis = answer.shift.basis
    if basis is LineBasis.NOTHING:
        return answer
    change = Change(answer.provenance["change"])
    held_out = state.held_out_lines(asked.store, change, answer.dose_um, basis)
    return with_line_trust(asked.store, answer, held_out)


def _trust(answer: NewLineAnswer) -> str:
    """The light, what is expected, and why, as HTML."""
    trust = answer.trust
    if trust is None:
        words = "Trust: not known. Nothing of your cells tells them from the lines of this atlas."
        return pieces.notes([words])
    said = "Too far from every line of this atlas" if answer.too_far else ""
    if np.isfinite(trust.expected):
        said = expected_words(trust.expected, trust.low, trust.high)
    return light_box(trust.light, said, trust.reasons)


def _genes(asked: Asked, answer: NewLineAnswer) -> None:
    kind = "Specific" if answer.provenance["change"] == Change.SPECIFIC else "Total"
    words = f"{kind} change. {answer.shift.basis.label.capitalize()}."
    html(pieces.section("Genes up and down", words))
    order = np.argsort(-answer.delta, kind="stable")
    rows = np.concatenate([order[:_TOP], order[-_TOP:]])
    figure = figures.top_genes(
        answer.genes[rows],
        answer.delta[rows],
        np.empty((0, len(rows))),
        [],
        kind=asked.store.value_kind,
    )
    intervals.name_bars(figure, "predicted change")
    if answer.too_far:
        intervals.grey_all(figure)
    chart(figure, "own_genes", f"Genes that {answer.drug} is predicted to change most.")


def _reasons(answer: NewLineAnswer) -> None:
    """The neighbours of the lines most alike: in how many each is ranked, and why."""
    lines = len(answer.retrievals)
    if not lines:
        none = "No line is known to be like your cells: the drug’s mean stands alone."  # noqa: RUF001
        html(pieces.section("Reasons") + pieces.caption(none))
        return
    whose = selector_words(next(iter(answer.retrievals.values())).selector).title
    html(
        pieces.section(
            "Reasons",
            f"Chosen by {whose} for {count(lines, 'line')} most like your cells.",
        )
    )
    st.dataframe(
        reasons_table(answer).head(_REASONS), hide_index=True, key="own_reasons", width="stretch"
    )


def reasons_table(answer: NewLineAnswer) -> pd.DataFrame:
    """One row a neighbour: its mean rank, the lines in which it is one, and the first reason."""
    rows = [
        (one.drug, one.rank, line, one.rationale or "")
        for line, retrieval in answer.retrievals.items()
        for one in retrieval.neighbors
    ]
    every = pd.DataFrame(rows, columns=["measured drug", "rank", "line", "why it is like it"])
    of_drug = every.groupby("measured drug", sort=False)
    table = of_drug.agg(
        **{
            "lines": ("line", "nunique"),
            "rank": ("rank", "mean"),
            "why it is like it": ("why it is like it", "first"),
        }
    ).reset_index()
    order = table.sort_values(["lines", "rank"], ascending=[False, True], kind="stable")
    return order[["measured drug", "why it is like it", "lines", "rank"]].round({"rank": 1})


def _likeness(own: OwnCells, answer: NewLineAnswer) -> None:
    """Which lines the cells resemble, and what they weigh."""
    matched = f"{own.n_matched:,} of {own.n_genes:,} genes match ({own.units})."
    html(pieces.section("Lines like your cells", matched if own.n_genes else ""))
    weights = dict(answer.leans_on)
    near = answer.distance
    if near is not None:
        table = pd.DataFrame(
            {
                "cell line": near.lines,
                "distance": near.distances,
                "Pearson r": near.correlations,
                "weight": [weights.get(name, 0.0) for name in near.lines],
            }
        ).head(_NEAREST)
        words = f"The atlas’s lines are at most {near.limit:.2f} from their nearest other."  # noqa: RUF001
        html(pieces.caption(words))
    elif answer.shift.basis is LineBasis.NOTHING:
        html(pieces.caption("Nothing known of your cells can be compared with enough lines."))
        return
    else:
        table = pd.DataFrame(answer.leans_on, columns=["cell line", "weight"]).head(_NEAREST)
    formats = dict.fromkeys(["distance", "Pearson r", "weight"], browsing.SCORE)
    st.dataframe(table, hide_index=True, key="own_lines", column_config=formats)
    html(pieces.notes(answer.notes))
