"""A small benchmark of the simulated demo atlas."""

from __future__ import annotations

from functools import partial

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.evaluation.config import BenchmarkConfig
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import chosen_methods
from lgr_core.evaluation.run_store import Run
from lgr_core.evaluation.runner import Progress, run_benchmark
from lgr_core.evaluation.source_digest import source_digest
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import recorded_selector

METHODS = (
    *("lgr_llm", "lgr_mechanism", "lgr_chemistry"),
    *("cell_mean", "drug_mean", "pca_ridge", "chem_knn"),
    "best_evidence",
)
"""The paper's, and best evidence with its trust; the controls stand in every run."""

DEMO_PLAN = BenchmarkConfig(
    tuple(Regime),
    chosen_methods(METHODS),
    folds=3,
    random_seeds=10,
    max_queries=100,
    curve_queries=40,
)
"""All regimes on 100 queries each, in three folds."""


def run_demo(
    store: AtlasStore, settings: Settings, *, workers: int = 1, progress: Progress | None = None
) -> Run:
    """Score the methods on the demo atlas; a run of this build by this code is read."""
    folder = settings.runs / f"{store.name}-{store.build_id[:8]}-{source_digest()[:8]}"
    recorded = partial(recorded_selector, settings=settings)
    selectors = partial(make_selector, recorded=recorded)
    return run_benchmark(
        store, DEMO_PLAN, folder, selectors=selectors, workers=workers, progress=progress
    )
