"""The question: pickers in the side bar, bound to the link of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lgr_core.answer import LGR_METHOD
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.unseen_drug import UnseenDrug
from lgr_core.domain import Condition
from lgr_core.drugs.search import matching
from lgr_core.errors import LgrError
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.selectors import SELECTORS
from pages.shared import links, novel_form, pieces, state, tour
from pages.shared.fault_words import sentence
from pages.shared.method_words import METHOD_WORDS, settle_method
from pages.shared.question import (
    EDITS,
    FIELDS,
    K_DEFAULT,
    K_MAX,
    NOVEL,
    Mended,
    Question,
    Settled,
    default_atlas,
    novel_drug,
    settle,
    settle_atlas,
    spell_dose,
)
from pages.shared.widgets import html, start
from pages.shared.words import at_dose, dose_words, listed, offered, selector_words


class Asked(NamedTuple):
    """An open atlas, the question to it, remarks on how it was read, and what a page looks at.

    The store holds the drug asked for, also one from beyond the atlas. ``view`` are the fields of
    the page's own, and ``linked`` says whether a link was opened.
    """

    store: AtlasStore
    question: Question
    notes: tuple[str, ...]
    view: Mapping[str, str] = MappingProxyType({})
    linked: bool = False


def ask(**fields: str) -> Asked | None:
    """Draw the pickers and return the question, or None after a box has said why there is none.

    ``fields`` are further ones of the page's link, which the page reads itself, with their
    defaults: those are left out of the address.
    """
    names = start()
    if not names:
        return None
    wishes, linked = links.wishes((*FIELDS, *NOVEL, *EDITS, *fields))
    atlas, mended = choose_atlas(wishes.get("atlas"), names)
    try:
        store, wishes, beyond = widened(state.store(atlas), wishes)
        wishes, found = (wishes, ()) if linked else searched(store, wishes)
        settled = settle(store, with_measured_dose(store, wishes), _novel(store, wishes))
    except LgrError as err:
        html(pieces.error_box(err))
        return None
    method, unlike_any = settle_method(wishes.get("method") if "method" in fields else None)
    faults = (*mended, *beyond, *settled.mended, *unlike_any)
    settled = Settled(settled.question, faults, (*found, *settled.notes))
    _pickers(store, settled.question, method if "method" in fields else None)
    wrong = [sentence(part.error) for part in settled.mended]
    if linked and refused(wrong, str(settled.question)):
        return None
    view = {field: wishes.get(field) or default for field, default in fields.items()}
    if "method" in fields:
        view["method"] = method
    unlike = {field: value if value != fields[field] else "" for field, value in view.items()}
    links.remember({**settled.question.link(), **unlike})
    notes = (*_changes(settled), *settled.notes)
    return Asked(store, settled.question, notes, view, linked)


def widened(
    store: AtlasStore, wishes: Mapping[str, str]
) -> tuple[AtlasStore, Mapping[str, str], list[Mended]]:
    """The atlas with the drug beyond it that is asked for; as it is where that is refused.

    A new drug that goes by the name of one of the atlas's own is that one.
    """
    try:
        novel = novel_drug(wishes)
        if novel is not None and store.drug_catalog.find(novel.name).drug is not None:
            return store, {key: value for key, value in wishes.items() if key not in NOVEL}, []
        return (store if novel is None else state.novel(store, novel)), wishes, []
    except LgrError as err:
        plain = {key: value for key, value in wishes.items() if key not in {"drug", *NOVEL}}
        return store, plain, [Mended(err, "a drug of the atlas")]


def searched(
    store: AtlasStore, wishes: Mapping[str, str]
) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """What was typed into a picker as the name that it finds, and what else it found."""
    answered = {
        "drug": lambda typed: store.drug_catalog.find(typed).candidates,
        "cell_line": store.cell_line_catalog.candidates,
    }
    known = {"drug": state.drug_facts, "cell_line": state.line_facts}
    found, notes = dict(wishes), []
    for key, by_name in answered.items():
        typed = wishes.get(key, "")
        names = () if by_name(typed) or wishes.get("new") else matching(typed, known[key](store))
        if names:
            found[key] = names[0]
            others = listed(names[1 : _OTHERS + 1])
            also = f", also {others}" if others else ""
            notes.append(f"{typed!r} finds {names[0]}{also}.")
    return found, tuple(notes)


_OTHERS = 5
"""Further finds of a search that are named."""


def _novel(store: AtlasStore, wishes: Mapping[str, str]) -> UnseenDrug | None:
    return novel_drug(wishes) if store.unseen_drug_key else None


def refused(wrong: Sequence[str], nearest: str) -> bool:
    """One box for a link that asks in vain, and the way to the nearest view; False if all is well.

    ``wrong`` holds what is wrong with it, ``nearest`` says what can be shown.
    """
    if wrong:
        html(pieces.bad_link_box(wrong, nearest))
        st.button("Open the nearest view", key="nearest", type="primary", on_click=_picked)
    return bool(wrong)


def choose_atlas(wished: str | None, names: list[str]) -> tuple[str, list[Mended]]:
    """Draw the atlas picker at the atlas wished for, else at the nearest, which is said."""
    atlas, mended = settle_atlas(wished, names, uploaded, answered=answered)
    picker("Atlas", "atlas", names, atlas)
    return atlas, mended


def open_chosen(wished: str | None, names: list[str]) -> tuple[AtlasStore, list[str]] | None:
    """The atlas that is chosen, opened, and what was mended of the wish, in sentences.

    None after a box has said why it cannot be opened.
    """
    atlas, mended = choose_atlas(wished, names)
    try:
        return state.store(atlas), [sentence(part.error) for part in mended]
    except LgrError as err:
        html(pieces.error_box(err))
        return None


def uploaded(name: str) -> bool:
    """Whether a visitor sent this atlas; of one that cannot be opened nobody knows better."""
    try:
        return bool(state.store(name).provenance.get("uploaded"))
    except LgrError:
        return True


def usual_atlas(names: list[str]) -> str:
    """The atlas of who names none."""
    return default_atlas(names, uploaded, answered=answered)


def answered(name: str) -> bool:
    """Whether a language model's answer about the first drug of an atlas is recorded."""
    try:
        store = state.store(name)
        first = store.conditions.iloc[0]
        dose = None if pd.isna(first["dose_um"]) else float(first["dose_um"])
        pool = candidate_pool(store, Condition(first["cell_line"], first["drug"], dose))
        return state.recorded(store).usable(pool, min(K_DEFAULT, len(pool.drugs))) is not None
    except LgrError:
        return False


