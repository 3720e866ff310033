"""What outlives a rerun: with ``run_state`` the only home of Streamlit's caches.

Everything here is shared by all visitors, so nothing here belongs to one of them. An atlas and all
that is derived from it is cached by its home, its name and the stamp of its build: one that is
built anew is picked up at the next click.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd
import streamlit as st

from lgr_core.answer.new_line_trust import HeldOutLines, hold_lines_out
from lgr_core.atlas.curated_annotation import CURATED
from lgr_core.atlas.store import AtlasStore, atlas_names, open_atlas
from lgr_core.atlas.unseen_drug import UnseenDrug, with_unseen_drug
from lgr_core.audit.rationale_audit import RationaleAudit
from lgr_core.config import SHIPPED, Settings
from lgr_core.domain import Change, FloatArray, Selector
from lgr_core.drugs.catalog import load_aliases
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.enrichment import GeneSets, collections, load_collection, prerank
from lgr_core.llm.budget import Budget
from lgr_core.llm.endpoint import Service
from lgr_core.llm.prices import Prices
from lgr_core.prediction.profile_ridge import LineBasis
from lgr_core.retrieval.neighbor_files import neighbor_files
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.recorded_selector import RecordedSelector
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector
from lgr_core.signatures.expected import ExpectedSignatures
from pages.shared import visit_atlases
from pages.shared.demo_build import DemoBuild
from pages.shared.question import DEMO
from pages.shared.structure import picture
from pages.shared.tahoe_fetch import TahoeFetch

Version: TypeAlias = tuple[str, str, int]
"""Home, name and build stamp of an atlas."""

Wider: TypeAlias = tuple[Version, tuple[str, ...]]
"""The version of an atlas, and the drug beyond it that it was widened with."""

SEED = 0
"""The seed of the random selector: the same link shows the same draw."""


def atlases() -> list[str]:
    """The atlases that are built in this installation, and those of this visit."""
    own = visit_atlases.folder()
    return sorted({*atlas_names(_folder()), *([] if own is None else atlas_names(own))})


def folder_of(name: str) -> Path:
    """The folder in which the atlas of that name is, or would be."""
    own = visit_atlases.folder()
    return own / name if own is not None and (own / name).is_dir() else _folder() / name


def store(name: str) -> AtlasStore:
    """The atlas of that name, opened once a build.

    Raises
    ------
    LgrError
        If there is none, or it cannot be read; the message says what to do.
    """
    return _store(_version(name))


def novel(atlas: AtlasStore, drug: UnseenDrug) -> AtlasStore:
    """The atlas with a drug beyond it among its drugs.

    Raises
    ------
    LgrError
        If its structure or name is refused; the message says what to do.
    """
    return _novel(_version(atlas.name), drug, atlas)


def reader(atlas: AtlasStore, change: Change = Change.TOTAL) -> EvidenceReader:
    """What baselines read of an atlas; their means over all lines are kept."""
    return _reader(_wider(atlas), change, atlas)


def selector(name: str, atlas: AtlasStore) -> Selector:
    """The selector of that name for an atlas, prepared once a build (``llm``: see ``recorded``)."""
    if name == RecordedSelector.name:
        return recorded(atlas)
    return _selector(_wider(atlas), name, atlas)


def recorded(atlas: AtlasStore) -> RecordedSelector:
    """A language model's recorded answers for an atlas, prepared once for the same files."""
    settings = Settings.from_environment()
    files = neighbor_files(*settings.neighbor_folders)
    stamps = tuple((str(path), path.stat().st_mtime_ns) for path in files)
    service = Service.at(settings.llm_base_url).name
    return _recorded(_wider(atlas), settings.llm_model, service, stamps, atlas)


def budget() -> Budget:
    """What the operator's key may spend while this server lives, over all visitors."""
    return _budget(Settings.from_environment().llm_budget_usd)


def prices() -> Prices:
    """What language models cost at the service that is asked."""
    return _prices(Service.at(Settings.from_environment().llm_base_url).name)


def held_out_lines(
    atlas: AtlasStore, change: Change, dose_um: float | None, basis: LineBasis
) -> HeldOutLines:
    """How well drugs are predicted in each line of an atlas from the others, computed once."""
    return _held_out_lines(_version(atlas.name), change, dose_um, basis, atlas)


