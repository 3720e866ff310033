"""Drugs of the atlas: what is known of each, and how much changes."""

from pages.browse import dose_curves, drug_cards
from pages.shared import browsing, pieces
from pages.shared.widgets import html


def show(chosen: browsing.Chosen) -> None:
    """The table of all, the card of one, and how much changes with it."""
    html(pieces.badge(chosen.store.info(), chosen.store.value_kind.label))
    drug_cards.table(chosen)
    drug_cards.card(chosen)
    drug_cards.effect(chosen)
    dose_curves.show(chosen)


chosen = browsing.choose("drug", "drugs")
if chosen is not None:
    show(chosen)
