"""What is searched for, and where: the pickers and the link of the page that finds drugs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from lgr_core.answer import LGR_METHOD
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition
from lgr_core.errors import LgrError
from pages.find.views import VIEWS, SearchedView, searched_view
from pages.shared import links, pieces, state
from pages.shared.fault_words import sentence
from pages.shared.method_words import how_words, settle_method
from pages.shared.pickers import (
    caption,
    choose_atlas,
    pick_method,
    picker,
    refused,
    widened,
    with_measured_dose,
)
from pages.shared.question import EVERY, NOVEL, Question, novel_drug, one_of, settle, spell_dose
from pages.shared.widgets import html, start
from pages.shared.words import dose_words

FIELDS = (
    *("atlas", "from", "up", "down", "cell_line", "drug", "dose"),
    *("method", "selector", "k", "once", "where", "at", "look", "view"),
)
"""The fields of the link: whose signature, where to search, and what to look for."""

SOURCES = {
    "measured": "A measured change",
    "predicted": "A predicted change",
    "genes": "Genes that I paste",
}
LOOKS = {"mimic": "Drugs that mimic it", "reverse": "Drugs that reverse it"}

LONGEST_LINK = 1_500
"""Letters of a gene list that still fit into a link."""

NO_LINK = "These lists are too long for the address: a link to this page is without them."

LONGEST_LIST = 60_000

OWN = "own"
"""How a link spells the line of the change that is searched for."""


class Wanted(NamedTuple):
    """A search: the atlas, whose signature, and where to look for what."""

    store: AtlasStore
    source: str
    up: str
    down: str
    question: Question
    method: str
    where: str
    at: str
    reverse: bool
    searched: SearchedView
    notes: tuple[str, ...]

    @property
    def cell_line(self) -> str | None:
        """The line that is searched, None for all."""
        return _searched_line(self.where, self.question)

    @property
    def where_words(self) -> str:
        """The line that is searched, in words."""
        return "all cell lines" if self.cell_line is None else self.cell_line

    @property
    def words(self) -> str:
        """What is searched for, as it stands in a sentence."""
        if self.source == "genes":
            return "your genes"
        return f"the {self.source} change of {self.question}"

    @property
    def how(self) -> str:
        """How a predicted change is predicted, in words."""
        return how_words(self.method, self.question.selector, self.question.k)

    def link(self) -> dict[str, str]:
        """The address of this search, its lists whole; fields that it does not need are empty."""
        asked = self.question.link()
        used = set() if self.source == "genes" else {"cell_line", "drug", "dose"}
        predicted = self.source == "predicted"
        used |= {"selector", "k", "once", *NOVEL} if predicted else set()
        listed = self.source == "genes"
        return {
            "atlas": asked["atlas"],
            "from": self.source,
            "up": self.up if listed else "",
            "down": self.down if listed else "",
            **{key: asked[key] if key in used else "" for key in asked if key != "atlas"},
            "method": self.method if predicted and self.method != LGR_METHOD else "",
            "where": self.where,
            "at": self.at,
            "look": "reverse" if self.reverse else "mimic",
            "view": str(self.searched.view) if self.searched.view != self.searched.default else "",
        }

    @property
    def fits_a_link(self) -> bool:
        """Whether the lists are short enough for the address."""
        return self.source != "genes" or len(self.up) + len(self.down) <= LONGEST_LINK


def ask() -> Wanted | None:
    """Draw the pickers and return the search, or None after a box has said why there is none."""
    names = start()
    if not names:
        return None
    wishes, linked = links.wishes((*FIELDS, *NOVEL))
    if wishes.get("from") == "genes" and not wishes.keys() & {"up", "down"}:
        wishes = {**wishes, **links.kept(("up", "down"))}  # too long for the address
    atlas, mended = choose_atlas(wishes.get("atlas"), names)
    try:
        store, wishes, beyond = widened(state.store(atlas), wishes)
        wishes = with_measured_dose(store, wishes)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    wanted, wrong = _settle(store, wishes)
    wrong = [*(sentence(part.error) for part in (*mended, *beyond)), *wrong]
    _pickers(wanted)
    if linked and refused(wrong, f"a search with {wanted.words}"):
        return None
    _remember(wanted)
    unlinked = () if wanted.fits_a_link else (NO_LINK,)
    return wanted._replace(notes=(*wrong, *wanted.notes, *unlinked))


# -- reading the link ------------------------------------------------------------------------------


def _settle(store: AtlasStore, wishes: Mapping[str, str]) -> tuple[Wanted, list[str]]:
    """The nearest search that can be made, and what was asked in vain."""
    novel = novel_drug(wishes) if store.unseen_drug_key else None
    settled = settle(store, wishes, novel)
    method, unlike_any = settle_method(wishes.get("method"))
    wrong = [sentence(part.error) for part in (*settled.mended, *unlike_any)]
    default = "genes" if wishes.get("up") or wishes.get("down") else "measured"
    source = _one_of(wishes.get("from"), list(SOURCES), default, "signature", wrong)
    if novel is not None and source == "measured":
        source = "predicted"  # it was measured nowhere
    look = _one_of(wishes.get("look"), list(LOOKS), "mimic", "search", wrong)
    where = wishes.get("where")
    where = (None if where is None else store.cell_line_catalog.find(where)) or where
    lines = list(_where_words(store, source))
    where = lines[0] if where == OWN else _one_of(where, lines, lines[0], "cell line", wrong)
    at = _one_of(wishes.get("at"), _doses(store), EVERY, "dose", wrong)
    up, down = (wishes.get(key, "")[:LONGEST_LIST] for key in ("up", "down"))
    question, reverse = settled.question, look == "reverse"
    query = Condition(question.cell_line, question.drug, question.dose_um)
    line = _searched_line(where, question)
    asked = _one_of(wishes.get("view") or None, list(map(str, VIEWS)), "", "change", wrong)
    searched = searched_view(store, asked, None if source == "genes" else query, line)
    wanted = Wanted(
        *(store, source, up, down, question, method, where, at, reverse, searched),
        notes=settled.notes,
    )
    return wanted, wrong


def _searched_line(where: str, question: Question) -> str | None:
    """The line that a link's field names, None for all."""
    return question.cell_line if where == OWN else None if where == EVERY else where


