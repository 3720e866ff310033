"""Cell lines of the atlas: what is known of each, and how much changes."""

from pages.browse import line_cards
from pages.shared import browsing, pieces
from pages.shared.widgets import html


def show(chosen: browsing.Chosen) -> None:
    """The table of all, the card of one, and how much changes with it."""
    html(pieces.badge(chosen.store.info(), chosen.store.value_kind.label))
    line_cards.table(chosen)
    line_cards.card(chosen)
    line_cards.effect(chosen)


chosen = browsing.choose("cell_line", "lines")
if chosen is not None:
    show(chosen)
