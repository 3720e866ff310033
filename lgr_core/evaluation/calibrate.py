"""Calibrates the trust in predictions of an atlas, by a benchmark made for that alone."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.plate_population import MIN_OTHERS
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, WellScope
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.calibration_store import CALIBRATIONS
from lgr_core.evaluation.config import BenchmarkConfig
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.run_store import Run
from lgr_core.evaluation.runner import Progress, SelectorMaker, run_benchmark

METHODS = (
    *("lgr_llm", "lgr_mechanism", "lgr_chemistry", "best_evidence", "kriging"),
    *("replicate_plate", "replicate_twin"),
)
"""Those that a user can ask, and what a repeat reaches."""

CALIBRATION_PLAN = BenchmarkConfig(
    (Regime.UNSEEN_DRUG, Regime.OPEN_WORLD),
    METHODS,
    curve_queries=0,
    change=Change.SPECIFIC,
    evidence=WellScope.OTHER_WELLS,
)
"""The specific change, with the query drug's own wells closed: as for a new experiment."""


def calibrate(
    store: AtlasStore,
    runs: Path,
    *,
    selectors: SelectorMaker,
    workers: int = 1,
    progress: Progress | None = None,
) -> Run:
    """Calibrate trust and save it beside the folder of runs, where every answer looks for it.

    Raises
    ------
    UsageError
        If the atlas does not name plates: nothing can be expected of a specific change then.
    NotFoundError
        If no condition of it can be separated from its plate.
    """
    folder = runs.parent / CALIBRATIONS / f"{store.name}-{store.build_id[:8]}"
    run = run_benchmark(
        store, CALIBRATION_PLAN, folder, selectors=selectors, workers=workers, progress=progress
    )
    if run.levels.empty:
        found = f"no condition has {MIN_OTHERS} other parent compounds on its plate"
        do = f"Build it with more drugs of a plate; lgr info {store.name} --report counts them."
        raise NotFoundError(f"trust in predictions of {store.name}", found, do)
    return run
