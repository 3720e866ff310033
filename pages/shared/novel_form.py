"""A drug that is not in the list: its name, its structure or its mechanism, typed in.

Each field is read as soon as it is left: what is wrong is said below it, and what was typed stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TypeAlias

import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.drugs.chemistry import fingerprint
from lgr_core.drugs.similarity import nearest
from lgr_core.errors import LgrError
from pages.shared import links, pieces, state
from pages.shared.question import EDITS, Question
from pages.shared.widgets import html
from pages.shared.words import listed, literal

FIELDS = {"drug": "novel_name", "smiles": "novel_smiles", "moa": "novel_moa"}
"""The fields of the link that the form fills, and the keys of its boxes."""

WORDS = "A name or a structure is enough. The same compound in the atlas is left out."

ALIKE = 0.5
"""Cosine of fingerprints below which a structure says little of what a drug does."""

Near: TypeAlias = tuple[tuple[str, float], ...]
"""Drugs with the cosine of their fingerprints to that of a structure, the most alike first."""

_NEAR = 3
"""Drugs named that are most alike."""

_SENT = "novel_ready"


def draw(question: Question) -> None:
    """The form, in the side bar; sent, its drug is the one asked for."""
    sent = st.session_state.get("novel_sent", 0)  # another key is another box, which is closed
    words = "A drug not listed"
    with st.sidebar.popover(words, icon=":material/add:", key=f"novel_{sent}"):
        _form(question.atlas, question.cell_line)


@st.fragment
def _form(atlas: str, cell_line: str) -> None:
    if st.session_state.pop(_SENT, False):
        st.rerun()
    store = state.store(atlas)
    html(pieces.caption(WORDS))
    st.text_input("Name", key="novel_name", max_chars=200, placeholder="New compound")
    given = _typed()
    if given["drug"] and store.drug_catalog.find(given["drug"]).drug is not None:
        html(pieces.caption("It is measured in this atlas, and is opened."))
    st.text_input("Structure (SMILES)", key="novel_smiles", max_chars=5_000, placeholder="CC(=O)O…")
    near: Near = ()
    try:
        near = near_drugs(store, given["smiles"])
    except LgrError as err:
        html(pieces.field_error(f"This is no structure: {err.found}. {err.do}"))
    st.text_input(
        "Mechanism or targets, if known",
        key="novel_moa",
        max_chars=200,
        placeholder="MEK inhibitor",
    )
    words = hint(given, near, frozenset(store.gene_names.tolist()))
    html(pieces.caption(words) if words else "")
    line = literal(f"Predict it in {cell_line}")
    st.button(line, key="novel_go", type="primary", on_click=_send, args=(atlas,))
    if st.session_state.get("novel_empty") and not (given["drug"] or given["smiles"]):
        html(pieces.field_error("Give a name or a structure first."))
    if near:
        _preview(given["smiles"], near)


def near_drugs(store: AtlasStore, smiles: str) -> Near:
    """The drugs of an atlas that a structure is most like; none without a structure.

    Raises
    ------
    LgrError
        If it is no structure; the message says what is wrong with it.
    """
    if not smiles:
        return ()
    return nearest(fingerprint(smiles), store.drugs["drug"].tolist(), store.fingerprints, _NEAR)


def hint(given: Mapping[str, str], near: Near, genes: Collection[str]) -> str:
    """Whether a mechanism would help, in words; empty where enough is known without.

    ``genes`` are those of the atlas: a target is one of them.
    """
    known = state.book().annotate(given["drug"], moa=given["moa"], targets=given["moa"])
    if known.tags or any(target in genes for target in known.targets):
        return "" if given["moa"] or not given["drug"] else f"Known: {known.source}."
    if given["moa"]:
        return "No mechanism or gene is known by these words; try “MEK inhibitor” or “MAP2K1”."
    if not (given["drug"] or given["smiles"]):
        return ""
    if near and near[0][1] >= ALIKE:
        return ""
    why = "no measured drug has a similar structure" if near else "nothing is known of it yet"
    return f"A mechanism or a target would help: {why}."


def _preview(smiles: str, near: Near) -> None:
    """The structure as it was read, and what it is most like."""
    picture = state.structure(smiles)
    alike = listed(f"{drug} ({cosine:.2f})" for drug, cosine in near)
    image = "" if picture is None else pieces.image(picture, "the new drug")
    html(
        pieces.caption(f"Most alike in structure, of those measured: {alike}.")
        + f'<div class="lgr-preview">{image}</div>'
    )


def _typed() -> dict[str, str]:
    return {field: str(st.session_state.get(key, "")).strip() for field, key in FIELDS.items()}


def _send(atlas: str) -> None:
    """Ask for the drug; where something is wrong, the form stays with what was typed."""
    given = _typed()
    st.session_state["novel_empty"] = not (given["drug"] or given["smiles"])
    if st.session_state["novel_empty"]:
        return
    try:
        near_drugs(state.store(atlas), given["smiles"])
    except LgrError:
        return
    links.keep({**given, "new": "1", **dict.fromkeys(EDITS, "")})
    st.session_state["novel_sent"] = st.session_state.get("novel_sent", 0) + 1
    st.session_state.pop("drug", None)  # the picker's own value would go before it
    st.session_state[_SENT] = True
    links.picked()
