"""My own cells: a table of untreated expression, kept for the visit and read where it does no harm.

What is sent is removed from the server as soon as it was read; the numbers stay with the visit.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from hashlib import sha256

import streamlit as st

from lgr_core.answer.export import table_csv
from lgr_core.answer.own_profile import check_unmeasured, placed_line, profile_genes, template
from lgr_core.atlas.control_profiles import ControlProfiles
from lgr_core.atlas.sources.profile_tables import read_profiles
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.uploads import receive
from lgr_core.config import Settings
from lgr_core.errors import LgrError
from lgr_core.prediction.line_features import LineFacts
from lgr_core.prediction.profile_ridge import NewLine
from pages.shared import links, pieces, uploading
from pages.shared.widgets import html

OWN, SENT = "own_cells", "own_cells_sent"
"""The line that is asked for, and the table that was read for it."""

_REFUSED, _TURN = "own_cells_refused", "own_cells_turn"

WORDS = (
    "Untreated expression of your own cells: a row a gene and a column a sample, or the other way "
    "round; TPM, counts or logarithms. It is kept for this visit only, and never shown to others."
)
NO_PROFILES = (
    "This atlas has no untreated expression to compare your cells with. Name the organ and driver "
    "genes of your cells instead."
)
_LARGEST = 5_000_000
_TYPES = ["csv", "tsv", "parquet"]


@dataclass(frozen=True, eq=False)
class OwnCells:
    """A visitor's line beside an atlas: its genes that the atlas's profiles have, of how many."""

    atlas: str
    line: NewLine
    n_matched: int
    n_genes: int
    units: str


def active(store: AtlasStore) -> OwnCells | None:
    """The visitor's line, if it was placed beside this atlas."""
    own = st.session_state.get(OWN)
    return own if own is not None and own.atlas == store.name else None


def leave() -> None:
    """Go back to the atlas's lines; nothing of the visitor's is kept."""
    for key in (OWN, SENT):
        st.session_state.pop(key, None)
    links.picked()


def draw(store: AtlasStore) -> None:
    """The box in the side bar."""
    turn = st.session_state.get(_TURN, 0)  # another key is another box, which is closed
    box = st.sidebar.popover("My own cells", icon=":material/biotech:", key=f"own_{turn}")
    with box:
        profiles = _profiles(store) if store.line_profiles is not None else None
        if store.line_profiles is None:
            html(pieces.caption(NO_PROFILES))
        names = () if profiles is None else profiles.cell_lines
        column = names[0] if names else ""
        if len(names) > 1:
            column = st.selectbox("Column of your table", names, key="own_column")
        name = st.text_input("Name", value=column or "My cells", key=f"own_name_{column}")
        left, right = st.columns(2)
        organ = left.text_input("Organ, if known", key="own_organ", placeholder="lung")
        drivers = right.text_input("Driver genes, if known", key="own_drivers", placeholder="KRAS")
        ready = profiles is not None or bool(organ.strip() or drivers.strip())
        given = name.strip() or "My cells", organ, drivers
        st.button(
            "Predict in my cells",
            key="own_go",
            type="primary",
            disabled=not ready,
            on_click=_place,
            args=(store, profiles, column, *given),
        )
        refused = st.session_state.pop(_REFUSED, None)
        if refused is not None:
            html(pieces.error_box(refused))


def _profiles(store: AtlasStore) -> ControlProfiles | None:
    """What was sent or pasted, read once; None before, or after a box has said what is wrong."""
    html(pieces.caption(WORDS))
    st.download_button(
        "Template (csv)",
        lambda: table_csv(template(store)).encode(),
        file_name="untreated_expression.csv",
        mime="text/csv",
        key="own_template",
        on_click="ignore",
        icon=":material/download:",
    )
    sent = st.file_uploader("Table", type=_TYPES, key="own_file") if uploading.allowed() else None
    with st.expander("Or paste it"):
        pasted = st.text_area("Table as text", key="own_text", height=120, max_chars=_LARGEST)
    if sent is None and not pasted.strip():
        return None
    name = "pasted.csv" if sent is None else sent.name
    if sent is None and "\t" in pasted.partition("\n")[0]:
        name = "pasted.tsv"
    content = pasted.strip().encode() if sent is None else sent.getvalue()
    key = (store.name, store.build_id, name, sha256(content).hexdigest())
    kept = st.session_state.get(SENT)
    if kept is None or kept[0] != key:
        kept = key, _read(store, content, name)
        st.session_state[SENT] = kept
    if isinstance(kept[1], LgrError):
        html(pieces.error_box(kept[1]))
        return None
    return kept[1]


def _read(store: AtlasStore, content: bytes, name: str) -> ControlProfiles | LgrError:
    try:
        folder = Settings.from_environment().received
        upload = receive(io.BytesIO(content), name, len(content), folder)
    except LgrError as err:
        return err
    try:
        with st.spinner("Reading the table"):
            return upload.read(read_profiles, profile_genes(store), None)
    except LgrError as err:
        return err
    finally:
        upload.close()


def _place(
    store: AtlasStore,
    profiles: ControlProfiles | None,
    column: str,
    name: str,
    organ: str,
    drivers: str,
) -> None:
    """Keep the line for the visit, and close the box."""
    facts, theirs = LineFacts.parse(organ, drivers.replace(",", ";")), store.line_profiles
    try:
        check_unmeasured(store, name)
    except LgrError as err:
        st.session_state[_REFUSED] = err
        return
    if profiles is None or theirs is None:
        own = OwnCells(store.name, NewLine(name, None, facts), 0, 0, "")
    else:
        line = placed_line(store, name, profiles, profiles.cell_lines.index(column), facts)
        matched = len(set(profiles.genes) & set(theirs.genes))
        own = OwnCells(store.name, line, matched, len(theirs.genes), profiles.units)
    st.session_state[OWN] = own
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    links.picked()
