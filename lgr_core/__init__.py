"""Predict what a drug does to a cell line by averaging named, measured neighbours.

>>> import lgr_core as lgr
>>> atlas = lgr.open_atlas("demo")
>>> answer = lgr.predict(atlas, cell_line="A549", drug="Trametinib", selector="mechanism")
>>> answer.retrieval.drugs, answer.metrics["pearson_delta"]

A public name is imported with its module when it is first used, so that ``import lgr_core`` and
``lgr --help`` load neither pandas nor chemistry. Type checkers read ``__init__.pyi``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

_MODULES: Mapping[str, tuple[str, ...]] = {
    "lgr_core.answer.answer": ("Answer",),
    "lgr_core.answer.baselines": ("compare", "verdict"),
    "lgr_core.answer.new_line": ("NewLineAnswer", "predict_new_line", "with_line_trust"),
    "lgr_core.answer.own_profile": ("read_new_line",),
    "lgr_core.answer.predict": ("predict", "retrieve"),
    "lgr_core.answer.trust": ("with_trust",),
    "lgr_core.api.atlases": ("atlases", "open_atlas", "open_run"),
    "lgr_core.api.benchmarking": ("benchmark",),
    "lgr_core.api.notebook_atlas": ("Atlas",),
    "lgr_core.api.own_model": ("Model",),
    "lgr_core.api.searching": ("search",),
    "lgr_core.atlas.store": ("AtlasStore",),
    "lgr_core.atlas.unseen_drug": ("UnseenDrug", "with_unseen_drug"),
    "lgr_core.config": ("Settings",),
    "lgr_core.domain": (
        "CandidatePool",
        "Condition",
        "Evidence",
        "Neighbor",
        "Prediction",
        "Reason",
        "Rejected",
        "Retrieval",
        "StructuredReason",
        "ValueKind",
    ),
    "lgr_core.evaluation.run_store": ("Run",),
    "lgr_core.errors": ("LgrError",),
    "lgr_core.retrieval.llm_question": ("LLMOptions", "Policy", "Scope"),
    "lgr_core.retrieval.manual_selector": ("NamedSelector",),
    "lgr_core.retrieval.parse_query": ("read_query",),
    "lgr_core.retrieval.setup": ("llm_selector",),
}
"""Module -> the public names that it defines."""

_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)  # noqa: PLE0605 - written out in __init__.pyi


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a public name may be a class or a function
    """Import the public name that is used for the first time."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, also those that have not been used yet."""
    return sorted({*globals(), *__all__})