def mechanisms(atlas: AtlasStore) -> Mapping[str, str]:
    """What each drug of an atlas does, in a few words; empty where it is not known."""
    return _mechanisms(_wider(atlas), atlas)


def book() -> MechanismAnnotations:
    """The shipped mechanisms, read once."""
    return _book()


def audit(atlas: AtlasStore) -> RationaleAudit:
    """What reads and checks the claims of reasons, prepared once a build and curated annotation."""
    path = atlas.folder / CURATED
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _audit(_wider(atlas), stamp, atlas)


def other_names(atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:
    """Shipped aliases of each drug of an atlas, sorted; a drug without one is not in it."""
    return _other_names(_version(atlas.name), atlas)


def drug_facts(atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:
    """What each drug of an atlas is searched by: mechanisms, targets, other names."""
    return _drug_facts(_wider(atlas), atlas)


def line_facts(atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:
    """What each cell line is searched by: its organ with its driver genes, and its ids."""
    return _line_facts(_version(atlas.name), atlas)


def expected(atlas: AtlasStore) -> ExpectedSignatures:
    """The recorded genes that a language model expects each drug of an atlas to change."""
    return _expected(_version(atlas.name), atlas)


def gene_set_collections() -> Mapping[str, Path]:
    """Gene set files by name: what ships, and what this installation has of its own."""
    return collections(Settings.from_environment().home)


def gene_sets(name: str) -> GeneSets:
    """The gene sets of that name, read once a file.

    Raises
    ------
    LgrError
        If there are none, or the file cannot be read; the message says what to do.
    """
    path = gene_set_collections().get(name)
    return _gene_sets(name, 0 if path is None else path.stat().st_mtime_ns)


def pathways(genes: Sequence[str], delta: FloatArray, sets: GeneSets) -> pd.DataFrame:
    """Gene sets on a change, computed once for the same numbers; not to be written to."""
    return _pathways(tuple(genes), delta, dict(sets))


def structure(smiles: str) -> str | None:
    """The picture of a structure, drawn once."""
    return _structure(smiles)


def demo_build() -> DemoBuild:
    """The one build of the demo that all visitors of this installation wait for."""
    return _demo_build(str(_folder()))


def tahoe_fetch() -> TahoeFetch:
    """The one download of Tahoe-100M that all visitors of this installation wait for."""
    return _tahoe_fetch(str(Settings.from_environment().home))


def _folder() -> Path:
    return Settings.from_environment().atlases


def _version(name: str) -> Version:
    folder = folder_of(name)
    index = folder / "index.duckdb"
    return str(folder.parent), name, index.stat().st_mtime_ns if index.exists() else 0


def _wider(atlas: AtlasStore) -> Wider:
    return _version(atlas.name), atlas.unseen_drug_key


@st.cache_resource(max_entries=8, show_spinner="Opening the atlas")
def _store(version: Version) -> AtlasStore:
    folder, name, _ = version
    return open_atlas(name, Path(folder))


@st.cache_resource(max_entries=32, show_spinner=False)
def _novel(version: Version, drug: UnseenDrug, _atlas: AtlasStore) -> AtlasStore:  # noqa: ARG001
    return with_unseen_drug(_atlas, drug)


@st.cache_resource(max_entries=16, show_spinner=False)
def _reader(version: Wider, change: Change, _atlas: AtlasStore) -> EvidenceReader:  # noqa: ARG001
    return EvidenceReader(_atlas, change=change)


@st.cache_resource(max_entries=16, show_spinner="Holding out each line of the atlas, once")
def _held_out_lines(
    version: Version,  # noqa: ARG001
    change: Change,
    dose_um: float | None,
    basis: LineBasis,
    _atlas: AtlasStore,
) -> HeldOutLines:
    return hold_lines_out(reader(_atlas, change), dose_um, basis)


@st.cache_resource(max_entries=32, show_spinner=False)
def _selector(version: Wider, name: str, _atlas: AtlasStore) -> Selector:  # noqa: ARG001
    return make_selector(name, _atlas, seed=SEED)


@st.cache_resource(max_entries=32, show_spinner=False)
def _recorded(
    version: Wider,  # noqa: ARG001 - a part of the cache's key, as those below
    model: str,  # noqa: ARG001
    service: str,  # noqa: ARG001
    stamps: tuple[tuple[str, int], ...],  # noqa: ARG001
    _atlas: AtlasStore,
) -> RecordedSelector:
    return recorded_selector(_atlas, Settings.from_environment())


@st.cache_resource(show_spinner=False)
def _budget(limit_usd: float | None) -> Budget:
    return Budget(max_usd=limit_usd)


@st.cache_resource(show_spinner=False)
def _prices(service: str) -> Prices:
    return Prices.load(service=service)


@st.cache_resource(max_entries=8, show_spinner=False)
def _mechanisms(version: Wider, _atlas: AtlasStore) -> Mapping[str, str]:  # noqa: ARG001
    words = {}
    for drug, row in _atlas.annotations.items():
        known = book().annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
        labels = ", ".join(book().mechanism(tag).label for tag in known.tags)
        words[drug] = labels or str(row.get("moa") or "")
    return words


@st.cache_resource(show_spinner=False)
def _book() -> MechanismAnnotations:
    return MechanismAnnotations.load()


@st.cache_resource(max_entries=8, show_spinner=False)
def _audit(version: Wider, stamp: int, _atlas: AtlasStore) -> RationaleAudit:  # noqa: ARG001
    return RationaleAudit.of(_atlas)


@st.cache_resource(max_entries=8, show_spinner=False)
def _other_names(version: Version, _atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001
    names: dict[str, tuple[str, ...]] = {}
    for alias in sorted(load_aliases(SHIPPED / "aliases.csv")):
        for drug in _atlas.drug_catalog.find(alias).candidates:
            names[drug] = (*names.get(drug, ()), alias)
    return names


@st.cache_resource(max_entries=8, show_spinner=False)
def _drug_facts(version: Wider, _atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001
    known, names = mechanisms(_atlas), other_names(_atlas)
    facts = {}
    for drug in _atlas.drugs["drug"]:
        row = _atlas.annotations[drug]
        targets = str(row.get("targets") or "").replace(";", " ")
        facts[drug] = tuple(filter(None, (known[drug], targets, ", ".join(names.get(drug, ())))))
    return facts


@st.cache_resource(max_entries=8, show_spinner=False)
def _line_facts(version: Version, _atlas: AtlasStore) -> Mapping[str, tuple[str, ...]]:  # noqa: ARG001
    facts = {}
    for row in _atlas.cell_lines.to_dict("records"):
        of_line = {key: "" if pd.isna(value) else str(value) for key, value in row.items()}
        drivers = of_line.get("driver_genes", "").replace(";", " ")
        organ = f"{of_line.get('organ', '')} {drivers}".strip()
        ids = (of_line.get("cellosaurus", ""), of_line.get("depmap_id", ""))
        facts[of_line["cell_line"]] = tuple(filter(None, (organ, *ids)))
    return facts


@st.cache_resource(max_entries=8, show_spinner=False)
def _expected(version: Version, _atlas: AtlasStore) -> ExpectedSignatures:  # noqa: ARG001
    return ExpectedSignatures.load(_atlas.drug_catalog)


@st.cache_resource(max_entries=16, show_spinner=False)
def _gene_sets(name: str, stamp: int) -> GeneSets:  # noqa: ARG001
    return load_collection(Settings.from_environment().home, name)


@st.cache_resource(max_entries=64, show_spinner="Ranking gene sets")
def _pathways(
    genes: tuple[str, ...], delta: FloatArray, sets: dict[str, tuple[str, ...]]
) -> pd.DataFrame:
    return prerank(genes, delta, sets, seed=SEED)


@st.cache_resource(max_entries=4_096, show_spinner=False)
def _structure(smiles: str) -> str | None:
    return picture(smiles)


@st.cache_resource(show_spinner=False)
def _demo_build(folder: str) -> DemoBuild:
    return DemoBuild(Path(folder) / DEMO)


@st.cache_resource(show_spinner=False)
def _tahoe_fetch(home: str) -> TahoeFetch:
    return TahoeFetch(Path(home))
