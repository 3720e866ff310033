"""What an ingest would find, the ingest itself, and how far it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

import pandas as pd
import streamlit as st

from lgr_core.atlas.ingest_preview import IngestPreview, preview_ingest
from lgr_core.atlas.jobs import IngestJob
from lgr_core.atlas.uploads import Upload
from lgr_core.errors import LgrError, NotFoundError
from pages.data import data_sent, data_state
from pages.data.data_columns import Choice
from pages.data.data_sent import CHECKED, forget
from pages.shared import browsing, links, pieces, state, visit_atlases
from pages.shared.data_words import MORE_ROLES, ROLES
from pages.shared.fault_words import remedy_words
from pages.shared.job_queue import READING, shown_turn
from pages.shared.widgets import html
from pages.shared.words import count, dose_words, listed, literal

log = logging.getLogger(__name__)

_MOST_NAMED = 12
_EVERY = 1.0
"""Seconds between two looks at an ingest that runs."""

Found = TypeVar("Found")


def tried(upload: Upload, read: Callable[[], Found]) -> Found | LgrError:
    """What reading gives, or the one error that says why it gives nothing."""
    try:
        with shown_turn(READING):
            return read()
    except LgrError as err:
        return upload.public_error(err)
    except Exception as err:
        log.exception("an upload cannot be read")
        return upload.unreadable(err)


def draw(upload: Upload, choice: Choice) -> None:
    """The button that checks, what it found, and the button that ingests."""
    asked = (choice, tuple(upload.companions.items()))
    html(pieces.section("4. Check, then ingest"))
    if st.button("Check", key="check", icon=":material/fact_check:"):
        with st.spinner("Reading the file"):
            st.session_state[CHECKED] = (asked, tried(upload, lambda: _preview(upload, choice)))
    checked, found = st.session_state.get(CHECKED, (None, None))
    if found is None:
        html(pieces.caption("The check reads the file and builds nothing."))
        return
    if isinstance(found, LgrError):
        html(pieces.error_box(found))
    else:
        _show(found, upload, choice.name)
    if checked != asked:
        html(pieces.caption("Something was changed since: check again."))
    elif not isinstance(found, LgrError):
        st.button(
            "Ingest",
            key="ingest_now",
            type="primary",
            icon=":material/database_upload:",
            on_click=_begin,
            args=(upload, choice),
        )
        _refusal()


def _preview(upload: Upload, choice: Choice) -> IngestPreview:
    data_state.jobs().check_free(choice.name, visit_atlases.folder())
    return upload.read(preview_ingest, choice.options, **upload.companions)


def _show(found: IngestPreview, upload: Upload, name: str) -> None:
    """What would be found, as a table of numbers and words."""
    doses = [None if pd.isna(d) else d for d in sorted(found.conditions["dose_um"].unique())]
    known = found.conditions["n_cells"].notna()
    few = int(found.conditions["underpowered"].sum())
    vehicles = [f"{label} ({n:,})" for label, n in found.controls.items()]
    labels = {**ROLES, **MORE_ROLES}
    columns = [f"{labels.get(role, role)}: {column}" for role, column in found.columns.items()]
    drugs = found.count("drug")
    html(
        pieces.facts(
            [
                ("atlas", name),
                (f"{found.unit} kept", f"{found.n_used:,}"),
                ("left out", "; ".join(_left_out(found.left_out)) or "nothing"),
                ("conditions", f"{len(found.conditions):,}"),
                ("cell lines", _named(found.conditions["cell_line"])),
                ("drugs", f"{_named(found.conditions['drug'])}"),
                ("structures known", f"of {found.with_structure:,} of {count(drugs, 'drug')}"),
                ("doses", listed(map(dose_words, doses))),
                ("vehicle", ", ".join(vehicles) or "none: the changes are taken as they are"),
                ("plates", f"{found.plates:,}" if found.plates else "not known"),
                ("genes", f"{found.genes:,}"),
                ("few cells", _few_words(few, int(known.sum()))),
                ("values", found.value_kind.label),
                ("columns", "; ".join(columns) or "as the form has them"),
                *([] if found.time is None else [("time", found.time)]),
            ]
        )
        + pieces.notes(upload.public_text(remark.text(remedy_words)) for remark in found.remarks)
    )
    table = found.conditions.drop(columns=["doses_um", "n_replicates"], errors="ignore")
    browsing.download(table, f"{name} conditions")


def _left_out(reasons: Mapping[str, int]) -> list[str]:
    return [f"{n:,} ({reason})" for reason, n in reasons.items()]


def _few_words(few: int, known: int) -> str:
    if not known:
        return "cells are not known"
    return f"{few:,} of {count(known, 'condition')} with known cells"


def _named(values: pd.Series) -> str:
    """How many names, and the first of them."""
    names = sorted(map(str, values.unique()))
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return f"{len(names):,}: {', '.join(names[:_MOST_NAMED])}{more}"


# -- the ingest ------------------------------------------------------------------------------------


def _begin(upload: Upload, choice: Choice) -> None:
    """Begin, and remember under what key; a name that was taken meanwhile is refused."""
    visit = visit_atlases.made_folder() if data_sent.for_this_visit() else None
    try:
        key = data_state.jobs().start(
            upload, choice.name, choice.options, simulated=choice.simulated, visit=visit
        )
    except LgrError as err:
        st.session_state["refused"] = err
        return
    links.keep({"ingest": key})


def _refusal() -> None:
    error = st.session_state.pop("refused", None)
    if error is not None:
        html(pieces.error_box(error))


def progress(key: str) -> None:
    """How far the ingest of that key is; it goes on whether or not somebody looks."""
    job = data_state.jobs().find(key)
    if job is None or not _is_ours(job):
        found = "this server knows of no such ingest: it was started anew since, or the link is old"
        do = "See whether the atlas is among all atlases; else send the file again."
        html(pieces.error_box(NotFoundError("An ingest that was begun", found, do)))
        st.button("Send a file", key="again", on_click=_leave, type="primary")
    elif not job.ended:
        _running(key)
    elif job.error is not None:
        html(pieces.error_box(job.error))
        words = "No atlas was built. What you chose is kept; change it, or send another file."
        html(pieces.caption(words))
        st.button("Back to the file", key="again", on_click=_leave, type="primary")
    else:
        _done(job)


@st.fragment(run_every=_EVERY)
def _running(key: str) -> None:
    job = data_state.jobs().find(key)
    if job is None or job.ended:
        st.rerun()
    words = f"The atlas {job.name} is being built."
    html(pieces.lead([pieces.strong(words)]))
    before = data_state.jobs().waiting(job)
    stage = f"waiting for {count(before, 'ingest')} before it" if before else job.stage
    st.progress(job.share(), literal(stage.capitalize()))
    html(pieces.caption("Leave the page if you like: it goes on, and this address shows it again."))


def _done(job: IngestJob) -> None:
    store = state.store(job.name)
    own = visit_atlases.is_of_this_visit(store.folder)
    who = "by you alone, until this visit ends" if own else "by everybody who can open this page"
    html(pieces.lead([f"{pieces.strong(job.name)} is built, and can be explored {who}."]))
    html(pieces.badge(store.info(), store.value_kind.label))
    with st.container(horizontal=True, gap="small"):
        if st.button("Open it in Predict", key="open", type="primary", icon=":material/insights:"):
            _another()
            st.switch_page("pages/views/predict.py", query_params={"atlas": job.name})
        st.button("See what it covers", key="covers", on_click=_cover, args=(job.name,))
        st.button("Add another file", key="another", on_click=_another)


def _is_ours(job: IngestJob) -> bool:
    """Whether it is everybody's, or of this visit."""
    jobs = data_state.jobs()
    return job.folder in {jobs.folder, visit_atlases.folder()}


def _leave() -> None:
    links.keep({"ingest": ""})


def _another() -> None:
    """Forget the file that is an atlas now."""
    _leave()
    forget()


def _cover(name: str) -> None:
    _another()
    links.keep({"atlas": name, "part": "coverage"})
