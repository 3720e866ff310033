"""The look *Reasons*: who is averaged, what is said of each, what each is worth."""

from __future__ import annotations

from pages.predict import reasons, terms
from pages.shared.asking import Answered


def show(view: Answered) -> None:
    """The neighbours one by one; of a weighted sum its conditions, which nobody chose."""
    if view.answer.is_linear:
        terms.show(view.asked, view.answer)
        return
    look = reasons.look(view)
    reasons.headline(view, look)
    reasons.editor(view)
    reasons.rows(view, look)
    reasons.numbers(view, look)
