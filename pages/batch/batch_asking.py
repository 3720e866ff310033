"""Which queries a batch asks, and how: the pickers, the lists and the link of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from lgr_core.answer import LGR_METHOD
from lgr_core.atlas.store import AtlasStore
from lgr_core.batch.query_list import (
    QueryList,
    QueryRow,
    RefusedRow,
    crossed,
    listed,
    read_query_rows,
)
from lgr_core.domain import Change
from pages.batch import batch_state
from pages.shared import links
from pages.shared.fault_words import sentence
from pages.shared.method_words import how_words, settle_method
from pages.shared.pickers import open_chosen, pick_method, refused
from pages.shared.question import one_of, settle
from pages.shared.widgets import start
from pages.shared.words import LLM

FIELDS = (
    *("atlas", "form", "queries", "all_drugs", "all_lines", "at_dose"),
    *("method", "selector", "k", "once", "rest", "change"),
)
"""The fields of the link, which are also the keys of the pickers and boxes."""

FORMS = {"list": "One query a line", "cross": "Drugs × cell lines"}  # noqa: RUF001 - times
RESTS = {
    "leave": "Leave them out",
    "mechanism": "Choose by mechanism",
    "ask": "Ask the model now",
}
"""What becomes of queries that no language model has answered."""

ONCE = {"": "Each form of a compound counts", "1": "The first form of a compound counts"}
"""Whether neighbours that are forms of one compound count each, as in the paper."""

EVERY = "all"
"""The word that stands for every name of the atlas in a list."""

LONGEST_LINK = 1_500
LONGEST_LIST = 200_000

NO_LINK = "This list is too long for the address: a link to this page is without it."
TEXTS = ("queries", "all_drugs", "all_lines")


class Wanted(NamedTuple):
    """A batch: the atlas, the lists as they were written, how it is predicted, and remarks."""

    store: AtlasStore
    form: str
    texts: Mapping[str, str]
    at_dose: str
    method: str
    selector: str
    k: int
    rest: str
    once: bool = False
    change: Change = Change.TOTAL
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is asked yet."""
        needed = ("queries",) if self.form == "list" else ("all_drugs", "all_lines")
        return not all(self.texts[name].strip() for name in needed)

    @property
    def averages(self) -> bool:
        """Whether neighbours are averaged, not everything weighed."""
        return self.method == LGR_METHOD

    @property
    def ranked_by_model(self) -> bool:
        """Whether a language model chooses the neighbours."""
        return self.averages and self.selector == LLM

    @property
    def how(self) -> str:
        """How it is predicted, in words."""
        once = f"; {ONCE['1'].lower()}" if self.once and self.averages else ""
        change = "; the specific change" if self.change is Change.SPECIFIC else ""
        return how_words(self.method, self.selector, self.k) + once + change

    def link(self) -> dict[str, str]:
        """The address of this batch; fields that it does not need are empty."""
        cross = self.form == "cross"
        usual = batch_state.changes(self.store)[0]
        return {
            "atlas": self.store.name,
            "form": self.form,
            "queries": "" if cross else self.texts["queries"],
            "all_drugs": self.texts["all_drugs"] if cross else "",
            "all_lines": self.texts["all_lines"] if cross else "",
            "at_dose": self.at_dose if cross else "",
            "method": "" if self.averages else self.method,
            "selector": self.selector,
            "k": str(self.k),
            "once": "1" if self.once and self.averages else "",
            "rest": self.rest if self.ranked_by_model else "",
            "change": "" if self.change is usual else str(self.change),
        }

    @property
    def fits_a_link(self) -> bool:
        """Whether the lists are short enough for the address."""
        link = self.link()
        return sum(len(link[name]) for name in TEXTS) <= LONGEST_LINK

    def wishes(self) -> list[QueryRow | RefusedRow]:
        """What the lists ask for, line by line."""
        if self.form == "list":
            return listed(self.texts["queries"])
        known = {"all_drugs": self.store.drug_catalog, "all_lines": self.store.cell_line_catalog}
        drugs, lines = (
            "\n".join(known[name].names)
            if self.texts[name].strip().casefold() == EVERY
            else self.texts[name]
            for name in known
        )
        return list(crossed(drugs, lines, self.at_dose))

    def read(self) -> QueryList:
        """The lists as the atlas reads them, read once and kept for this visit."""
        key = (self.store.build_id, *self.link().values())
        kept = st.session_state.get("batch_reading")
        if kept is None or kept[0] != key:
            kept = (key, read_query_rows(self.store, self.wishes()))
            st.session_state["batch_reading"] = kept
        return kept[1]


def ask() -> Wanted | None:
    """Draw the pickers and return the batch, or None after a box has said why there is none."""
    names = start()
    if not names:
        return None
    wishes, linked = links.wishes(FIELDS)
    if not wishes.keys() & set(TEXTS):
        wishes = {**wishes, **links.kept(TEXTS)}  # too long for the address
    opened = open_chosen(wishes.get("atlas"), names)
    if opened is None:
        return None
    store, mended = opened
    wanted, wrong = _settle(store, wishes)
    wrong = [*mended, *wrong]
    pick_method(wanted.method, wanted.selector, wanted.k)
    links.keep(wanted.texts)
    if linked and refused(wrong, f"a batch on atlas {store.name}"):
        return None
    _remember(wanted)
    unlinked = () if wanted.fits_a_link else (NO_LINK,)
    return wanted._replace(notes=(*wrong, *unlinked))


# -- reading the link ------------------------------------------------------------------------------


def _settle(store: AtlasStore, wishes: Mapping[str, str]) -> tuple[Wanted, list[str]]:
    """The nearest batch that can be asked, and what was asked in vain."""
    plain = {key: wishes[key] for key in ("selector", "k", "once") if key in wishes}
    settled = settle(store, plain)
    method, unlike_any = settle_method(wishes.get("method"))
    wrong = [sentence(part.error) for part in (*settled.mended, *unlike_any)]
    crossing = wishes.get("all_drugs") or wishes.get("all_lines")
    texts = {name: wishes.get(name, "")[:LONGEST_LIST] for name in TEXTS}
    default = "cross" if crossing and not texts["queries"] else "list"
    changes = [str(change) for change in batch_state.changes(store)]
    asked = (
        ("form", FORMS, default),
        ("rest", RESTS, "leave"),
        ("change", changes, changes[0]),
    )
    chosen = {}
    for key, known, usual in asked:
        chosen[key], error = one_of(key, wishes.get(key) or None, known, usual)
        if error is not None:
            wrong.append(sentence(error))
    dose = wishes.get("at_dose", "")[:20]
    question = settled.question
    how = (method, question.selector, question.k, chosen["rest"], question.once)
    how = (*how, Change(chosen["change"]))
    return Wanted(store, chosen["form"], texts, dose, *how), wrong


def _remember(wanted: Wanted) -> None:
    link = wanted.link()
    links.keep({**link, **wanted.texts})  # also the list that this form does not show
    shown = link if wanted.fits_a_link else {**link, **dict.fromkeys(TEXTS, "")}
    links.write(shown)
