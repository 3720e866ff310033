"""What outlives a rerun of benchmark runs: read once a run, by its folder and its stamp."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from lgr_core.config import Settings
from lgr_core.evaluation.config import CONFIG
from lgr_core.evaluation.demo_run import run_demo as score_demo
from lgr_core.evaluation.run_catalog import find_run
from lgr_core.evaluation.run_store import Run, load_run
from lgr_core.evaluation.runner import Progress
from pages.benchmark.runs import gaps_by, sliced, with_organs
from pages.shared import state


def run(name: str) -> Run:
    """The benchmark run of that name, loaded once.

    Raises
    ------
    LgrError
        If it cannot be read; the message says what to do.
    """
    return _run(_run_version(name))


def run_scores(name: str, regime: str, metric: str) -> pd.DataFrame:
    """The scores of a run in one regime on one metric, not to be written to."""
    return _run_scores(_run_version(name), regime, metric)


def run_gaps(name: str, regime: str, metric: str, by: str, method: str, rival: str) -> pd.DataFrame:
    """Paired gaps of two methods in each slice of the conditions: see ``gaps_by``."""
    return _run_gaps(_run_version(name), regime, metric, by, method, rival)


def run_slices(
    name: str, regime: str, metric: str, by: str, methods: tuple[str, ...], slices: tuple[str, ...]
) -> pd.DataFrame:
    """Means of some methods in some slices of the conditions: see ``sliced``."""
    return _run_slices(_run_version(name), regime, metric, by, methods, slices)


def run_demo(progress: Progress) -> None:
    """Score methods on the demo atlas; left half-way, it goes on there the next time."""
    score_demo(state.store("demo"), Settings.from_environment(), progress=progress)


def _run_version(name: str) -> state.Version:
    folder = find_run(name, Settings.from_environment())
    return str(folder), name, (folder / CONFIG).stat().st_mtime_ns


@st.cache_resource(max_entries=4, show_spinner="Loading the run")
def _run(version: state.Version) -> Run:
    return load_run(Path(version[0]))


@st.cache_resource(max_entries=32, show_spinner=False)
def _run_scores(version: state.Version, regime: str, metric: str) -> pd.DataFrame:
    scores = _run(version).scores
    return with_organs(scores[(scores["regime"] == regime) & (scores["metric"] == metric)])


@st.cache_resource(max_entries=64, show_spinner="Resampling")
def _run_gaps(
    version: state.Version, regime: str, metric: str, by: str, method: str, rival: str
) -> pd.DataFrame:
    return gaps_by(_run_scores(version, regime, metric), by, method, rival)


@st.cache_resource(max_entries=64, show_spinner="Resampling")
def _run_slices(
    version: state.Version,
    regime: str,
    metric: str,
    by: str,
    methods: tuple[str, ...],
    slices: tuple[str, ...],
) -> pd.DataFrame:
    return sliced(_run_scores(version, regime, metric), by, methods, slices)
