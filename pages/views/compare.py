"""Predicted against measured: whether it was right, and whether others do better."""

from pages.predict import comparing, sections
from pages.shared import pieces
from pages.shared.asking import Answered, answered
from pages.shared.pickers import ask
from pages.shared.widgets import html


def show(view: Answered) -> None:
    """The prediction beside its rivals, or where it could be measured."""
    sections.title(view.asked)
    contest = comparing.contest(view)
    if contest is None:
        comparing.unmeasured(view)
        return
    comparing.headline(contest)
    strips = comparing.strips(contest)
    figures = {**comparing.side_by_side(contest), "Strips": strips}
    comparing.strongest_genes(contest)
    comparing.table(contest)
    comparing.take_home(contest, figures)


asked = ask(rival="pool_mean")
if asked is not None:
    html(pieces.badge(asked.store.info(), asked.store.value_kind.label))
    view = answered(asked)
    if view is not None:
        show(view)