def _where_words(store: AtlasStore, source: str) -> dict[str, str]:
    """Where can be searched, in words by the spelling of a link; a gene list has no line."""
    own = {} if source == "genes" else {OWN: "its own cell line"}
    lines = {line: line for line in sorted(store.cell_lines["cell_line"])}
    return {**own, EVERY: "all cell lines", **lines}


def _one_of(asked: str | None, names: list[str], default: str, kind: str, wrong: list[str]) -> str:
    name, error = one_of(kind, asked, names, default)
    if error is not None:
        wrong.append(sentence(error))
    return name


def _doses(store: AtlasStore) -> list[str]:
    """Every dose of the atlas as a link spells it, after the word for all of them."""
    doses = store.conditions["dose_um"].drop_duplicates().sort_values(ascending=False)
    return [EVERY, *(spell_dose(None if np.isnan(dose) else dose) for dose in doses.tolist())]


def _remember(wanted: Wanted) -> None:
    link = wanted.link()
    lists = {"up": wanted.up, "down": wanted.down} if wanted.source == "genes" else {}
    method = {"method": wanted.method} if wanted.source == "predicted" else {}
    shown = {key: value for key, value in link.items() if value}
    links.keep({**shown, **lists, **method, "view": link["view"]})
    links.write(link if wanted.fits_a_link else {**link, "up": "", "down": ""})


# -- pickers ---------------------------------------------------------------------------------------


def _pickers(wanted: Wanted) -> None:
    store, question = wanted.store, wanted.question
    picker("Search with", "from", list(SOURCES), wanted.source, SOURCES)
    if wanted.source != "genes":
        picker(
            "Its cell line", "cell_line", sorted(store.cell_line_catalog.names), question.cell_line
        )
        picker("Its drug", "drug", store.drugs["drug"].tolist(), question.drug)
        doses = {spell_dose(dose): dose_words(dose) for dose in store.doses(question.cell_line)}
        picker("Its dose", "dose", list(doses), spell_dose(question.dose_um), doses)
    if wanted.source == "predicted":
        pick_method(wanted.method, question.selector, question.k)
    picker("Look for", "look", list(LOOKS), "reverse" if wanted.reverse else "mimic", LOOKS)
    lines = _where_words(store, wanted.source)
    picker("Among drugs in", "where", list(lines), wanted.where, lines)
    doses = _doses(store)
    labels = {dose: dose if dose == "pooled" else f"{dose} µM" for dose in doses}
    labels[EVERY] = "every dose, each for itself"
    picker("At", "at", doses, wanted.at, labels, other=len(doses) == 2)  # noqa: PLR2004
    caption("Doses are never averaged: a drug has one row a dose.")
