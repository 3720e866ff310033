"""The one call of the core behind the pages of a question, with neighbours edited by hand."""

from __future__ import annotations

from typing import NamedTuple

from lgr_core.answer import LGR_METHOD, Answer, predict, retrieve
from lgr_core.answer.default_change import default_change
from lgr_core.domain import Change, Condition, Retrieval, Selector
from lgr_core.errors import LgrError, NotSeparableError
from lgr_core.retrieval.manual_selector import NamedSelector, with_edits
from pages.shared import evidence_state, guide, links, pieces, state
from pages.shared.pickers import Asked
from pages.shared.question import joined
from pages.shared.widgets import html
from pages.shared.words import listed, selector_words


class Answered(NamedTuple):
    """A question with its answer; ``base`` is the retrieval before it was edited by hand.

    ``why_total`` says why the answer is of the total change where the specific one has no meaning.
    """

    asked: Asked
    answer: Answer
    base: Retrieval
    why_total: str | None = None


def answered(asked: Asked) -> Answered | None:
    """Ask the core; None after a box has said why there is no answer."""
    try:
        return answer(asked)
    except LgrError as err:
        html(pieces.error_box(err))
        return None


def answer(asked: Asked) -> Answered:
    """Ask the core by the method that the view names, else by neighbours.

    A page with a switch between the changes shows the specific one unless the total one is wished
    for, or is all that has a meaning; a page without one shows the total change.

    Raises
    ------
    LgrError
        If there is no answer; the message says what to do.
    """
    wished = asked.view.get("change")
    if wished is None:
        return _of_change(asked, Change.TOTAL)
    question, labels = asked.question, state.reader(asked.store).labels
    query = Condition(question.cell_line, question.drug, question.dose_um)
    change, why = default_change(asked.store, query, labels)
    if change is Change.TOTAL or wished == Change.TOTAL:
        return _of_change(asked, Change.TOTAL)._replace(why_total=why)
    try:
        return _of_change(asked, change)
    except NotSeparableError as err:  # none of its neighbours can be separated from its plate
        return _of_change(asked, Change.TOTAL)._replace(why_total=err.found)


def _of_change(asked: Asked, change: Change) -> Answered:
    method = asked.view.get("method", LGR_METHOD)
    if method == LGR_METHOD:
        return _averaged(asked, change)
    return _weighted(asked, method, change)


def _averaged(asked: Asked, change: Change) -> Answered:
    """The mean of the chosen neighbours, or of those that were edited by hand."""
    store, question = asked.store, asked.question
    where = {
        "cell_line": question.cell_line,
        "drug": question.drug,
        "dose_um": question.dose_um,
    }
    read = {"reader": state.reader(store, change)}
    of = {**read, "change": change}
    chosen = guide.choose(asked)
    how = {"selector": chosen.selector, "k": question.k, "one_per_parent": question.once}
    asked = asked._replace(notes=(*asked.notes, *chosen.notes, *_edits(asked)))
    if not question.edited:
        found = predict(store, **where, **how, **of)
        return Answered(asked, found, found.retrieval)
    base = retrieve(store, **where, **how, **read)
    selector = _by_hand(asked, base, chosen.selector)
    found = predict(store, **where, **of, selector=selector, k=max(len(selector.proposals), 1))
    return Answered(asked, found, base)


def _weighted(asked: Asked, method: str, change: Change) -> Answered:
    """The answer of a method that weighs everything; an edited set of neighbours is not its own."""
    question = asked.question
    query = Condition(question.cell_line, question.drug, question.dose_um)
    found = evidence_state.answer(asked.store, method, query, question.k, change)
    return Answered(asked, found, found.retrieval)


def edit(**fields: tuple[str, ...]) -> None:
    """Set the dropped and the added neighbours, from a button or a box."""
    links.keep({field: joined(names) for field, names in fields.items()})
    links.picked()


def count_once(*, once: bool) -> None:
    """Count forms of one compound among the neighbours once, or each, from a button."""
    links.keep({"once": "1" if once else ""})
    links.picked()


def _by_hand(asked: Asked, base: Retrieval, selector: Selector) -> NamedSelector:
    question = asked.question
    proposals = with_edits(base.neighbors, drop=question.drop, add=question.add)
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
