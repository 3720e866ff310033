"""Which drugs mimic or reverse a signature."""

from lgr_core.errors import LgrError
from lgr_core.signatures.search import find_drugs
from pages.find import finding, hits
from pages.find.finding import Wanted
from pages.shared import pieces, state
from pages.shared.widgets import html


def show(wanted: Wanted) -> None:
    """Search once and show what was found."""
    store = wanted.store
    html(pieces.badge(store.info(), store.value_kind.label))
    finding.gene_boxes(wanted)
    if wanted.source == "genes" and not (wanted.up or wanted.down):
        html(pieces.title("Find drugs by genes") + pieces.lead([finding.PASTE]))
        finding.example_button()
        return
    hits.genes_read(wanted)
    try:
        signature, notes = finding.signature(wanted)
        library = state.library(store, wanted.cell_line, wanted.at)
    except LgrError as err:
        html(pieces.error_box(err))
        return
    found = find_drugs(store, signature, library, reverse=wanted.reverse)
    hits.headline(wanted, found, notes)
    hits.ranking(wanted, found)
    hits.drugs(wanted, found)
    hits.conditions(wanted, found)
    hits.provenance(wanted, found)


wanted = finding.ask()
if wanted is not None:
    show(wanted)
