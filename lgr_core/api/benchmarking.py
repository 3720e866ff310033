"""A benchmark in one call, with models of one's own beside the methods of this package."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from lgr_core.answer.arguments import change_of, check_type, choice_of, wrong_argument
from lgr_core.api.own_model import Model, ModelFunction, OwnModel
from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import EMPTY, Change, WellScope
from lgr_core.errors import UsageError
from lgr_core.evaluation.config import BenchmarkConfig
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, chosen_methods
from lgr_core.evaluation.run_store import Run
from lgr_core.evaluation.runner import Progress, run_benchmark
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector

USUAL_METHODS = (
    *("lgr_mechanism", "lgr_chemistry", "cell_mean", "drug_mean"),
    *("plate_mean", "replicate_plate"),
)
"""Methods that need neither an optional package nor a language model; controls are added."""


def benchmark(  # noqa: PLR0913 - all but the atlas is optional
    atlas: AtlasStore,
    *,
    models: Mapping[str, Model | ModelFunction] = EMPTY,
    methods: Sequence[str] = USUAL_METHODS,
    regimes: Sequence[str] = tuple(Regime),
    k: int = 10,
    folds: int = 5,
    max_queries: int | None = None,
    change: str = Change.TOTAL,
    evidence: str = WellScope.ANY,
    seed: int = 0,
    folder: Path | str | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Score methods, and models of one's own, on held-out conditions.

    Parameters
    ----------
    atlas
        An open atlas.
    models
        Models of one's own by name: a function of (training AnnData, table of queries), or an
        object with ``fit`` and ``predict``; see :class:`Model`. Each reads the training conditions
        of a fold and is scored on the same queries as all else.
    methods
        Names of the benchmark's methods; its controls are always added.
    regimes
        What is held out: names of ``Regime``.
    k, folds, seed
        Neighbours of the methods that retrieve, folds of a regime, and the seed of all draws.
    max_queries
        Score so many conditions of a regime, drawn at random; unset, all.
    change, evidence
        Which change is predicted, and whose wells may be read, as of ``lgr benchmark``.
    folder
        Where the run is written; unset, a folder of its own among the runs of the atlas's home. A
        run without models is resumed there if it was begun before; one with models starts anew.
    workers
        Processes; models of one's own run in this one alone.
    progress
        Called with a stage's name, what is done and the total.

    Returns
    -------
    Run
        With tidy tables, among them ``summary`` (one row a regime, method and metric) and
        ``scores`` (one row a query, method and metric).

    Raises
    ------
    LgrError
        If an option is refused; the message says what to do.
    """
    check_type("atlas", atlas, (AtlasStore,), "Open one with lgr.open_atlas(name).")
    check_type("models", models, (Mapping,), "Give a mapping of names to models.")
    own = {_own_name(name): OwnModel(name, model, atlas) for name, model in models.items()}
    if own and workers != 1:
        found = f"models of one's own cannot be sent to {workers} processes"
        raise UsageError("workers", found, "Leave workers out.")
    plan = BenchmarkConfig(
        tuple(Regime(regime) for regime in _listed("regimes", regimes)),
        chosen_methods(_listed("methods", methods)),
        k=k,
        folds=folds,
        seed=seed,
        max_queries=max_queries,
        change=change_of(change),
        evidence=choice_of("evidence", evidence, WellScope),
        external={name: f"own model {uuid.uuid4().hex}" for name in own},
    )
    settings = replace(Settings.from_environment(), home=atlas.folder.parent.parent)
    place = settings.runs / _name(atlas, plan) if folder is None else Path(folder)
    recorded = partial(recorded_selector, settings=settings)
    return run_benchmark(
        atlas,
        plan,
        place,
        selectors=partial(make_selector, recorded=recorded),
        external=own,
        workers=workers,
        progress=progress,
    )


def _listed(role: str, names: object) -> tuple[str, ...]:
    """Several names; one alone is not read letter by letter."""
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise wrong_argument(role, names, "Give a list of names.")
    return tuple(names)


def _own_name(name: object) -> str:
    if not isinstance(name, str) or not name.isidentifier():
        raise wrong_argument("models", name, "Name each model as a Python name is written.")
    if name in REGISTRY:
        raise UsageError(f"model {name!r}", "a method of ours has that name", "Choose another.")
    return name


def _name(atlas: AtlasStore, plan: BenchmarkConfig) -> str:
    """A folder's name for each plan on each build of an atlas."""
    config = {**plan.to_dict(atlas), "versions": None}
    text = json.dumps(config, sort_keys=True, default=str)
    return f"{atlas.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
