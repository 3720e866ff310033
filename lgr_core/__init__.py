"""Predict what a drug does to a cell line by averaging named, measured neighbours.

>>> import lgr_core as lgr
>>> atlas = lgr.open_atlas("demo")
>>> answer = lgr.predict(atlas, cell_line="A549", drug="Trametinib", selector="mechanism")
>>> answer.retrieval.drugs, answer.metrics["pearson_delta"]
"""

from __future__ import annotations

from pathlib import Path

from lgr_core.answer import Answer, predict, retrieve, with_trust
from lgr_core.answer.baselines import compare, verdict
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.store import open_atlas as _open_atlas
from lgr_core.atlas.unseen_drug import UnseenDrug, with_unseen_drug
from lgr_core.config import Settings
from lgr_core.domain import (
    CandidatePool,
    Condition,
    Evidence,
    Neighbor,
    Prediction,
    Reason,
    Rejected,
    Retrieval,
    StructuredReason,
    ValueKind,
)
from lgr_core.errors import LgrError
from lgr_core.evaluation.run_catalog import open_run as _open_run
from lgr_core.evaluation.run_store import Run
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.manual_selector import NamedSelector
from lgr_core.retrieval.parse_query import read_query
from lgr_core.retrieval.setup import llm_selector

__all__ = [
    "Answer",
    "AtlasStore",
    "CandidatePool",
    "Condition",
    "Evidence",
    "LLMOptions",
    "LgrError",
    "NamedSelector",
    "Neighbor",
    "Policy",
    "Prediction",
    "Reason",
    "Rejected",
    "Retrieval",
    "Run",
    "Scope",
    "Settings",
    "StructuredReason",
    "UnseenDrug",
    "ValueKind",
    "compare",
    "llm_selector",
    "open_atlas",
    "open_run",
    "predict",
    "read_query",
    "retrieve",
    "verdict",
    "with_trust",
    "with_unseen_drug",
]


def open_atlas(name: str, home: Path | str | None = None) -> AtlasStore:
    """Open a built atlas by name, from ``home`` or else from ``LGR_HOME``.

    Raises
    ------
    NotFoundError
        If there is no such atlas; the nearest names are offered.
    """
    return _open_atlas(name, _settings(home).atlases)


def open_run(name: str, home: Path | str | None = None) -> Run:
    """Open a benchmark run by name: one of ``home``, or a shipped one, which needs no atlas.

    >>> summary = open_run("tahoe").summary

    Raises
    ------
    NotFoundError
        If there is no such run; the nearest names are offered.
    InputError
        If the run is not finished.
    """
    return _open_run(name, _settings(home))


def _settings(home: Path | str | None) -> Settings:
    return Settings.from_environment() if home is None else Settings(home=Path(home))
