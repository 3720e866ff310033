"""What the data page keeps between reruns and shares among all visitors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from lgr_core.atlas.jobs import IngestJobs
from lgr_core.atlas.quality import quality_report
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.errors import LgrError
from pages.shared import state


class Summary(NamedTuple):
    """An atlas in one row; ``error`` says why it cannot be opened."""

    name: str
    simulated: bool | None = None
    kind: str = ""
    conditions: int | None = None
    cell_lines: int | None = None
    drugs: int | None = None
    genes: int | None = None
    size: int | None = None
    built: str = ""
    error: str = ""


def report(atlas: AtlasStore) -> dict[str, Any]:
    """The quality of an atlas, computed once a build; not to be written to."""
    return _report(atlas.build_id, atlas)


def summary(name: str) -> Summary:
    """An atlas in one row, read once a build."""
    index = state.folder_of(name) / "index.duckdb"
    stamp = index.stat().st_mtime_ns if index.exists() else 0
    return _summary(str(index.parent), stamp)


def jobs() -> IngestJobs:
    """The ingests of this installation, under way and done."""
    return _jobs(str(Settings.from_environment().atlases))


@st.cache_resource(max_entries=8, show_spinner="Checking the data")
def _report(build_id: str, _atlas: AtlasStore) -> dict[str, Any]:  # noqa: ARG001 - the key
    return quality_report(_atlas)


@st.cache_resource(max_entries=256, show_spinner=False)
def _summary(folder: str, stamp: int) -> Summary:  # noqa: ARG001 - a part of the cache's key
    path = Path(folder)
    try:
        atlas = state.store(path.name)
    except LgrError as err:
        return Summary(path.name, error=err.found)
    info = atlas.info()
    return Summary(
        atlas.name,
        atlas.simulated,
        atlas.value_kind.label,
        info["n_conditions"],
        len(info["cell_lines"]),
        len(info["drugs"]),
        info["n_genes"],
        sum(file.stat().st_size for file in path.iterdir()),
        info["built_at"],
    )


@st.cache_resource(show_spinner=False)
def _jobs(folder: str) -> IngestJobs:
    return IngestJobs(Path(folder), apart=True)