def _picked(key: str = "k") -> None:
    """Note that a picker was used, and forget what does not outlive its change."""
    links.picked()
    tour.leave()
    st.session_state["keep_dose"] = key not in {"atlas", "cell_line", "drug"}
    if key not in {"k", "method"}:
        links.keep(dict.fromkeys(EDITS, ""))
    if key == "drug":
        links.keep(dict.fromkeys(NOVEL, ""))


def with_measured_dose(store: AtlasStore, wishes: Mapping[str, str]) -> Mapping[str, str]:
    """What is asked; after another drug or line was picked, a dose stays only if it is measured."""
    if st.session_state.pop("keep_dose", None) is not False:
        return wishes
    doses = store.doses(wishes.get("cell_line", ""), wishes.get("drug", ""))
    if wishes.get("dose") in {spell_dose(dose) for dose in doses}:
        return wishes
    return {key: value for key, value in wishes.items() if key != "dose"}


def _changes(settled: Settled) -> list[str]:
    return [
        f"{mended.error.asked}: {mended.error.found}. Shown instead: {mended.instead}."
        for mended in settled.mended
    ]


# -- pickers ---------------------------------------------------------------------------------------


def _pickers(store: AtlasStore, question: Question, method: str | None) -> None:
    """The question's pickers; ``method`` is None where a page knows neighbours alone."""
    lines = sorted(store.cell_lines["cell_line"])
    of_lines = {
        name: " · ".join(filter(None, (name, *facts)))
        for name, facts in state.line_facts(store).items()
    }
    picker("Cell line", "cell_line", lines, question.cell_line, of_lines, typed=True)
    caption(_line_facts(store, question.cell_line))
    picker(
        "Drug",
        "drug",
        store.drugs["drug"].tolist(),
        question.drug,
        _drug_labels(store, question),
        typed=True,
    )
    caption(_drug_facts(store, question))
    novel_form.draw(question)
    doses = {spell_dose(dose): dose_words(dose) for dose in store.doses(question.cell_line)}
    picker("Dose", "dose", list(doses), spell_dose(question.dose_um), doses, other=len(doses) == 1)
    with st.sidebar:
        how = st.expander("Method", key="how")
    pick_method(method, question.selector, question.k, inside=how)


