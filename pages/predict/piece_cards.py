"""Neighbours as HTML: cards side by side, or rows with what is said beside what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from pages.shared import pieces
from pages.shared.words import count, dose_words


@dataclass(frozen=True, slots=True)
class Card:
    """What is shown of one neighbour; ``None`` or empty where it is not known."""

    rank: int
    drug: str
    rationale: str
    mechanism: str
    picture: str | None
    dose_um: float | None
    n_cells: int | None = None
    n_plates: int | None = None
    score: float | None = None
    twin_of: str | None = None
    underpowered: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What is said of one neighbour and what the data say, side by side.

    ``annotated`` are labels with values; ``against`` names what the reason claims and the
    annotation does not bear out; ``claims`` are all that could be read from it, each with its
    verdict. ``facts`` are short words, ``revealed`` those that only the truth
    tells.
    """

    rank: int
    drug: str
    picture: str | None
    reason: str
    annotated: Sequence[tuple[str, str]]
    facts: Sequence[str]
    revealed: Sequence[str] = ()
    against: str = ""
    claims: Sequence[str] = ()
    twin_of: str | None = None
    stated: Sequence[tuple[str, str]] = ()


def card_grid(neighbors: Iterable[Card]) -> str:
    """The neighbours as a grid of cards."""
    return f'<div class="lgr-cards">{"".join(_card(card) for card in neighbors)}</div>'


def _card(card: Card) -> str:
    name = escape(card.drug)
    none = '<span class="lgr-none">no structure known</span>'
    image = pieces.image(card.picture, card.drug) if card.picture else none
    twin = (
        f'<p class="lgr-twin">same compound as {escape(card.twin_of)}</p>' if card.twin_of else ""
    )
    few = '<span class="lgr-few">few cells</span>' if card.underpowered else ""
    facts = [dose_words(card.dose_um)]
    facts += [count(card.n_cells, "cell")] if card.n_cells is not None else []
    facts += [count(card.n_plates, "plate")] if card.n_plates is not None else []
    facts += [f"score {card.score:.2f}"] if card.score is not None else []
    return (
        '<article class="lgr-card">'
        f'<header><span class="lgr-rank">{card.rank}</span><h3>{name}</h3></header>'
        f'<div class="lgr-structure">{image}</div>'
        f'<p class="lgr-mechanism">{escape(card.mechanism or "mechanism not known")}</p>'
        f'<p class="lgr-reason">{escape(card.rationale)}</p>{twin}'
        f"<footer>{pieces.spans([escape(fact) for fact in facts])}{few}</footer></article>"
    )


def row_list(neighbors: Iterable[Row]) -> str:
    """The neighbours one below the other, each reason beside what is known of the drug."""
    return f'<div class="lgr-rows">{"".join(_row(row) for row in neighbors)}</div>'


def _row(row: Row) -> str:
    none = '<span class="lgr-none">no structure known</span>'
    image = pieces.image(row.picture, row.drug) if row.picture else none
    twin = f'<p class="lgr-twin">same compound as {escape(row.twin_of)}</p>' if row.twin_of else ""
    against = (
        f'<p class="lgr-against">The reason speaks of {escape(row.against)}: the annotation does '
        "not.</p>"
        if row.against
        else ""
    )
    checked = "".join(f"<li>{escape(claim)}</li>" for claim in row.claims)
    claims = f'<ul class="lgr-claims">{checked}</ul>' if checked else ""
    pairs, stated = _pairs(row.annotated), _pairs(row.stated)
    fields = f"<dl>{stated}</dl>" if stated else ""
    told = pieces.spans(escape(fact) for fact in row.facts)
    truth = "".join(f'<span class="lgr-truth">{escape(words)}</span>' for words in row.revealed)
    return (
        '<article class="lgr-row">'
        f'<header><span class="lgr-rank">{row.rank}</span><h3>{escape(row.drug)}</h3></header>'
        f'<div class="lgr-structure">{image}</div>'
        f'<div class="lgr-said"><h4>Reason given</h4><p class="lgr-reason">'
        f"{escape(row.reason) or 'none'}</p>{fields}{claims}{against}{twin}</div>"
        f'<div class="lgr-known"><h4>What is annotated</h4><dl>{pairs}</dl></div>'
        f"<footer>{told}{truth}</footer></article>"
    )


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Labels and values as the items of a description list."""
    return "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in pairs
    )
