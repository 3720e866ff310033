"""Which drugs mimic or reverse a signature."""

from lgr_core.errors import LgrError
from lgr_core.signatures.search import find_drugs
from pages.find import finding, gene_boxes, headline, hits, signatures
from pages.find.finding import Wanted
from pages.shared import change_state, pieces
from pages.shared.widgets import html


def show(wanted: Wanted) -> None:
    """Search once and show what was found."""
    store = wanted.store
    html(pieces.badge(store.info(), store.value_kind.label, brief=True))
    if wanted.source == "genes":
        gene_boxes.boxes(wanted)
        if not (wanted.up or wanted.down):
            gene_boxes.empty()
            return
    try:
        signature, notes = signatures.signature(wanted)
        view = wanted.searched.view
        library = change_state.library(store, view, wanted.cell_line, wanted.at)
    except LgrError as err:
        headline.unanswered(wanted, err)
        gene_boxes.readings(wanted)
        return
    found = find_drugs(store, signature, library, reverse=wanted.reverse)
    headline.show(wanted, found)
    gene_boxes.readings(wanted)
    hits.ranking(wanted, found)
    hits.drugs(wanted, found, signatures.measured_scores(wanted, library))
    hits.conditions(wanted, found)
    hits.provenance(wanted, found, notes)


wanted = finding.ask()
if wanted is not None:
    show(wanted)
