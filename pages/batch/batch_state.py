"""What the page Batch keeps between reruns, shared by all visitors."""

from __future__ import annotations

import streamlit as st

from lgr_core.answer.default_change import offered_changes
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change


def changes(atlas: AtlasStore) -> tuple[Change, ...]:
    """The changes that a batch on an atlas can be asked for, the usual one first."""
    return _changes(atlas.build_id, atlas)


@st.cache_resource(max_entries=16, show_spinner=False)
def _changes(build_id: str, _atlas: AtlasStore) -> tuple[Change, ...]:  # noqa: ARG001 - the key
    return offered_changes(_atlas)
