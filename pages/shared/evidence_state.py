"""What the methods that weigh everything keep between reruns, shared by all visitors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import streamlit as st
from threadpoolctl import threadpool_limits

from lgr_core.answer import Answer, predict, with_trust, with_tuned_params
from lgr_core.answer.baselines import BaselineComparison, compare
from lgr_core.atlas.quality import noise_ceiling
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import Change, Condition
from lgr_core.prediction.best_evidence import BestEvidence
from lgr_core.prediction.linear_methods import LinearMethod
from lgr_core.retrieval.neighbor_files import neighbor_files
from pages.shared import state
from pages.shared.job_queue import Remembered

Stamps: TypeAlias = tuple[tuple[str, int], ...]
"""Files with the times at which they were written."""


def answer(
    atlas: AtlasStore, method: str, query: Condition, k: int, change: Change = Change.TOTAL
) -> Answer:
    """A method's answer, computed once for the same question, build and remembered answers.

    Raises
    ------
    LgrError
        If the question has no answer; the message says what to do.
    """
    remembered = _answer(_build(atlas), method, query, k, change, _memory())
    return remembered.get(lambda: _predicted(atlas, method, query, k, change))


def weighing(atlas: AtlasStore, method: str, change: Change = Change.TOTAL) -> LinearMethod:
    """A method that weighs everything, ready to be asked."""
    kept = _method(_build(atlas), method, change, _memory())
    return kept.get(lambda: _prepared(atlas, method, change))


def told(atlas: AtlasStore, given: Answer) -> Answer:
    """The answer with its trust, from the newest run that calibrated its method."""
    prediction, retrieval = given.prediction, given.retrieval
    asked = (prediction.method, prediction.query, retrieval.k, retrieval.drugs, given.change)
    runs = Settings.from_environment().runs
    stamps = (*_stamps(runs.glob("*/calibration.json")), *_memory())
    found = _trusted(_build(atlas), asked, stamps, runs, given, atlas)
    names = ("trust", "calibrated", "trust_note")
    return replace(given, **{name: getattr(found, name) for name in names})


def baselines(atlas: AtlasStore, given: Answer) -> BaselineComparison | None:
    """Every rival's answer to the same question, computed once; see ``compare``.

    It hangs on how many neighbours are averaged, but not on which.
    """
    asked = (
        given.pool.query,
        given.pool.drugs,
        given.retrieval.k,
        len(given.separable_neighbors),
        given.change,
    )
    remembered = _baselines(_build(atlas), asked, _memory())
    return remembered.get(lambda: _compared(atlas, given))


def ceiling(atlas: AtlasStore) -> pd.DataFrame:
    """How well plates of a condition agree in each line; see ``quality.noise_ceiling``."""
    return _ceiling(atlas.build_id, atlas)


def _build(atlas: AtlasStore) -> tuple[str, ...]:
    return (str(atlas.folder), atlas.build_id, *atlas.unseen_drug_key)


def _memory() -> Stamps:
    """The files of language models' answers and of benchmark runs, as they are now."""
    settings = Settings.from_environment()
    files = [*neighbor_files(*settings.neighbor_folders), *settings.answers.glob("*.jsonl")]
    files += settings.runs.glob("*/config.json")
    return _stamps(files)


def _stamps(files: Iterable[Path]) -> Stamps:
    return tuple((str(path), path.stat().st_mtime_ns) for path in sorted(files))


def _prepared(atlas: AtlasStore, name: str, change: Change) -> LinearMethod:
    """A method, whose parameters may have to be tuned first."""
    with st.spinner("Preparing the method"):
        return with_tuned_params(
            name, state.reader(atlas, change), selectors=lambda key: state.selector(key, atlas)
        )


def _predicted(atlas: AtlasStore, method: str, query: Condition, k: int, change: Change) -> Answer:
    # One thread: several visitors share the cores, and threads that wait for one another are slow.
    with st.spinner("Weighing every measured change"), threadpool_limits(1, "blas"):
        return predict(
            atlas,
            cell_line=query.cell_line,
            drug=query.drug,
            dose_um=query.dose_um,
            method=_method(_build(atlas), method, change, _memory()).now(
                lambda: _prepared(atlas, method, change)
            ),
            k=k,
            change=change,
            reader=state.reader(atlas, change),
        )


def _compared(atlas: AtlasStore, given: Answer) -> BaselineComparison | None:
    best, change = BestEvidence.name, given.change
    with st.spinner("Asking every rival"), threadpool_limits(1, "blas"):
        weighed = _method(_build(atlas), best, change, _memory()).now(
            lambda: _prepared(atlas, best, change)
        )
        return compare(
            atlas,
            given,
            lambda name: state.selector(name, atlas),
            ready={best: weighed},
            reader=state.reader(atlas, change),
            seed=state.SEED,
        )


@st.cache_resource(max_entries=8, show_spinner=False)
def _method(
    build: tuple[str, ...],  # noqa: ARG001 - a part of the cache's key, as those below
    name: str,  # noqa: ARG001
    change: Change,  # noqa: ARG001
    memory: Stamps,  # noqa: ARG001
) -> Remembered[LinearMethod]:
    return Remembered()


@st.cache_resource(max_entries=64, show_spinner=False)
def _answer(
    build: tuple[str, ...],  # noqa: ARG001
    method: str,  # noqa: ARG001
    query: Condition,  # noqa: ARG001
    k: int,  # noqa: ARG001
    change: Change,  # noqa: ARG001
    memory: Stamps,  # noqa: ARG001
) -> Remembered[Answer]:
    return Remembered()


@st.cache_resource(max_entries=64, show_spinner=False)
def _trusted(
    build: tuple[str, ...],  # noqa: ARG001
    asked: tuple[Any, ...],  # noqa: ARG001
    stamps: Stamps,  # noqa: ARG001
    _runs: Path,
    _given: Answer,
    _atlas: AtlasStore,
) -> Answer:
    with threadpool_limits(1, "blas"):
        reader = state.reader(_atlas, _given.change)
        return with_trust(_atlas, _given, _runs, reader=reader)


@st.cache_resource(max_entries=32, show_spinner=False)
def _baselines(
    build: tuple[str, ...],  # noqa: ARG001
    asked: tuple[Any, ...],  # noqa: ARG001
    memory: Stamps,  # noqa: ARG001
) -> Remembered[BaselineComparison | None]:
    return Remembered()


@st.cache_resource(max_entries=8, show_spinner="Comparing plates")
def _ceiling(build: str, _atlas: AtlasStore) -> pd.DataFrame:  # noqa: ARG001
    return noise_ceiling(_atlas)
