"""Pieces of a page as HTML. Whatever comes from an atlas, a model or a link is escaped here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from lgr_core.domain import Rejected
from lgr_core.errors import LgrError
from lgr_core.metrics import METRICS, Direction, Metric
from pages.shared.words import METRIC_WORDS, REASON_WORDS, count, dose_words, listed

SIMULATED = "Simulated data – not a measurement"  # noqa: RUF001 - a dash between clauses

_LONGEST = 600


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
    annotation does not bear out. ``facts`` are short words, ``revealed`` those that only the truth
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
    twin_of: str | None = None


def badge(info: Mapping[str, object], label: str) -> str:
    """Where the numbers come from: simulated or real, what they are, and how many."""
    kind = (
        f'<span class="lgr-tag lgr-simulated">{SIMULATED}</span>'
        if info["simulated"]
        else '<span class="lgr-tag lgr-real">Measured data</span>'
    )
    lines, drugs = count(len(info["cell_lines"]), "line"), count(len(info["drugs"]), "drug")
    facts = [
        f"<b>{escape(str(info['name']))}</b>",
        escape(label),
        f"{count(info['n_conditions'], 'condition')} of {lines} and {drugs}",
    ]
    return f'<div class="lgr-badge">{kind}{_spans(facts)}</div>'


def headline(
    drug: str, cell_line: str, dose_um: float | None, *, mechanism: str, picture: str | None
) -> str:
    """The question as the page's title, with the drug's structure."""
    dose = f'<span class="lgr-dose">{escape(dose_words(dose_um))}</span>'
    name = f'{escape(drug)} <span class="lgr-in">in</span> {escape(cell_line)} {dose}'
    return _with_picture(name, drug, mechanism, picture)


def drug_title(drug: str, mechanism: str, picture: str | None) -> str:
    """A drug as the title of its card, with its structure."""
    return _with_picture(escape(drug), drug, mechanism, picture, on_phones=True)


def _with_picture(
    name: str, drug: str, mechanism: str, picture: str | None, *, on_phones: bool = False
) -> str:
    under = f'<p class="lgr-mechanism">{escape(mechanism)}</p>' if mechanism else ""
    kind = "lgr-drug lgr-on-phones" if on_phones else "lgr-drug"
    image = f'<div class="{kind}">{_image(picture, drug)}</div>' if picture else ""
    return f'{image}<h1 class="lgr-title">{name}</h1>{under}'


def title(words: str) -> str:
    """A page's title in plain words."""
    return f'<h1 class="lgr-title">{escape(words)}</h1>'


def lead(sentences: Iterable[str]) -> str:
    """The answer in sentences that are HTML already; see :func:`genes`."""
    return "".join(f'<p class="lgr-lead">{sentence}</p>' for sentence in sentences)


def genes(names: Sequence[str], way: str) -> str:
    """Genes in a sentence, coloured by the way they go: ``up`` or ``down``."""
    return f'<b class="lgr-{way}">{escape(listed(names))}</b>' if names else "no gene"


def strong(words: str) -> str:
    """Plain words in a sentence, set off."""
    return f"<b>{escape(words)}</b>"


def section(title: str, words: str = "") -> str:
    """A heading and the line under it."""
    under = f'<p class="lgr-under">{escape(words)}</p>' if words else ""
    return f'<h2 class="lgr-section">{escape(title)}</h2>{under}'


def cards(neighbors: Iterable[Card]) -> str:
    """The neighbours as a grid of cards."""
    return f'<div class="lgr-cards">{"".join(_card(card) for card in neighbors)}</div>'


def _card(card: Card) -> str:
    name = escape(card.drug)
    none = '<span class="lgr-none">no structure known</span>'
    image = _image(card.picture, card.drug) if card.picture else none
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
        f"<footer>{_spans([escape(fact) for fact in facts])}{few}</footer></article>"
    )


def rows(neighbors: Iterable[Row]) -> str:
    """The neighbours one below the other, each reason beside what is known of the drug."""
    return f'<div class="lgr-rows">{"".join(_row(row) for row in neighbors)}</div>'


def _row(row: Row) -> str:
    none = '<span class="lgr-none">no structure known</span>'
    image = _image(row.picture, row.drug) if row.picture else none
    twin = f'<p class="lgr-twin">same compound as {escape(row.twin_of)}</p>' if row.twin_of else ""
    against = (
        f'<p class="lgr-against">The reason speaks of {escape(row.against)}: the annotation does '
        "not.</p>"
        if row.against
        else ""
    )
    pairs = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>"
        for label, value in row.annotated
    )
    told = _spans(escape(fact) for fact in row.facts)
    truth = "".join(f'<span class="lgr-truth">{escape(words)}</span>' for words in row.revealed)
    return (
        '<article class="lgr-row">'
        f'<header><span class="lgr-rank">{row.rank}</span><h3>{escape(row.drug)}</h3></header>'
        f'<div class="lgr-structure">{image}</div>'
        f'<div class="lgr-said"><h4>Reason given</h4><p class="lgr-reason">'
        f"{escape(row.reason) or 'none'}</p>{against}{twin}</div>"
        f'<div class="lgr-known"><h4>What is annotated</h4><dl>{pairs}</dl></div>'
        f"<footer>{told}{truth}</footer></article>"
    )


