"""The question: pickers in the side bar, bound to the link of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import LgrError, NotFoundError
from lgr_core.retrieval.selectors import SELECTORS
from pages.shared import pieces, state
from pages.shared.question import (
    FIELDS,
    K_MAX,
    Question,
    Settled,
    settle,
    settle_atlas,
    spell_dose,
)
from pages.shared.widgets import html, start
from pages.shared.words import at_dose, dose_words, offered, selector_words


class Asked(NamedTuple):
    """An open atlas, the question to it, and remarks on how it was read."""

    store: AtlasStore
    question: Question
    notes: tuple[str, ...]


def ask() -> Asked | None:
    """Draw the pickers and return the question, or None after a box has said why there is none."""
    names = start()
    if not names:
        return None
    wishes, linked = _wishes()
    error = NotFoundError(
        f"atlas {wishes.get('atlas')!r}", "it is not built here", "Choose one that is."
    )
    atlas, mended = settle_atlas(wishes.get("atlas"), names, error)
    _picker("Atlas", "atlas", names, atlas)
    try:
        store = state.store(atlas)
        if st.session_state.pop("keep_dose", None) is False:
            wishes = _without_unmeasured_dose(store, wishes)
        settled = settle(store, wishes)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    settled = Settled(settled.question, (*mended, *settled.mended), settled.notes)
    _pickers(store, settled.question)
    if linked and settled.mended:
        html(pieces.bad_link_box(settled))
        st.button("Open the nearest view", key="nearest", type="primary", on_click=_picked)
        return None
    _remember(settled.question)
    return Asked(store, settled.question, (*_changes(settled), *settled.notes))


def pick_atlas() -> AtlasStore | None:
    """Draw the atlas picker alone and open the atlas, or None after a box has said why not."""
    names = start()
    if not names:
        return None
    wished = _wishes()[0].get("atlas")
    error = NotFoundError(f"atlas {wished!r}", "it is not built here", "Choose one that is.")
    atlas, mended = settle_atlas(wished, names, error)
    _picker("Atlas", "atlas", names, atlas)
    html("".join(pieces.error_box(mend.error) for mend in mended))
    try:
        store = state.store(atlas)
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    st.session_state["question"] = {**st.session_state.get("question", {}), "atlas": atlas}
    if not mended:
        _write_link({"atlas": atlas})
    return store


def _wishes() -> tuple[Mapping[str, str], bool]:
    """What is asked, and whether a link asks: a picker just used, a new link, or what was shown.

    The pickers go first: a click may be under way while the address still shows the last view.
    """
    given = {
        key: value.strip()
        for key, value in st.query_params.to_dict().items()
        if key in FIELDS and value.strip()
    }
    if st.session_state.pop("picked", False):
        return {key: str(st.session_state[key]) for key in FIELDS if key in st.session_state}, False
    if given and given != st.session_state.get("link"):
        return given, True
    return st.session_state.get("question", {}), False


def _picked(*, keep_dose: bool = True) -> None:
    st.session_state["picked"] = True
    st.session_state["keep_dose"] = keep_dose


def _without_unmeasured_dose(store: AtlasStore, wishes: Mapping[str, str]) -> Mapping[str, str]:
    """After another drug or line was picked, a dose stays only if that drug has it there."""
    doses = store.doses(wishes.get("cell_line", ""), wishes.get("drug", ""))
    if wishes.get("dose") in {spell_dose(dose) for dose in doses}:
        return wishes
    return {key: value for key, value in wishes.items() if key != "dose"}


def _remember(question: Question) -> None:
    st.session_state["question"] = question.link()
    _write_link(question.link())


def _write_link(link: dict[str, str]) -> None:
    given = st.query_params.to_dict()
    if any(given.get(key) != value for key, value in link.items()):
        st.query_params.update(link)
    st.session_state["link"] = link


def _changes(settled: Settled) -> list[str]:
    return [
        f"{mended.error.asked}: {mended.error.found}. Shown instead: {mended.instead}."
        for mended in settled.mended
    ]


# -- pickers ---------------------------------------------------------------------------------------


def _pickers(store: AtlasStore, question: Question) -> None:
    lines = sorted(store.cell_lines["cell_line"])
    _picker("Cell line", "cell_line", lines, question.cell_line)
    _caption(_line_facts(store, question.cell_line))
    _picker(
        "Drug", "drug", store.drugs["drug"].tolist(), question.drug, _drug_labels(store, question)
    )
    _caption(_drug_facts(store, question))
    doses = {spell_dose(dose): dose_words(dose) for dose in store.doses(question.cell_line)}
    _picker("Dose", "dose", list(doses), spell_dose(question.dose_um), doses, other=len(doses) == 1)
    selectors = {name: selector_words(name).title for name in offered(SELECTORS)}
    _picker("Neighbours chosen by", "selector", list(selectors), question.selector, selectors)
    _caption(selector_words(question.selector).line)
    st.session_state["k"] = question.k
    with st.sidebar:
        st.slider("Neighbours averaged (k)", 1, K_MAX, key="k", on_change=_picked)


def _picker(
    label: str,
    key: str,
    options: list[str],
    value: str,
    labels: Mapping[str, str] | None = None,
    *,
    other: bool = False,
) -> None:
    """A list in the side bar that shows ``value``; plain text, whatever the options hold."""
    st.session_state[key] = value
    with st.sidebar:
        st.selectbox(
            label,
            options,
            key=key,
            format_func=str if labels is None else lambda option: labels.get(option, option),
            on_change=_picked,
            kwargs={"keep_dose": key not in {"atlas", "cell_line", "drug"}},
            disabled=other,
            filter_mode="contains",
        )


def _caption(words: str) -> None:
    if words:
        with st.sidebar:
            html(pieces.caption(words))


def _line_facts(store: AtlasStore, cell_line: str) -> str:
    rows = store.cell_lines
    row = rows[rows["cell_line"] == cell_line].iloc[0]
    drivers = ", ".join(gene for gene in str(row.get("driver_genes") or "").split(";") if gene)
    parts = [str(row.get("organ") or ""), f"drivers {drivers}" if drivers else ""]
    return "; ".join(part for part in parts if part)


def _drug_labels(store: AtlasStore, question: Question) -> dict[str, str]:
    measured = set(store.measured_drugs(question.cell_line, question.dose_um))
    known = state.mechanisms(store)
    labels = {}
    for drug in store.drugs["drug"]:
        parts = (drug, "" if drug in measured else "not measured here", known[drug])
        labels[drug] = " · ".join(part for part in parts if part)
    return labels


def _drug_facts(store: AtlasStore, question: Question) -> str:
    doses = store.doses(question.cell_line, question.drug)
    known = state.mechanisms(store)[question.drug] or "mechanism not known"
    if question.dose_um in doses:
        return known
    if doses:
        other = ", ".join(dose_words(dose) for dose in doses)
        return f"{known}; not measured {at_dose(question.dose_um)}, but at {other}"
    return f"{known}; not measured in {question.cell_line}: a prediction without truth"
