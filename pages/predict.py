"""The first page: what would this drug do to this cell line, and who says so."""

from lgr_core.answer import predict
from lgr_core.errors import LgrError
from pages.shared import guide, pieces, sections
from pages.shared.pickers import Asked, ask
from pages.shared.widgets import downloads, html


def show(asked: Asked) -> None:
    """Ask the core once and show what it answers."""
    store, question = asked.store, asked.question
    html(pieces.badge(store.info(), store.value_kind.label))
    try:
        chosen = guide.choose(asked)
        answer = predict(
            store,
            cell_line=question.cell_line,
            drug=question.drug,
            dose_um=question.dose_um,
            selector=chosen.selector,
            k=question.k,
        )
    except LgrError as err:
        html(pieces.error_box(err))
        return
    asked = asked._replace(notes=(*asked.notes, *chosen.notes))
    reference = sections.pool_mean_scores(answer)
    sections.headline(asked, answer, reference)
    sections.neighbors(asked, answer)
    guide.panel(asked, answer)
    sections.changes(asked, answer)
    sections.scores(asked, answer, reference)
    downloads(answer, question)
    sections.provenance(asked, answer)


asked = ask()
if asked is not None:
    show(asked)
