"""What outlives a rerun: the only home of Streamlit's caches.

Everything here is shared by all visitors, so nothing here belongs to one of them. An atlas and all
that is derived from it is cached by its home, its name and the stamp of its build: one that is
built anew is picked up at the next click.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import streamlit as st

from lgr_core.atlas.ingest import ingest_demo
from lgr_core.atlas.store import AtlasStore, atlas_names, open_atlas
from lgr_core.config import Settings
from lgr_core.domain import Selector
from lgr_core.drugs.mechanisms import MechanismBook
from lgr_core.errors import InputError
from lgr_core.retrieval.budget import Budget
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.neighbor_files import neighbor_files
from lgr_core.retrieval.prices import Prices
from lgr_core.retrieval.question import LLMOptions, Policy, Scope
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import llm_selector
from pages.shared.question import DEMO
from pages.shared.structure import picture

Version: TypeAlias = tuple[str, str, int]
"""Home, name and build stamp of an atlas."""

SEED = 0
"""The seed of the random selector: the same link shows the same draw."""


def atlases() -> list[str]:
    """The atlases that are built in this installation."""
    return atlas_names(_folder())


def store(name: str) -> AtlasStore:
    """The atlas of that name, opened once a build.

    Raises
    ------
    LgrError
        If there is none, or it cannot be read; the message says what to do.
    """
    return _store(_version(name))


def selector(name: str, atlas: AtlasStore) -> Selector:
    """The selector of that name for an atlas, prepared once a build."""
    return _selector(_version(atlas.name), name, atlas)


def replaying(atlas: AtlasStore, scope: Scope) -> LLMSelector:
    """A language model's remembered answers for an atlas; it asks nobody."""
    settings = Settings.from_environment()
    files = neighbor_files(*settings.neighbor_folders)
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in files)
    return _replaying(_version(atlas.name), scope, settings.llm_model, stamps, atlas)


def budget() -> Budget:
    """What the operator's key may spend while this server lives, over all visitors."""
    return _budget(Settings.from_environment().llm_budget_usd)


def prices() -> Prices:
    """What language models cost."""
    return _prices()


def mechanisms(atlas: AtlasStore) -> Mapping[str, str]:
    """What each drug of an atlas does, in a few words; empty where it is not known."""
    return _mechanisms(_version(atlas.name), atlas)


def structure(smiles: str) -> str | None:
    """The picture of a structure, drawn once."""
    return _structure(smiles)


def demo_build() -> DemoBuild:
    """The one build of the demo that all visitors of this installation wait for."""
    return _demo_build(str(_folder()))


class DemoBuild:
    """Builds the demo atlas in a thread of its own, so that no visitor's leaving stops it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stage, self.done, self.total = "starting", 0, 1
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="demo")
        self._work: Future[Path] | None = None

    def start(self) -> Future[Path]:
        """The build under way; a new one if there is none, or the last one failed."""
        with self._lock:
            if self._work is None or (self._work.done() and self._work.exception() is not None):
                self._work = self._pool.submit(self._build)
            return self._work

    def share(self) -> float:
        """How much of the present stage is done, from 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    def _build(self) -> Path:
        try:
            return ingest_demo(self.folder, progress=self._tell)
        except InputError:
            if self.folder.exists():  # built by another process meanwhile
                return self.folder
            raise

    def _tell(self, stage: str, done: int, total: int) -> None:
        self.stage, self.done, self.total = stage, done, total


def _folder() -> Path:
    return Settings.from_environment().atlases


def _version(name: str) -> Version:
    index = _folder() / name / "index.duckdb"
    return str(_folder()), name, index.stat().st_mtime_ns if index.exists() else 0


@st.cache_resource(max_entries=8, show_spinner="Opening the atlas")
def _store(version: Version) -> AtlasStore:
    folder, name, _ = version
    return open_atlas(name, Path(folder))


@st.cache_resource(max_entries=32, show_spinner=False)
def _selector(version: Version, name: str, _atlas: AtlasStore) -> Selector:  # noqa: ARG001
    return make_selector(name, _atlas, seed=SEED)


@st.cache_resource(max_entries=32, show_spinner=False)
def _replaying(
    version: Version,  # noqa: ARG001 - a part of the cache's key, as the two below
    scope: Scope,
    model: str,
    stamps: tuple[tuple[str, int], ...],  # noqa: ARG001
    _atlas: AtlasStore,
) -> LLMSelector:
    options = LLMOptions(policy=Policy.REPLAY, scope=scope, model=model)
    return llm_selector(_atlas, Settings.from_environment(), options)


@st.cache_resource(show_spinner=False)
def _budget(limit_usd: float | None) -> Budget:
    return Budget(max_usd=limit_usd)


@st.cache_resource(show_spinner=False)
def _prices() -> Prices:
    return Prices.load()


@st.cache_resource(max_entries=8, show_spinner=False)
def _mechanisms(version: Version, _atlas: AtlasStore) -> Mapping[str, str]:  # noqa: ARG001
    book, words = MechanismBook.load(), {}
    for drug, row in _atlas.annotations.items():
        known = book.annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
        labels = ", ".join(book.mechanism(tag).label for tag in known.tags)
        words[drug] = labels or str(row.get("moa") or "")
    return words


@st.cache_resource(max_entries=4_096, show_spinner=False)
def _structure(smiles: str) -> str | None:
    return picture(smiles)


@st.cache_resource(show_spinner=False)
def _demo_build(folder: str) -> DemoBuild:
    return DemoBuild(Path(folder) / DEMO)
