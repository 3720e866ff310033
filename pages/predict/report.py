"""A question with its answer as one HTML file that needs nothing else: to send, print or keep."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from pages.predict import fit, terms
from pages.predict.head import facts, verdict_line
from pages.predict.picks import chosen_by, picks_table
from pages.predict.recipes import methods_paragraph
from pages.predict.sections import answer_sentence
from pages.predict.verdict import verdict_of
from pages.shared import pieces
from pages.shared.asking import Answered
from pages.shared.trust import trust_box
from pages.shared.widgets import STYLE
from pages.shared.words import dose_words

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_OWN_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#ffffff, #12181d); font-family: system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.2rem; }
main > * { margin-bottom: .8rem; }
.lgr-picks summary { white-space: normal; }
"""


def report_html(view: Answered, figures: Mapping[str, Figure], link: str) -> bytes:
    """The report: verdict, genes, reasons with their checks, and how it was made.

    ``figures`` are drawn one below the other; ``link`` is the address that asks the question.
    """
    question = view.asked.question
    title = f"{question.drug} in {question.cell_line}, {dose_words(question.dose_um)}"
    parts = [
        f'<p class="lgr-purpose"><b>LGR Explorer</b> {escape(_what(view))}</p>',
        pieces.title(title),
        verdict_line(verdict_of(facts(view))),
        pieces.lead([answer_sentence(view.answer)]),
        *_drawn(figures),
        _reasons(view),
        trust_box(view.answer),
        pieces.section("How it was made"),
        pieces.facts([*fit.provenance_facts(view.answer), ("link", link)]),
        pieces.section("In words, for a methods section"),
        f"<p>{escape(methods_paragraph(view.asked, view.answer))}</p>",
    ]
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}{_OWN_STYLE}</style></head>"
        f'<body class="stApp"><main class="stHtml">{"".join(parts)}</main></body></html>'
    ).encode()


def _what(view: Answered) -> str:
    """Which numbers these are: of which change, predicted alone or measured as well."""
    known = "predicted" if view.answer.measured is None else "predicted, also measured"
    return f"The {view.answer.change} change, {known}; {view.asked.store.value_kind.label}."


def _drawn(figures: Mapping[str, Figure]) -> list[str]:
    """The figures as HTML; the first brings the program that draws all."""
    return [
        pieces.section(name)
        + figure.to_html(
            full_html=False, include_plotlyjs=place == 0, config={"displaylogo": False}
        )
        for place, (name, figure) in enumerate(figures.items())
    ]


def _reasons(view: Answered) -> str:
    answer = view.answer
    if answer.is_linear:
        return pieces.section("What it stands on") + terms.term_cards(answer.terms)
    table = picks_table(view)
    if not table:
        return ""
    return pieces.section("Reasons", chosen_by(answer.retrieval)) + table.replace(
        "<details>", "<details open>"
    )
