"""Predict what a drug does to a cell line by averaging named, measured neighbours.

>>> import lgr_core as lgr
>>> atlas = lgr.open_atlas("demo")
>>> answer = lgr.predict(atlas, cell_line="A549", drug="Trametinib", selector="mechanism")
>>> answer.retrieval.drugs, answer.metrics["pearson_delta"]
"""

from __future__ import annotations

from pathlib import Path

from lgr_core.answer import Answer, predict, retrieve, trusted
from lgr_core.atlas.novel import NovelDrug, with_novel
from lgr_core.atlas.store import AtlasStore
from lgr_core.atlas.store import open_atlas as _open_atlas
from lgr_core.comparison import compare, verdict
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
    ValueKind,
)
from lgr_core.errors import LgrError
from lgr_core.retrieval.by_name import NamedSelector
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.query import read_query
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
    "NovelDrug",
    "Policy",
    "Prediction",
    "Reason",
    "Rejected",
    "Retrieval",
    "Scope",
    "Settings",
    "ValueKind",
    "compare",
    "llm_selector",
    "open_atlas",
    "predict",
    "read_query",
    "retrieve",
    "trusted",
    "verdict",
    "with_novel",
]


def open_atlas(name: str, home: Path | str | None = None) -> AtlasStore:
    """Open a built atlas by name, from ``home`` or else from ``LGR_HOME``.

    Raises
    ------
    NotFoundError
        If there is no such atlas; the nearest names are offered.
    """
    settings = Settings.from_environment() if home is None else Settings(home=Path(home))
    return _open_atlas(name, settings.atlases)
