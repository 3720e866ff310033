"""The offer of Tahoe-100M to an installation that has the simulated demo alone.

Whoever may send files to this server may start the download here; else, and anywhere, one line in
a shell does the same. Both keep what has come, and go on where they were cut off.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path

import streamlit as st

from lgr_core.errors import LgrError
from pages.shared import pieces, state, uploading
from pages.shared.question import DEMO
from pages.shared.shared_job import SharedJob
from pages.shared.tahoe_fetch import DOSE_UM, NAME
from pages.shared.widgets import html

COMMAND = f"lgr fetch tahoe --doses {DOSE_UM:g} --ingest {NAME}"

OFFER = "Get Tahoe-100M (about 0.4 GB)"
WHAT = (
    "Measured changes of some 370 drugs in 50 cancer cell lines at 5 µM, by Tahoe Therapeutics and "
    "Arc Institute; licence CC0 1.0, free for any use. It is fetched from the Hugging Face Hub, "
    "checked, and built into the atlas “tahoe”."
)
_POLL_S = 1.0


def show(names: list[str]) -> None:
    """The offer in the side bar, where the demo is the only atlas."""
    if names != [DEMO]:
        return
    run = state.tahoe_fetch().run
    running = run is not None and not run.done()
    with st.sidebar.popover(OFFER, icon=":material/download:", key="tahoe"):
        st.fragment(_offer, run_every=_POLL_S if running else None)()


def _offer() -> None:
    job = state.tahoe_fetch()
    html(pieces.caption(WHAT))
    if uploading.allowed():
        run = job.run
        if run is not None and not run.done():
            st.progress(job.share(), progress_words(job))
        elif run is not None and _ended(run):
            st.rerun()
        elif st.button("Get it now" if run is None else "Go on where it stopped", key="tahoe_get"):
            job.start()
            st.rerun()
        html(pieces.caption("You may close this page meanwhile. In a shell, the same is:"))
    else:
        html(pieces.caption("Whoever runs this server can get it, in a shell:"))
    st.code(COMMAND, language="shell", wrap_lines=True)


def progress_words(job: SharedJob) -> str:
    """The stage of a job, and how far it has come."""
    if job.stage.endswith(", MB"):
        return f"Fetching: {job.done:,} of {job.total:,} MB"
    return job.stage.replace("_", " ").capitalize()


def _ended(run: Future[Path]) -> bool:
    """Whether the run made the atlas; else what went wrong is shown."""
    error = run.exception()
    if error is None:
        return True
    if not isinstance(error, LgrError):
        raise error
    html(pieces.error_box(error))
    return False
