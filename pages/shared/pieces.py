"""Pieces of a page as HTML. Whatever comes from an atlas, a model or a link is escaped here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from lgr_core.domain import Rejected
from lgr_core.errors import LgrError
from pages.shared.fault_words import plainly
from pages.shared.words import REASON_WORDS, count, dose_words, listed

SIMULATED = "Simulated data – not a measurement"  # noqa: RUF001 - a dash between clauses

_LONGEST = 600


def badge(info: Mapping[str, object], label: str, *, brief: bool = False) -> str:
    """Where the numbers come from: simulated or real, what they are, and how many.

    ``brief`` shows what they are and how many when the pointer rests on it.
    """
    kind = (
        f'<span class="lgr-tag lgr-simulated">{SIMULATED}</span>'
        if info["simulated"]
        else '<span class="lgr-tag lgr-real">Measured data</span>'
    )
    lines, drugs = count(len(info["cell_lines"]), "line"), count(len(info["drugs"]), "drug")
    name = f"<b>{escape(str(info['name']))}</b>"
    rest = [escape(label), f"{count(info['n_conditions'], 'condition')} of {lines} and {drugs}"]
    if brief:
        return f'<div class="lgr-badge" title="{"; ".join(rest)}">{kind}{spans([name])}</div>'
    return f'<div class="lgr-badge">{kind}{spans([name, *rest])}</div>'


def headline(
    drug: str,
    cell_line: str,
    dose_um: float | None,
    *,
    mechanism: str,
    picture: str | None,
    known: str,
) -> str:
    """The question as the page's title, with what is known of it and the drug's structure."""
    dose = f'<span class="lgr-dose">{escape(dose_words(dose_um))}</span>'
    name = f'{escape(drug)} <span class="lgr-in">in</span> {escape(cell_line)} {dose} '
    name += f'<span class="lgr-dose lgr-known-as">{escape(known)}</span>'
    return _with_picture(name, drug, mechanism, picture)


def drug_title(drug: str, mechanism: str, picture: str | None) -> str:
    """A drug as the title of its card, with its structure."""
    return _with_picture(escape(drug), drug, mechanism, picture, on_phones=True)


def _with_picture(
    name: str, drug: str, mechanism: str, picture: str | None, *, on_phones: bool = False
) -> str:
    under = f'<p class="lgr-mechanism">{escape(mechanism)}</p>' if mechanism else ""
    kind = "lgr-drug lgr-on-phones" if on_phones else "lgr-drug"
    shown = f'<div class="{kind}">{image(picture, drug)}</div>' if picture else ""
    return f'{shown}<h1 class="lgr-title">{name}</h1>{under}'


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


def rejected(proposals: Iterable[Rejected]) -> str:
    """The refused proposals, and why."""
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


def field_error(words: str) -> str:
    """What is wrong with a field, to stand below it."""
    return f'<p class="lgr-field-error" role="alert">{escape(_cut(words))}</p>'


def step(name: str, words: str) -> str:
    """A step of the tour: its name and what there is to see."""
    return f'<p class="lgr-lead"><b>{escape(name)}</b> {escape(words)}</p>'


def error_box(error: LgrError) -> str:
    """One clear box: what was asked, what was found, what to do."""
    said = plainly(error)
    return _box(said.asked, [said.found], said.do)


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


def image(picture: str, drug: str) -> str:
    """A drug's structure."""
    return f'<img src="{escape(picture)}" alt="structure of {escape(drug)}">'


def spans(parts: Iterable[str]) -> str:
    """Parts that are HTML already, side by side."""
    return "".join(f"<span>{part}</span>" for part in parts)
