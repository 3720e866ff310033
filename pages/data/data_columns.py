"""What a visitor says of a file: which column is what, what the numbers are, what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources.inspection import Inspection
from lgr_core.atlas.uploads import Upload
from lgr_core.domain import ValueKind
from pages.shared import pieces
from pages.shared.data_words import COUNTS, DOSES, KINDS, MORE_ROLES, ROLES, UNITS
from pages.shared.widgets import html
from pages.shared.words import count

NONE = ""
"""What is chosen where the file has no such column."""

_PREFIX = "own_"
_MEMORY = "own"
_LONGEST_NAME = 64


@dataclass(frozen=True)
class Choice:
    """All that was said: the options of the ingest, the atlas's name, and whether it is real."""

    options: IngestOptions
    name: str
    simulated: bool


def forget() -> None:
    """Forget what was said of the last file."""
    st.session_state.pop(_MEMORY, None)
    for key in [key for key in st.session_state if str(key).startswith(_PREFIX)]:
        del st.session_state[key]


def choose(upload: Upload, look: Inspection) -> Choice | None:
    """Draw what can be said of a file; None while it is not said what its numbers are."""
    _show_columns(look)
    columns = {} if look.settled else _columns(look)
    kind = _kind(look)
    options = _options(look, kind, columns)
    name = _remembered("name", _plain_name(upload.name))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Name of the atlas", key=_key("name"), max_chars=_LONGEST_NAME)
        _remembered("simulated", default=False)
        st.checkbox("These data are simulated", key=_key("simulated"))
    if kind is None:
        html(pieces.caption("Say what the numbers are; then it can be checked."))
        return None
    return Choice(
        IngestOptions(
            value_kind=None if kind == COUNTS else ValueKind(kind), columns=columns, **options
        ),
        name.strip(),
        bool(st.session_state[_key("simulated")]),
    )


def _show_columns(look: Inspection) -> None:
    """What the file was recognised as, its size, and its first rows."""
    rows, genes = f"{look.rows:,} rows", f"{count(look.genes, 'gene')}"
    words = rows if look.settled else f"{rows} and {genes}"
    if look.form:
        words += f"; recognised as {look.form}"
    html(pieces.section("2. What its columns are", f"{words}."))
    if look.settled:
        html(pieces.caption("Its columns are known; nothing needs to be chosen."))
        return
    html(pieces.notes(look.recognised))
    st.dataframe(look.sample.astype(str), height=180, hide_index=True)
    html(pieces.notes(look.doubts))


def _columns(look: Inspection) -> dict[str, str]:
    """Role -> column where it differs from what was guessed; NONE where the file has none."""
    said = _pickers(look, ROLES)
    guessed = [role for role in MORE_ROLES if role in look.guesses]
    title = f"More columns ({len(guessed)} guessed)" if guessed else "More columns"
    with st.expander(title):
        said |= _pickers(look, MORE_ROLES)
    cleared = {role: NONE for role in look.guesses if said.get(role, NONE) is None}
    chosen = {role: column for role, column in said.items() if column is not None}
    differs = {role: name for role, name in chosen.items() if name != look.guesses.get(role)}
    return {**differs, **cleared}


def _pickers(look: Inspection, roles: Mapping[str, str]) -> dict[str, str | None]:
    columns = st.columns(3)
    said = {}
    for place, (role, label) in enumerate(roles.items()):
        units = UNITS if role == "dose_unit" else ()
        guess = look.guesses.get(role)
        options = [NONE, *dict.fromkeys([*units, *look.columns, *([guess] if guess else [])])]
        said[role] = _remembered(role, guess)
        columns[place % 3].selectbox(
            label,
            options,
            index=None,
            key=_key(role),
            format_func=lambda name: name or "none in this file",
            placeholder="not found: choose",
        )
    return said


def _kind(look: Inspection) -> str | None:
    """What the numbers are; a published form may leave no choice."""
    likely = COUNTS if look.counts and (look.h5ad or look.settled) else None
    likely = likely if look.value_kind is None else str(look.value_kind)
    if look.settled:
        html(pieces.caption(f"Its numbers: {KINDS[likely]}."))
        return likely
    html(pieces.section("3. What its numbers are, and what becomes of them"))
    kind = _remembered("kind", likely)
    st.selectbox(
        "The numbers are",
        list(KINDS),
        index=None,
        key=_key("kind"),
        format_func=lambda kind: KINDS[kind],
        placeholder="Choose: a file cannot be trusted to say",
    )
    return kind


def _options(look: Inspection, kind: str | None, columns: Mapping[str, str]) -> dict[str, Any]:
    """The options of the ingest that are chosen beside columns and kind."""
    left, middle, right = st.columns(3)
    dose = _remembered("doses", "per_dose")
    left.selectbox(
        "Several doses of a drug", list(DOSES), key=_key("doses"), format_func=DOSES.__getitem__
    )
    drug = columns.get("drug") or look.guesses.get("drug") or look.guesses.get("drug_dose")
    labels = [*look.levels.get(str(drug), ())]
    controls = _remembered("controls", [], known=labels)
    middle.multiselect(
        "Vehicle",
        labels,
        key=_key("controls"),
        placeholder="those known (DMSO, …)",
        help="Names of the vehicle in the column of drugs. Without a choice: rows flagged as "
        "controls, and names known here, such as DMSO, DMSO_TF or Dimethyl Sulfoxide.",
    )
    min_cells = _remembered("min_cells", 10)
    right.number_input("Few cells are fewer than", 0, 100_000, key=_key("min_cells"))
    options = {"dose": dose, "controls": tuple(controls), "min_cells": int(min_cells)}
    return {**options, **_rarely(look, kind, columns)}


def _rarely(look: Inspection, kind: str | None, columns: Mapping[str, str]) -> dict[str, Any]:
    """Options that only some files ask for."""
    found: dict[str, Any] = {}
    times = look.levels.get(columns.get("time", look.guesses.get("time", "")), ())
    boxes = st.columns(3)
    if len(times) > 1:
        found["time"] = _remembered("one_time", None)
        boxes[0].selectbox(
            "Time that is read",
            times,
            index=None,
            key=_key("one_time"),
            placeholder="choose one",
        )
    if look.layers:
        found["layer"] = _remembered("layer", None)
        boxes[1].selectbox(
            "Layer", look.layers, index=None, key=_key("layer"), placeholder="the usual one"
        )
    if kind not in {None, COUNTS}:
        found["unsigned"] = _remembered("unsigned", default=False)
        boxes[2].checkbox(
            "Changes may all be positive",
            key=_key("unsigned"),
            help="Otherwise numbers of which none is below zero are taken for expression, and "
            "refused.",
        )
    return found


# -- what was said stays said, also when the page is left ------------------------------------------


def _key(name: str) -> str:
    return f"{_PREFIX}{name}"


def _remembered(name: str, default: Any, known: Sequence[str] | None = None) -> Any:  # noqa: ANN401 - of any widget
    """The value of a widget: as it was set last, on this visit of the page or an earlier one.

    Of several values only those are kept that are still ``known``.
    """
    memory = st.session_state.setdefault(_MEMORY, {})
    value = st.session_state.get(_key(name), memory.get(name, default))
    if known is not None:
        value = [part for part in value if part in known]
    st.session_state[_key(name)] = memory[name] = value
    return value


def _plain_name(name: str) -> str:
    """A proposal for the atlas's name, after the file's."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", name.rsplit(".", 1)[0]).strip("_-")
    return stem[:_LONGEST_NAME] or "my_data"
