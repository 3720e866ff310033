"""What the page Browse keeps between reruns, shared by all visitors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import streamlit as st

from lgr_core.answer.kept_gains import kept_gains, read_gains
from lgr_core.answer.plan import PanelChoice, PanelGains, choose_tests
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.retrieval.drug_map import DrugMap, kept_drug_map
from lgr_core.retrieval.well_agreement import drug_agreement, well_agreement
from pages.shared.change_state import Build, build
from pages.shared.job_queue import Remembered


def agreement(atlas: AtlasStore) -> pd.DataFrame:
    """How far each condition's change comes back in another well; see ``well_agreement``.

    Raises
    ------
    UsageError
        If the atlas does not name plates.
    """
    return _agreement(build(atlas), atlas)


def strength(atlas: AtlasStore) -> pd.DataFrame:
    """The same by drug; see ``drug_agreement``."""
    return _strength(build(atlas), atlas)


def drug_map(atlas: AtlasStore) -> DrugMap:
    """The map of an atlas, computed once a build and kept on disk.

    Raises
    ------
    LgrError
        If there is none: the atlas names no plates, or nothing can be separated from its plate.
    """
    return _drug_map(build(atlas), atlas)


def choice(atlas: AtlasStore, cell_line: str | None, dose_um: float | None, k: int) -> PanelChoice:
    """Which drugs to measure next; see ``choose_tests``."""
    return _choice(build(atlas), cell_line, dose_um, k, atlas)


def known_gains(atlas: AtlasStore, dose_um: float | None, k: int) -> PanelGains | None:
    """The gains of panels that were worked out before."""
    return read_gains(atlas, _plans(), k=k, dose_um=dose_um)


def gains(atlas: AtlasStore, dose_um: float | None, k: int) -> PanelGains:
    """The gains of panels, worked out in a turn and kept on disk."""
    remembered = _gains(build(atlas), dose_um, k)
    return remembered.get(_work(atlas, dose_um, k))


def _plans() -> Path:
    return Settings.from_environment().derived / "plans"


def _work(atlas: AtlasStore, dose_um: float | None, k: int) -> Callable[[], PanelGains]:
    def work() -> PanelGains:
        with st.spinner("Leaving out one cell line after the other"):
            return kept_gains(atlas, _plans(), k=k, dose_um=dose_um)

    return work


@st.cache_resource(max_entries=8, show_spinner="Comparing wells")
def _agreement(build: Build, _atlas: AtlasStore) -> pd.DataFrame:  # noqa: ARG001 - a cache's key
    return well_agreement(_atlas)


@st.cache_resource(max_entries=8, show_spinner=False)
def _strength(build: Build, _atlas: AtlasStore) -> pd.DataFrame:  # noqa: ARG001 - a cache's key
    return drug_agreement(agreement(_atlas)).set_index("drug")


@st.cache_resource(max_entries=8, show_spinner="Drawing the map, once for this atlas")
def _drug_map(build: Build, _atlas: AtlasStore) -> DrugMap:  # noqa: ARG001 - a cache's key
    return kept_drug_map(_atlas, Settings.from_environment().derived / "maps")


@st.cache_resource(max_entries=32, show_spinner="Choosing drugs")
def _choice(
    build: Build,  # noqa: ARG001 - a cache's key
    cell_line: str | None,
    dose_um: float | None,
    k: int,
    _atlas: AtlasStore,
) -> PanelChoice:
    return choose_tests(_atlas, k=k, cell_line=cell_line, dose_um=dose_um)


@st.cache_resource(max_entries=32, show_spinner=False)
def _gains(build: Build, dose_um: float | None, k: int) -> Remembered[PanelGains]:  # noqa: ARG001
    return Remembered()