def bar(parts: Sequence[tuple[str, int, str]]) -> str:
    """Counts as one bar of coloured parts: words, number and the kind (``right``, ``wrong`` …)."""
    total = sum(n for _, n, _ in parts) or 1
    cells = "".join(
        f'<span class="lgr-part lgr-{kind}" style="width:{100 * n / total:.1f}%"></span>'
        for _, n, kind in parts
        if n
    )
    words = "".join(
        f'<li><i class="lgr-dot lgr-{kind}"></i>{escape(words)}: <b>{n}</b></li>'
        for words, n, kind in parts
    )
    return f'<div class="lgr-bar">{cells}</div><ul class="lgr-key">{words}</ul>'


def metric_table(
    scores: Mapping[str, float], reference: Mapping[str, float], names: Iterable[str], unit: str
) -> str:
    """Metrics of the prediction beside those of the pool mean; the better of the two is bold.

    ``unit`` stands beside every metric that depends on the scale of the data.
    """
    rows = "".join(
        _metric_row(METRICS[name], scores[name], reference.get(name, math.nan), unit)
        for name in names
        if name in scores
    )
    head = "<th>metric</th><th>this prediction</th><th>pool mean</th><th>best</th>"
    return f'<table class="lgr-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _metric_row(metric: Metric, score: float, reference: float, unit: str) -> str:
    words = METRIC_WORDS.get(metric.id, metric.formula)
    words += f" Depends on the scale: {unit}." if metric.scale_dependent else ""
    better = _better(metric, score, reference)
    ours = f"<b>{_number(score)}</b>" if better > 0 else _number(score)
    theirs = f"<b>{_number(reference)}</b>" if better < 0 else _number(reference)
    return (
        f'<tr><td>{escape(metric.label)}<span class="lgr-words">{escape(words)}</span></td>'
        f"<td>{ours}</td><td>{theirs}</td><td>{metric.best:g}</td></tr>"
    )


def _better(metric: Metric, score: float, reference: float) -> int:
    """1 if the score is better than the reference, -1 if worse, 0 if neither can be said."""
    if metric.direction is Direction.NEAREST:
        score, reference = -abs(score - metric.best), -abs(reference - metric.best)
    elif metric.direction is Direction.LOWER:
        score, reference = -score, -reference
    return (score > reference) - (score < reference)


def _number(value: float) -> str:
    return (
        f"{value:.3f}"
        if math.isfinite(value)
        else '<span class="lgr-none" title="its formula divides by zero here">undefined</span>'
    )


def mechanism_table(rows: Iterable[tuple[str, int, float, float, float, str]]) -> str:
    """Mechanisms with their compounds: label, n, chance of ranking above others, p, FDR, drugs."""
    head = "<th>mechanism</th><th>compounds</th><th>ranks above others</th><th>p</th><th>FDR</th>"
    body = "".join(
        f'<tr><td>{escape(label)}<span class="lgr-words">{escape(drugs)}</span></td>'
        f"<td>{n}</td><td>{chance:.0%}</td><td>{p:.2g}</td><td>{fdr:.2g}</td></tr>"
        for label, n, chance, p, fdr, drugs in rows
    )
    return f'<table class="lgr-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def rejected(proposals: Iterable[Rejected]) -> str:
    """What was proposed and not believed, and why."""
    return facts((proposal.text, _why(proposal)) for proposal in proposals)


def _why(proposal: Rejected) -> str:
    """The reason, and a name that was perhaps meant: a hint, never taken for the answer."""
    words = REASON_WORDS.get(proposal.reason, str(proposal.reason))
    return words if proposal.suggestion is None else f"{words}; perhaps {proposal.suggestion}?"


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values as a table of two columns."""
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in pairs)
    return f'<table class="lgr-table lgr-facts"><tbody>{rows}</tbody></table>'


def plain(value: object) -> str:
    """A stored value as text: lists by comma, records as JSON, empty ones as a word."""
    if isinstance(value, list | tuple) and not any(isinstance(v, dict) for v in value):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return "none" if value is None else str(value)


def notes(words: Iterable[str]) -> str:
    """Remarks on how the question was read and answered."""
    items = "".join(f"<li>{escape(note)}</li>" for note in words)
    return f'<ul class="lgr-notes">{items}</ul>' if items else ""


def caption(words: str) -> str:
    """A small line of plain words."""
    return f'<p class="lgr-caption">{escape(words)}</p>'


def step(name: str, words: str) -> str:
    """A step of the tour: its name and what there is to see."""
    return f'<p class="lgr-lead"><b>{escape(name)}</b> {escape(words)}</p>'


def error_box(error: LgrError) -> str:
    """One clear box: what was asked, what was found, what to do."""
    return _box(error.asked, [error.found], error.do)


def bad_link_box(wrong: Sequence[str], nearest: str) -> str:
    """One box for all that a link asks in vain, and the nearest view that can be shown."""
    do = f"The nearest view is {nearest}. Open it, or choose on the left."
    return _box("This link cannot be shown as it is", wrong, do)


def _box(asked: str, found: Sequence[str], do: str) -> str:
    lines = "".join(f"<li>{escape(_cut(line))}</li>" for line in found)
    return (
        f'<div class="lgr-box" role="alert"><p class="lgr-asked">{escape(_cut(asked))}</p>'
        f'<ul>{lines}</ul><p class="lgr-do">{escape(_cut(do))}</p></div>'
    )


def _cut(words: str) -> str:
    """Words of a length that can be read; a link may hold thousands of letters."""
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]} …"


def _image(picture: str, drug: str) -> str:
    return f'<img src="{escape(picture)}" alt="structure of {escape(drug)}">'


def _spans(parts: Iterable[str]) -> str:
    return "".join(f"<span>{part}</span>" for part in parts)
