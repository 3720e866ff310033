"""Calibrates the trust in predictions of an atlas, by a benchmark made for that alone."""

from __future__ import annotations

from pathlib import Path

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Change, WellScope
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
    """
    folder = runs.parent / CALIBRATIONS / f"{store.name}-{store.build_id[:8]}"
    return run_benchmark(
        store, CALIBRATION_PLAN, folder, selectors=selectors, workers=workers, progress=progress
    )
