"""The first page: what would this drug do to this cell line, and who says so."""

from lgr_core.answer import LGR_METHOD
from lgr_core.answer.baselines import verdict
from pages.predict import fit, looks, neighbor_cards, sections, taking, terms
from pages.shared import evidence_state, guide, pieces, state, tour, trust
from pages.shared.asking import Answered, answered
from pages.shared.pickers import ask
from pages.shared.widgets import html


def show(view: Answered) -> None:
    """Show what the core answers, and what it stands on."""
    asked = view.asked
    answer = evidence_state.told(asked.store, view.answer)
    reference = sections.pool_mean_scores(answer)
    if answer.is_linear:
        sections.headline(asked, answer, reference, None)
        trust.box(answer)
        terms.show(asked, answer)
    else:
        reader = state.reader(asked.store)
        found = verdict(asked.store, answer, reader=reader)
        sections.headline(asked, answer, reference, found)
        trust.box(answer)
        neighbor_cards.neighbors(asked, answer)
        guide.panel(asked, answer)
    figures = looks.show(asked, answer)
    fit.scores(asked, answer, reference)
    taking.downloads(answer, asked.question)
    taking.figure_downloads(figures)
    fit.provenance(asked, answer)


asked = ask(method=LGR_METHOD, **looks.FIELDS)
if asked is not None:
    html(pieces.badge(asked.store.info(), asked.store.value_kind.label))
    tour.offer(linked=asked.linked)
    view = answered(asked)
    if view is not None:
        show(view)
