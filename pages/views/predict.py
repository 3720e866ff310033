"""The first page: what would this drug do to this cell line, and who says so."""

from lgr_core.comparison import verdict
from pages.shared import guide, looks, pieces, sections, taking, tour
from pages.shared.asking import Answered, answered
from pages.shared.pickers import ask
from pages.shared.widgets import html


def show(view: Answered) -> None:
    """Show what the core answers."""
    asked, answer, _ = view
    reference = sections.pool_mean_scores(answer)
    sections.headline(asked, answer, reference, verdict(asked.store, answer))
    sections.neighbors(asked, answer)
    guide.panel(asked, answer)
    figures = looks.show(asked, answer)
    sections.scores(asked, answer, reference)
    taking.downloads(answer, asked.question)
    taking.figure_downloads(figures)
    sections.provenance(asked, answer)


asked = ask(**looks.FIELDS)
if asked is not None:
    html(pieces.badge(asked.store.info(), asked.store.value_kind.label))
    tour.offer(linked=asked.linked)
    view = answered(asked)
    if view is not None:
        show(view)
