"""Which part of Data & methods is shown, of which atlas: the pickers, bound to the page's link."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import NamedTuple

import streamlit as st

from lgr_core.atlas.coverage import thresholds
from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import LgrError, UsageError
from pages.methods.methods_text import PARTS as METHODS
from pages.shared import links, state
from pages.shared.fault_words import sentence
from pages.shared.pickers import choose_atlas, refused
from pages.shared.question import EVERY, one_of, spell_dose
from pages.shared.widgets import start

FIELDS = ("atlas", "part", "coverage", "min_cells", "ingest")
"""The fields of the page's link."""

SIDES: Mapping[str, Mapping[str, str]] = {
    "Data": {
        "atlas": "This atlas",
        "coverage": "Coverage",
        "quality": "Quality",
        "all": "All atlases",
        "own": "Bring your own data",
    },
    "Methods": METHODS,
}
"""The two sides of the page, each with its parts by their names in the link."""

PARTS: Mapping[str, str] = {part: title for side in SIDES.values() for part, title in side.items()}
METHODS_FIRST = next(iter(METHODS))


class Seen(NamedTuple):
    """What is shown: a part, and the atlas or why it cannot be opened.

    ``doses`` are words by their spelling in a link, ``at`` the one whose coverage is shown,
    ``steps`` the numbers of cells that can be asked about, ``min_cells`` the one that is, and
    ``ingest`` the key of an ingest that was begun.
    """

    part: str
    store: AtlasStore | None
    error: LgrError | None = None
    doses: Mapping[str, str] = {}
    at: str = EVERY
    steps: tuple[int, ...] = ()
    min_cells: int = 0
    ingest: str = ""

    def link(self) -> dict[str, str]:
        """The query parameters that show this again; what is not of this part is left out."""
        shown = self.part == "coverage" and self.store is not None
        return {
            "part": self.part if self.part != "atlas" else "",
            "coverage": self.at if shown and len(self.doses) > 1 else "",
            "min_cells": str(self.min_cells) if shown and self.steps else "",
            "ingest": self.ingest if self.part == "own" else "",
        }


def ask() -> Seen | None:
    """Draw the picker of the atlas and read the link; None after a box has said why not."""
    names = start()
    if not names:
        return None
    wishes, linked = links.wishes(FIELDS)
    atlas, mended = choose_atlas(wishes.get("atlas"), names)
    wrong = [sentence(part.error) for part in mended]
    part, error = one_of("part", wishes.get("part") or None, PARTS, "atlas")
    if error is not None:
        wrong.append(sentence(error))
    seen = _open(atlas, part, wishes, wrong)
    if linked and refused(wrong, f"{PARTS[part]}, of the atlas {atlas}"):
        return None
    kept = {"coverage": seen.at, "min_cells": str(seen.min_cells or ""), "ingest": seen.ingest}
    links.keep({"atlas": atlas, "part": part, **kept})
    links.write({"atlas": atlas, **seen.link()})
    return seen


def side_of(part: str) -> str:
    """The side of the page that a part is on."""
    return next(side for side, parts in SIDES.items() if part in parts)


def side_switch(part: str) -> None:
    """The switch between the two sides; each opens on its first part."""
    st.session_state["side"], st.session_state["part"] = side_of(part), part

    def turned() -> None:
        st.session_state["part"] = next(iter(SIDES[st.session_state["side"]]))
        links.picked()

    st.segmented_control(
        "Side",
        list(SIDES),
        key="side",
        required=True,
        on_change=turned,
        label_visibility="collapsed",
    )


def tabs(part: str) -> AbstractContextManager:
    """The parts of a side as tabs; what is shown goes into the open one."""
    side = side_of(part)
    titles, key = SIDES[side], f"tab_{side}"
    st.session_state[key] = titles[part]

    def turned() -> None:
        names = {title: name for name, title in titles.items()}
        st.session_state["part"] = names[st.session_state[key]]
        links.picked()

    made = st.tabs(list(titles.values()), key=key, on_change=turned)
    return made[list(titles).index(part)]


def _open(atlas: str, part: str, wishes: Mapping[str, str], wrong: list[str]) -> Seen:
    """The atlas and what is asked of it; the nearest there is where that is not to be had."""
    ingest = wishes.get("ingest", "")
    try:
        store = state.store(atlas)
    except LgrError as err:
        return Seen(part, None, err, ingest=ingest)
    doses = _doses(store)
    default = EVERY if EVERY in doses else next(iter(doses))
    at, error = one_of("dose", wishes.get("coverage") or None, doses, default, f"atlas {atlas!r}")
    if error is not None:
        wrong.append(sentence(error))
    steps = thresholds(store.conditions["n_cells"])
    usual = int(store.provenance.get("min_cells", 10))
    min_cells = _number(wishes.get("min_cells"), usual, wrong)
    steps = tuple(sorted({*steps, usual, min_cells})) if steps else ()
    return Seen(part, store, None, doses, at, steps, min_cells, ingest)


def _doses(store: AtlasStore) -> dict[str, str]:
    """The doses of the atlas in words, the highest first, after the word for all of several."""
    found = store.conditions["dose_um"].drop_duplicates().sort_values(ascending=False)
    words = {"pooled": "pooled doses"} if found.isna().any() else {}
    words |= {spell_dose(dose): f"{dose:g} µM" for dose in found.dropna().tolist()}
    return words if len(words) == 1 else {EVERY: "every dose", **words}


def _number(asked: str | None, usual: int, wrong: list[str]) -> int:
    """A number of cells from a link."""
    if not asked:
        return usual
    if asked.isascii() and asked.isdigit() and len(asked) < 8 and int(asked):  # noqa: PLR2004
        return int(asked)
    do = "Give a whole number of 1 or more."
    wrong.append(str(UsageError(f"min_cells = {asked!r}", "it is no number of cells", do)))
    return usual
