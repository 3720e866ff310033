"""The neighbours of a prediction as a compact table: rank, drug, why, claims checked, weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from lgr_core.answer import Answer
from lgr_core.audit.claims import ClaimKind
from lgr_core.audit.verdicts import CheckedClaim, Verdict
from lgr_core.domain import Retrieval
from pages.predict.neighbor_cards import Card, cards
from pages.predict.reason_claims import claims_of
from pages.shared import pieces
from pages.shared.asking import Answered
from pages.shared.words import count, dose_words, selector_words


@dataclass(frozen=True, slots=True)
class Marks:
    """How many claims of a reason were supported, and how many contradicted."""

    supported: int
    contradicted: int

    @classmethod
    def of(cls, claims: Sequence[CheckedClaim], query: str) -> Marks:
        """The marks of checked claims, but for those on the query's own change."""
        seen = [
            one.verdict
            for one in claims
            if not (one.claim.kind is ClaimKind.DIRECTION and one.claim.subject == query)
        ]
        return cls(seen.count(Verdict.SUPPORTED), seen.count(Verdict.CONTRADICTED))


def picks_table(view: Answered) -> str:
    """The table as HTML, best neighbour first; empty without neighbours."""
    answer = view.answer
    retrieval = answer.retrieval
    if not retrieval.neighbors:
        return ""
    weights = shown_weights(answer)
    rows = "".join(
        _row(card, weight, Marks.of(claims_of(view, neighbor), retrieval.query.drug))
        for card, weight, neighbor in zip(
            cards(view.asked.store, answer), weights, retrieval.neighbors, strict=True
        )
    )
    head = (
        "<th>#</th><th>Measured drug</th><th>Why it is like it</th>"
        '<th title="claims of the reason that the annotation bears out or contradicts">Checked</th>'
        "<th>Weight</th>"
    )
    return (
        '<div class="lgr-picks"><table><thead><tr>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def chosen_by(retrieval: Retrieval) -> str:
    """Who chose the neighbours."""
    return f"Chosen by {selector_words(retrieval.selector).title}."


def shown_weights(answer: Answer) -> list[float | None]:
    """The part of each neighbour in the prediction; None of one that has no specific change.

    Such a neighbour is in no sum: the weights of the others are those that they had, over their
    sum.
    """
    weights = answer.prediction.weights
    known = np.isfinite(answer.neighbor_deltas).all(axis=1)
    if answer.is_linear or known.all():
        return list(weights)
    total = sum(weight for weight, here in zip(weights, known, strict=True) if here)
    return [weight / total if here else None for weight, here in zip(weights, known, strict=True)]


def _row(card: Card, weight: float | None, marks: Marks) -> str:
    few = '<span class="lgr-few">few cells</span>' if card.underpowered else ""
    twin = (
        f'<p class="lgr-twin">same compound as {escape(card.twin_of)}</p>' if card.twin_of else ""
    )
    known = [card.mechanism or "mechanism not known", dose_words(card.dose_um)]
    known += [count(card.n_cells, "cell")] if card.n_cells is not None else []
    known += [count(card.n_plates, "plate")] if card.n_plates is not None else []
    known += [f"score {card.score:.2f}"] if card.score is not None else []
    more = pieces.spans(escape(part) for part in known)
    why = escape(card.rationale) or escape(card.mechanism) or "no reason given"
    return (
        f'<tr class="lgr-pick"><td><span class="lgr-rank">{card.rank}</span></td>'
        f'<th scope="row">{escape(card.drug)}</th>'
        f"<td><details><summary>{why}</summary>{twin}"
        f'<p class="lgr-more">{more}{few}</p></details></td>'
        f"<td>{_marks(marks)}</td><td>{_weight(weight)}</td></tr>"
    )


def _marks(marks: Marks) -> str:
    """The marks; nothing where no claim could be checked."""
    shown = (
        ("good", "✓", marks.supported, "borne out"),
        ("poor", "✗", marks.contradicted, "contradicted"),
    )
    return "".join(
        f'<span class="lgr-mark lgr-{kind}" title="{count(n, "claim")} {words}">{sign} {n}</span>'
        for kind, sign, n, words in shown
        if n
    )


def _weight(weight: float | None) -> str:
    if weight is None:
        return '<span title="it cannot be separated from its plate">none</span>'
    return f"{weight:+.3f}" if weight < 0 else f"{weight:.2f}"
