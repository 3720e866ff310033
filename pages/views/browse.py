"""Drugs and cell lines of an atlas, their map, and what to test next."""

from pages.browse import drug_cards, line_cards, map_tab, plan_tab
from pages.browse.browsed import Browsed, ask, tabs
from pages.shared import pieces
from pages.shared.widgets import html

SHOW = {
    "drugs": drug_cards.show,
    "cell_lines": line_cards.show,
    "map": map_tab.show,
    "plan": plan_tab.show,
}


def show(browsed: Browsed) -> None:
    """Where the numbers come from, and the tab that the link names."""
    html(pieces.badge(browsed.store.info(), browsed.store.value_kind.label, brief=True))
    with tabs(browsed):
        SHOW[browsed.show](browsed)


browsed = ask()
if browsed is not None:
    show(browsed)
