"""Many queries at once: checked, predicted, taken home."""

import streamlit as st

from pages.batch import batch_after, batch_asking, batch_before, batch_boxes
from pages.batch.batch_asking import Wanted
from pages.shared import pieces
from pages.shared.widgets import html

LEAD = (
    "Paste queries. The list is checked first; nothing runs, and nothing costs, before you say so. "
    "A drug that the atlas lacks is predicted from its structure (SMILES) or its mechanism."
)


def show(wanted: Wanted) -> None:
    """The list, what it would take, what came of it."""
    store, job = wanted.store, st.session_state.get("batch")
    html(pieces.badge(store.info(), store.value_kind.label) + pieces.title("Batch"))
    html(pieces.lead([LEAD]))
    html(pieces.notes(wanted.notes))
    batch_boxes.boxes(wanted)
    ours = job is not None and job.link == wanted.link()
    if job is not None and not ours:
        batch_boxes.last_batch(job.link)
    if wanted.empty:
        batch_boxes.example_button(store)
        html(pieces.caption(batch_before.limits(wanted)))
        return
    reading = wanted.read()
    ready = batch_before.dry_run(wanted, reading)
    may, ask = batch_before.asking(wanted, reading) if ready else (False, None)
    batch_after.run_button(wanted, reading, ready=ready and may, ask=ask)
    if ours:
        batch_after.progress(job)
        batch_after.results(job)


wanted = batch_asking.ask()
if wanted is not None:
    show(wanted)
