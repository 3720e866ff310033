"""What of an atlas is browsed: the tab, its pickers, and the link that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

import numpy as np
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import LgrError
from pages.shared import links
from pages.shared.fault_words import sentence
from pages.shared.pickers import open_chosen, picker, refused
from pages.shared.question import NOVEL, Question, one_of, settle, spell_dose
from pages.shared.widgets import start
from pages.shared.words import dose_words

TABS: Mapping[str, str] = {
    "drugs": "Drugs",
    "cell_lines": "Cell lines",
    "map": "Map",
    "plan": "What to test next",
}
"""The tabs by their name in the link."""

FIELDS = (
    *("atlas", "show", "drug", "cell_line", "drugs", "lines", "beside_drug", "beside_line", "new"),
    *("plan_line", "plan_dose", "plan_k"),
)
"""The fields of the link: the tab, the cards, the words searched for, and what is planned."""

SIZES = ("5", "10", "20", "30")
"""How many drugs a plan may name."""

NOVEL_WORDS = (
    "{drug}, which you asked about last, is not in this atlas: it was measured in no line and has "
    "no card. Predict and Find drugs know it."
)


class Browsed(NamedTuple):
    """An atlas, the tab, what its cards are of, the words searched for, and remarks on the link.

    ``question`` is the one that the other pages ask: its drug and line are those of the cards.
    ``beside`` is the drug or line of a second card, empty without one. The plan is for
    ``plan_line`` (empty: a new one) at ``plan_dose``, of ``plan_k`` drugs.
    """

    store: AtlasStore
    show: str
    question: Question
    beside: str
    words: str
    plan_line: str
    plan_dose: str
    plan_k: int
    notes: tuple[str, ...]

    def link(self) -> dict[str, str]:
        """The address of this tab; fields of the other tabs are empty."""
        question = self.question
        of_tab = {
            "drugs": {
                "drug": question.drug,
                "drugs": self.words,
                "beside_drug": self.beside,
            },
            "cell_lines": {
                "cell_line": question.cell_line,
                "lines": self.words,
                "beside_line": self.beside,
            },
            "map": {"drug": question.drug, "cell_line": question.cell_line},
            "plan": {
                "plan_line": self.plan_line,
                "plan_dose": self.plan_dose,
                "plan_k": str(self.plan_k),
            },
        }[self.show]
        show = self.show if self.show != "drugs" else ""
        return {"atlas": self.store.name, **dict.fromkeys(FIELDS[1:], ""), "show": show, **of_tab}


def ask() -> Browsed | None:
    """Draw the pickers and return what is browsed; None after a box has said why nothing is."""
    names = start()
    if not names:
        return None
    wishes, linked = links.wishes(FIELDS)
    opened = open_chosen(wishes.get("atlas"), names)
    if opened is None:
        return None
    store, mended = opened
    browsed, wrong = _settle(store, wishes)
    wrong = [*mended, *wrong]
    _pickers(browsed)
    if linked and refused(wrong, TABS[browsed.show]):
        return None
    _remember(browsed, wishes)
    return browsed._replace(notes=(*wrong, *browsed.notes))


def tabs(browsed: Browsed) -> AbstractContextManager:
    """The tabs; what is shown goes into the open one."""
    st.session_state["tab"], st.session_state["show"] = TABS[browsed.show], browsed.show

    def turned() -> None:
        titles = {title: name for name, title in TABS.items()}
        st.session_state["show"] = titles[st.session_state["tab"]]
        links.picked()

    made = st.tabs(list(TABS.values()), key="tab", on_change=turned)
    return made[list(TABS).index(browsed.show)]


def plan_doses(store: AtlasStore) -> dict[str, float | None]:
    """The doses of an atlas by their spelling, the one of most conditions first."""
    found = store.conditions["dose_um"].value_counts(dropna=False).index.tolist()
    doses = [None if np.isnan(dose) else float(dose) for dose in found]
    return {spell_dose(dose): dose for dose in doses}


# -- reading the link ------------------------------------------------------------------------------


def _settle(store: AtlasStore, wishes: Mapping[str, str]) -> tuple[Browsed, list[str]]:
    """The nearest that can be shown, and what was asked in vain."""
    show, error = one_of("tab", wishes.get("show") or None, TABS, "drugs")
    own = {"drugs": ("drug",), "cell_lines": ("cell_line",), "map": ("drug", "cell_line")}
    asked = {key: wishes[key] for key in (*own.get(show, ()), "new") if wishes.get(key)}
    settled = settle(store, {**links.kept(("selector", "k")), **asked})
    wrong = [] if error is None else [sentence(error)]
    wrong += [sentence(part.error) for part in settled.mended]
    beside = _beside(store, show, wishes, wrong)
    lines = ("", *store.cell_line_catalog.names)
    line = wishes.get("plan_line", "")
    line = (store.cell_line_catalog.find(line) if line else "") or line
    line = _named("cell line", line, lines, "", wrong)
    dose = _named("dose", wishes.get("plan_dose", ""), plan_doses(store), "", wrong)
    size = _named("number", wishes.get("plan_k", ""), SIZES, "10", wrong)
    words = wishes.get("lines" if show == "cell_lines" else "drugs", "")
    beyond = _beyond(store, wishes)
    notes = (*settled.notes, *((NOVEL_WORDS.format(drug=beyond),) if beyond else ()))
    dose = dose or next(iter(plan_doses(store)))
    browsed = Browsed(store, show, settled.question, beside, words, line, dose, int(size), notes)
    return browsed, wrong


def _named(
    kind: str,
    asked: str,
    names: Mapping[str, object] | tuple[str, ...],
    default: str,
    wrong: list[str],
) -> str:
    name, error = one_of(kind, asked or None, names, default)
    if error is not None:
        wrong.append(sentence(error))
    return name


def _beside(store: AtlasStore, show: str, wishes: Mapping[str, str], wrong: list[str]) -> str:
    """The drug or line of the second card by its name in the atlas; empty without one."""
    catalogs = {
        "drugs": ("beside_drug", store.drug_catalog),
        "cell_lines": ("beside_line", store.cell_line_catalog),
    }
    if show not in catalogs:
        return ""
    field, catalog = catalogs[show]
    if not wishes.get(field):
        return ""
    try:
        return catalog.resolve(wishes[field])
    except LgrError as err:
        wrong.append(sentence(err))
        return ""


def _beyond(store: AtlasStore, wishes: Mapping[str, str]) -> str:
    """The drug beyond the atlas that was asked about last; empty without one.

    After a click its name is in the memory alone, since the picker holds a drug of the atlas.
    """
    if not wishes.get("new"):
        return ""
    drug = wishes.get("drug", "")
    return links.kept(("drug",)).get("drug", "") if drug in store.drug_catalog else drug


def _remember(browsed: Browsed, wishes: Mapping[str, str]) -> None:
    """Write the address, and keep what was asked; a drug beyond the atlas stays asked for."""
    link = browsed.link()
    links.write({**link, **dict.fromkeys(NOVEL, "")})
    beyond = bool(wishes.get("new"))
    of_tab = {key: value for key, value in link.items() if value or key in _CLEARED[browsed.show]}
    links.keep({key: value for key, value in of_tab.items() if not (beyond and key == "drug")})


_CLEARED: Mapping[str, tuple[str, ...]] = {
    "drugs": ("show", "drugs", "beside_drug"),
    "cell_lines": ("lines", "beside_line"),
    "map": (),
    "plan": ("plan_line",),
}
"""Fields of a tab that are kept even where they are empty."""


# -- pickers ---------------------------------------------------------------------------------------


def _pickers(browsed: Browsed) -> None:
    store, question = browsed.store, browsed.question
    drugs, lines = list(store.drug_catalog.names), list(store.cell_line_catalog.names)
    none = {"": "none"}
    if browsed.show == "drugs":
        picker("Drug", "drug", drugs, question.drug)
        picker("Second card", "beside_drug", ["", *drugs], browsed.beside, none)
    elif browsed.show == "cell_lines":
        picker("Cell line", "cell_line", lines, question.cell_line)
        picker("Second card", "beside_line", ["", *lines], browsed.beside, none)
    elif browsed.show == "map":
        picker("Drug", "drug", drugs, question.drug)
        picker("Cell line of its neighbours", "cell_line", lines, question.cell_line)
    else:
        picker("Cell line", "plan_line", ["", *lines], browsed.plan_line, {"": "a new cell line"})
        doses = plan_doses(store)
        words = {spelled: dose_words(dose) for spelled, dose in doses.items()}
        picker("Dose", "plan_dose", list(doses), browsed.plan_dose, words, other=len(doses) == 1)
        picker("Drugs to name", "plan_k", list(SIZES), str(browsed.plan_k))
