"""The one call of the core behind the pages of a question, with neighbours edited by hand."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from lgr_core.answer import LGR_METHOD, Answer, predict, retrieve
from lgr_core.domain import Condition, Retrieval, Selector
from lgr_core.errors import LgrError
from lgr_core.retrieval.by_name import NamedSelector, edited
from pages.shared import evidence_state, guide, links, pieces
from pages.shared.pickers import Asked
from pages.shared.question import joined
from pages.shared.widgets import html
from pages.shared.words import listed, selector_words


class Answered(NamedTuple):
    """A question with its answer; ``base`` is the retrieval before it was edited by hand."""

    asked: Asked
    answer: Answer
    base: Retrieval


def answered(asked: Asked) -> Answered | None:
    """Ask the core; None after a box has said why there is no answer."""
    store, question = asked.store, asked.question
    method = asked.view.get("method", LGR_METHOD)
    if method != LGR_METHOD:
        return _weighted(asked, method)
    where = {
        "cell_line": question.cell_line,
        "drug": question.drug,
        "dose_um": question.dose_um,
    }
    try:
        chosen = guide.choose(asked)
        selector, k = chosen.selector, question.k
        if question.edited:
            base = retrieve(store, **where, selector=selector, k=k)
            selector = _by_hand(asked, base, selector)
            k = max(len(selector.proposals), 1)
        answer = predict(store, **where, selector=selector, k=k)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    notes = (*asked.notes, *chosen.notes, *_edits(asked))
    found = base if question.edited else answer.retrieval
    return Answered(asked._replace(notes=notes), answer, found)


def _weighted(asked: Asked, method: str) -> Answered | None:
    """The answer of a method that weighs everything; an edited set of neighbours is not its own."""
    question = asked.question
    query = Condition(question.cell_line, question.drug, question.dose_um)
    try:
        answer = evidence_state.answer(asked.store, method, query, question.k)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    return Answered(asked, answer, answer.retrieval)


def edit_button(words: str, key: str, **fields: tuple[str, ...]) -> None:
    """A button that sets the dropped and the added neighbours."""
    st.button(words, key=key, on_click=edit, kwargs=fields)


def edit(**fields: tuple[str, ...]) -> None:
    """Set the dropped and the added neighbours, from a button or a box."""
    links.keep({field: joined(names) for field, names in fields.items()})
    links.picked()


def _by_hand(asked: Asked, base: Retrieval, selector: Selector) -> NamedSelector:
    question = asked.question
    proposals = edited(base.neighbors, drop=question.drop, add=question.add)
    provenance = {
        "edited_from": base.selector,
        "dropped": list(question.drop),
        "added": list(question.add),
    }
    return NamedSelector(proposals, evidence=selector.evidence, provenance=provenance)


def _edits(asked: Asked) -> tuple[str, ...]:
    question, words = asked.question, []
    if question.drop:
        words.append(f"without {listed(question.drop)}")
    if question.add:
        words.append(f"with {listed(question.add)} added")
    if not words:
        return ()
    label = selector_words(question.selector).title
    return (f"Edited by hand: the neighbours chosen by {label}, {' and '.join(words)}.",)
