"""Atlases that a visitor keeps to the visit: in a folder of its own, removed when it ends."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lgr_core.atlas.atomic_folder import LockedFolder
from lgr_core.config import Settings

_KEY = "visit_folder"
_KIND = "visit"


def folder() -> Path | None:
    """The folder of this visit's atlases; None while it has none."""
    kept = st.session_state.get(_KEY)
    return None if kept is None else kept.path


def made_folder() -> LockedFolder:
    """The same, made when it is first asked for; it is removed once nothing refers to it."""
    if _KEY not in st.session_state:
        st.session_state[_KEY] = LockedFolder(Settings.from_environment().received, _KIND)
    return st.session_state[_KEY]


def is_of_this_visit(path: Path) -> bool:
    """Whether an atlas's folder is one of this visit's."""
    own = folder()
    return own is not None and path.parent == own
