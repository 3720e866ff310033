"""The neighbours of a prediction and their reasons, one by one, and edited by hand."""

from pages.predict import reasons, sections
from pages.shared import pieces
from pages.shared.asking import Answered, answered
from pages.shared.pickers import ask
from pages.shared.widgets import html


def show(view: Answered) -> None:
    """Who is averaged, what is said of each, what each is worth."""
    sections.title(view.asked)
    look = reasons.look(view)
    reasons.headline(view, look)
    reasons.editor(view)
    reasons.rows(view, look)
    reasons.numbers(view, look)


asked = ask(reveal="")
if asked is not None:
    html(pieces.badge(asked.store.info(), asked.store.value_kind.label))
    view = answered(asked)
    if view is not None:
        show(view)
