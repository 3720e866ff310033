"""Views of measured changes between reruns, shared by all visitors: what a search reads."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import UsageError
from lgr_core.retrieval.kept_changes import kept_changes
from lgr_core.retrieval.specific_change import View, changes_of, specific_changes
from lgr_core.signatures.library import SignatureLibrary
from pages.shared import state
from pages.shared.question import EVERY, spell_dose

Build = tuple[str, str]
"""The folder and the build of an atlas."""


def changes(atlas: AtlasStore, view: View) -> Callable[[IntArray], FloatArray]:
    """What reads a view of all measured changes, computed once a build and kept on disk.

    Raises
    ------
    UsageError
        If specific changes are asked for of an atlas that does not name plates.
    """
    return _changes(build(atlas), view, atlas)


def separable(atlas: AtlasStore) -> BoolArray:
    """(n_conditions,) the conditions that have a specific change; none without plates."""
    return _separable(build(atlas), atlas)


def library(
    atlas: AtlasStore, view: View, cell_line: str | None, dose: str = EVERY
) -> SignatureLibrary:
    """What a search reads: one line or all, the dose as a link spells it or every dose.

    Raises
    ------
    LgrError
        If nothing can be searched there; the message says what to do.
    """
    return _library(build(atlas), view, cell_line, dose, atlas)


def build(atlas: AtlasStore) -> Build:
    """What tells a build of an atlas from every other, for a cache's key."""
    return str(atlas.folder), atlas.build_id


@st.cache_resource(max_entries=8, show_spinner="Taking away what each plate shares")
def _changes(
    build: Build,  # noqa: ARG001 - a part of the cache's key, as those below
    view: View,
    _atlas: AtlasStore,
) -> Callable[[IntArray], FloatArray]:
    return kept_changes(_atlas, view, Settings.from_environment().derived / "changes")


@st.cache_resource(max_entries=8, show_spinner=False)
def _separable(build: Build, _atlas: AtlasStore) -> BoolArray:  # noqa: ARG001
    try:
        return specific_changes(_atlas, state.reader(_atlas).labels).defined
    except UsageError:  # its plates are not known
        return np.zeros(len(_atlas.conditions), dtype=bool)


@st.cache_resource(max_entries=16, show_spinner="Reading what is searched")
def _library(
    build: Build,  # noqa: ARG001
    view: View,
    cell_line: str | None,
    dose: str,
    _atlas: AtlasStore,
) -> SignatureLibrary:
    doses = {spell_dose(d): d for line in _atlas.info()["cell_lines"] for d in _atlas.doses(line)}
    chosen = None if dose == EVERY else [doses[dose]]
    # Of one line little is read: only a search through all is worth a file of every change.
    read = changes_of(_atlas, view) if cell_line is not None else changes(_atlas, view)
    return SignatureLibrary.read(
        _atlas, state.book(), cell_line=cell_line, doses=chosen, changes=read
    )