def pick_method(
    method: str | None, selector: str, k: int, *, inside: DeltaGenerator | None = None
) -> None:
    """How it is predicted, in the side bar; ``method`` is None where a page knows neighbours alone.

    For neighbours, who chooses them and how many. ``inside`` is a box of the side bar.
    """
    if method is not None:
        labels = {name: words.label for name, words in METHOD_WORDS.items()}
        picker("Predicted from", "method", list(labels), method, labels, inside=inside)
        caption(METHOD_WORDS[method].line, inside=inside)
    if method in {None, LGR_METHOD}:
        selectors = {name: selector_words(name).title for name in offered(SELECTORS)}
        picker(
            "Neighbours chosen by", "selector", list(selectors), selector, selectors, inside=inside
        )
        caption(selector_words(selector).line, inside=inside)
        st.session_state["k"] = k
        with st.sidebar if inside is None else inside:
            st.slider("Neighbours averaged (k)", 1, K_MAX, key="k", on_change=_picked)


def picker(
    label: str,
    key: str,
    options: list[str],
    value: str,
    labels: Mapping[str, str] | None = None,
    *,
    other: bool = False,
    typed: bool = False,
    inside: DeltaGenerator | None = None,
) -> None:
    """A list in the side bar that shows ``value``; plain text, whatever the options hold.

    ``inside`` is a box of the side bar, ``other`` says that there is nothing to choose, ``typed``
    that words may be typed which no option holds as they stand.
    """
    st.session_state[key] = value
    with st.sidebar if inside is None else inside:
        st.selectbox(
            label,
            options,
            key=key,
            format_func=str if labels is None else lambda option: labels.get(option, option),
            on_change=_picked,
            args=(key,),
            disabled=other,
            filter_mode="contains",
            accept_new_options=typed,
        )


def switch(label: str, key: str, options: Mapping[str, str], value: str, **look: str) -> None:
    """Buttons on the page, the one of ``value`` down; ``options`` name them, ``look`` is theirs."""
    st.session_state[key] = value
    st.segmented_control(
        label,
        list(options),
        key=key,
        format_func=options.get,
        required=True,
        on_change=links.picked,
        **look,
    )


def caption(words: str, *, inside: DeltaGenerator | None = None) -> None:
    """A small line in the side bar, or in a box of it; an empty one is nothing."""
    if words:
        with st.sidebar if inside is None else inside:
            html(pieces.caption(words))


_DRIVERS = 3
"""Driver genes of a line that are shown below its name."""


def _line_facts(store: AtlasStore, cell_line: str) -> str:
    rows = store.cell_lines
    row = rows[rows["cell_line"] == cell_line].iloc[0]
    drivers = [gene for gene in str(row.get("driver_genes") or "").split(";") if gene]
    more = len(drivers) - _DRIVERS
    words = ", ".join(drivers[:_DRIVERS]) + ("…" if more > 0 else "")
    parts = [str(row.get("organ") or ""), words]
    return "; ".join(part for part in parts if part)


def _drug_labels(store: AtlasStore, question: Question) -> dict[str, str]:
    measured = set(store.measured_drugs(question.cell_line, question.dose_um))
    labels = {}
    for drug, facts in state.drug_facts(store).items():
        parts = (drug, "" if drug in measured else "not measured here", *facts)
        labels[drug] = " · ".join(part for part in parts if part)
    return labels


def _drug_facts(store: AtlasStore, question: Question) -> str:
    """Where the drug was measured, if not at what is asked."""
    doses = store.doses(question.cell_line, question.drug)
    if question.dose_um in doses:
        return ""
    if doses:
        other = ", ".join(dose_words(dose) for dose in doses)
        return f"Not measured {at_dose(question.dose_um)}, but at {other}."
    return f"Not measured in {question.cell_line}."
