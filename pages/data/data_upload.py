"""Bring your own data: limits, a file, what it holds, a check, and on to an atlas."""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lgr_core.atlas.sources.inspection import Inspection, inspect_file
from lgr_core.atlas.uploads import COMPANIONS, ENDINGS, READERS, Upload, receive
from lgr_core.config import Settings
from lgr_core.errors import LgrError
from pages.data import data_check, data_columns
from pages.data.data_sent import LOOK, SENT, TABLES, TURN, forget, who_sees_it
from pages.data.data_view import Seen
from pages.shared import pieces, uploading
from pages.shared.widgets import html

TYPES = [ending.removeprefix(".") for ending in ENDINGS]
OFF = (
    "Whoever runs this server has switched uploads off, as they are on any server that others "
    "reach unless LGR_UPLOADS=1 is set for it. On your own computer the same is one command; "
    "install this program there, then:"
)
LEAD = (
    "A file of measurements becomes an atlas that every page can explore. You see what was "
    "recognised of it before anything is built."
)
SHELL = "lgr ingest FILE --name NAME --value-kind log2fc    # raw counts: without --value-kind"


def show(seen: Seen) -> None:
    """The ingest that was begun, else the way to begin one."""
    html(pieces.title("Bring your own data"))
    if not uploading.allowed():
        html(pieces.lead([OFF]))
        st.code(SHELL, language="sh")
        return
    if seen.ingest:
        data_check.progress(seen.ingest)
        return
    html(pieces.lead([LEAD]))
    who_sees_it()
    upload = st.session_state.get(SENT)
    if upload is None:
        _take()
        return
    found = _inspect(upload)
    _show_file(upload)
    if isinstance(found, LgrError):
        html(pieces.error_box(upload.public_error(found)))
        return
    choice = data_columns.choose(upload, found)
    if choice is not None:
        data_check.draw(upload, choice)


def _limits() -> list[str]:
    """What may be sent, and where it is kept."""
    size = st.get_option("server.maxUploadSize")
    return [
        f"At most {size:,} MB; larger files are ingested in a shell (lgr ingest).",
        "Raw counts of cells or wells, vehicles among them: h5ad.",
        "Changes: h5ad, parquet, CSV or TSV; a row per condition, or transposed, or a long table.",
        "Columns (or rows) of cell lines and drugs; doses, plates, cell numbers if there are any.",
        "Until it is an atlas, the file is kept on this server, and removed when you go.",
    ]


def _take() -> None:
    """The box that takes a file; what it took is stored at once, and forgotten by the box."""
    html(pieces.section("1. Your file"))
    READERS.start()  # while the visitor looks for the file
    turn = st.session_state.setdefault(TURN, 0)
    sent = st.file_uploader("Measurements", type=TYPES, key=f"file_{turn}")
    with st.expander("What a file may hold, and where it is kept"):
        html(pieces.notes(_limits()))
    if sent is None:
        return
    try:
        folder = Settings.from_environment().received
        st.session_state[SENT] = receive(sent, sent.name, sent.size, folder)
    except LgrError as err:
        html(pieces.error_box(err))
        return
    st.session_state[TURN] = turn + 1
    st.rerun()


def _inspect(upload: Upload) -> Inspection | LgrError:
    """What the file holds, looked at once."""
    if LOOK not in st.session_state:
        with st.spinner("Looking at the file"):
            st.session_state[LOOK] = data_check.tried(upload, lambda: upload.read(inspect_file))
    return st.session_state[LOOK]


def _show_file(upload: Upload) -> None:
    html(pieces.section("1. Your file"))
    html(pieces.facts([(upload.name, f"{upload.size / 1e6:,.2f} MB")]))
    st.button("Remove this file", key="remove", icon=":material/delete:", on_click=forget)
    with st.expander("Tables of drugs and of cell lines (optional)"):
        words = (
            "CSV. Drugs: columns drug, smiles, moa, targets, pubchem_cid. Cell lines: cell_line, "
            "organ, cellosaurus, depmap_id, driver_genes. Names that are known here need none."
        )
        html(pieces.caption(words))
        for role, label in zip(COMPANIONS, ("Drugs", "Cell lines"), strict=True):
            key = f"{role}_{st.session_state[TURN]}"
            _companion(upload, role, st.file_uploader(label, type="csv", key=key))


def _companion(upload: Upload, role: str, sent: UploadedFile | None) -> None:
    """Keep a table as it was sent; it is taken once, and dropped when its box is emptied."""
    took = st.session_state.setdefault(TABLES, {})
    if sent is None:
        if took.pop(role, None) is not None:
            upload.drop(role)
    elif took.get(role) != sent.file_id:
        upload.add(role, sent)
        took[role] = sent.file_id
