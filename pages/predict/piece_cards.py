"""Neighbours as HTML: rows with what is said beside what is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from pages.shared import pieces


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
