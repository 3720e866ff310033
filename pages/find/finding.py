"""What is searched for, and where: the pickers and the link of the page that finds drugs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import streamlit as st

from lgr_core.answer import LGR_METHOD
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition
from lgr_core.errors import LgrError, NotFoundError
from lgr_core.signatures.gene_lists import Signature, gene_set, split_genes, whole_change
from pages.shared import asking, links, pieces, state
from pages.shared.fault_words import sentence
from pages.shared.method_words import how_words, settle_method
from pages.shared.pickers import (
    Asked,
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
    *("method", "selector", "k", "once", "where", "at", "look"),
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
EXAMPLE = "mek_inhibitor"
PASTE = (
    "Paste the genes that go up, the genes that go down, or both. The drugs whose measured change "
    "is most like that, or most unlike it, are found among all that this atlas holds."
)


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
    notes: tuple[str, ...]

    @property
    def cell_line(self) -> str | None:
        """The line that is searched, None for all."""
        return None if self.where == EVERY else self.where

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


def signature(wanted: Wanted) -> tuple[Signature, tuple[str, ...]]:
    """What is searched for as weights, and notes on how it was made.

    Raises
    ------
    LgrError
        If it was not measured, cannot be predicted, or no pasted gene can be used.
    """
    store, question = wanted.store, wanted.question
    if wanted.source == "genes":
        found = gene_set(store, split_genes(wanted.up), split_genes(wanted.down))
        return found, found.notes
    if wanted.source == "measured":
        row = store.row(Condition(question.cell_line, question.drug, question.dose_um))
        if row is None:
            do = "Search with its predicted change instead, or choose another drug, line or dose."
            raise NotFoundError(f"the measured change of {question}", "it was not measured", do)
        return whole_change(store.deltas(np.array([row]))[0], drug=question.drug), ()
    unedited = replace(question, drop=(), add=())
    asked, answer, *_ = asking.answer(Asked(store, unedited, (), {"method": wanted.method}))
    change = answer.prediction.delta[: store.n_panel]
    return whole_change(change, drug=question.drug), (*asked.notes, *answer.notes)


def gene_boxes(wanted: Wanted) -> None:
    """One box for the genes that go up, one for those that go down."""
    if wanted.source != "genes":
        return
    st.session_state["up"], st.session_state["down"] = wanted.up, wanted.down
    with st.form("genes", border=False):
        up, down = st.columns(2)
        hint = "Symbols or Ensembl ids, between spaces, commas or lines"
        for column, key, label in ((up, "up", "Genes up"), (down, "down", "Genes down")):
            column.text_area(label, key=key, height=130, max_chars=LONGEST_LIST, placeholder=hint)
        st.form_submit_button("Find drugs", type="primary", on_click=links.picked)


def example_button() -> None:
    """Fill the boxes with what MEK inhibitors are expected to do."""
    st.button("Show an example", key="example", on_click=_show_example)


def _show_example() -> None:
    expected = state.book().expected([EXAMPLE])
    links.keep({"from": "genes", "up": " ".join(expected.up), "down": " ".join(expected.down)})


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
    lines = [EVERY, *sorted(store.cell_lines["cell_line"])]
    where = wishes.get("where")
    where = (None if where is None else store.cell_line_catalog.find(where)) or where
    where = _one_of(where, lines, EVERY, "cell line", wrong)
    at = _one_of(wishes.get("at"), _doses(store), EVERY, "dose", wrong)
    up, down = (wishes.get(key, "")[:LONGEST_LIST] for key in ("up", "down"))
    question, reverse = settled.question, look == "reverse"
    wanted = Wanted(store, source, up, down, question, method, where, at, reverse, settled.notes)
    return wanted, wrong


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
    links.keep({**{key: value for key, value in link.items() if value}, **lists, **method})
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
    lines = [EVERY, *sorted(store.cell_lines["cell_line"])]
    picker("Among drugs in", "where", lines, wanted.where, {EVERY: "all cell lines"})
    doses = _doses(store)
    labels = {dose: dose if dose == "pooled" else f"{dose} µM" for dose in doses}
    labels[EVERY] = "every dose, each for itself"
    picker("At", "at", doses, wanted.at, labels, other=len(doses) == 2)  # noqa: PLR2004
    caption("Doses are never averaged: a drug has one row a dose.")
