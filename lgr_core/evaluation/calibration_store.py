"""Calibrations and tuned parameters in the files of runs: written, read, and the newest found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import SHIPPED_RUNS
from lgr_core.domain import Change, Condition, WellScope
from lgr_core.errors import InputError, NotFoundError
from lgr_core.evaluation.calibration import by_method, fit, usable
from lgr_core.evaluation.folds import FoldKey
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.best_evidence import Imputation
from lgr_core.prediction.replicate import ReplicateKind
from lgr_core.prediction.trust import Calibration

CALIBRATION = "calibration.json"
CALIBRATIONS = "calibrations"
"""The folder of calibrations, beside that of runs."""

REPEATED_PARENTS = 20
"""Parents of which a repeat must be known for it to say what a repeat reaches."""


@dataclass(frozen=True, slots=True)
class CalibrationSource:
    """A calibration, the run that found it, the change, and the run's number of neighbours."""

    calibration: Calibration
    run: str
    regime: Regime
    k: int
    change: Change


def write_calibrations(path: Path, table: pd.DataFrame, repeat: float | None = None) -> None:
    """Write the calibrations of all conditions, by regime and method, as JSON.

    ``repeat`` is the score that a repeat of the experiment reaches, where it is known.
    """
    found: dict[str, dict[str, Any]] = {}
    for (regime, method), group in by_method(usable(table)):
        found.setdefault(regime, {})[method] = fit(group, repeat).to_dict()
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read_calibration(path: Path, regime: str, method: str) -> Calibration:
    """The calibration that a run found for a method in a regime.

    Raises
    ------
    InputError
        If the file cannot be read or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[regime][method]
        return Calibration.from_dict(found)
    except (OSError, ValueError, KeyError, TypeError) as err:
        do = "Run lgr benchmark with that method and regime."
        raise InputError(f"calibration of {method} ({regime})", f"{path}: {err}", do) from err


def regime_of(store: AtlasStore, query: Condition) -> Regime:
    """The regime whose held-out conditions are like this query.

    The open world where the drug was measured in another line at that dose, else an unseen drug.
    """
    conditions = store.conditions
    rows = (conditions["drug"] == query.drug) & (conditions["cell_line"] != query.cell_line)
    doses = conditions.loc[rows, "dose_um"]
    there = doses.isna() if query.dose_um is None else doses == query.dose_um
    return Regime.OPEN_WORLD if there.any() else Regime.UNSEEN_DRUG


def newest_calibration(
    runs: Path, store: AtlasStore, query: Condition, method: str, change: Change
) -> CalibrationSource:
    """The calibration of a method for queries of this kind, from the newest run of this build.

    Of the specific change, from a run that left the query drug's own wells closed; of the total
    change, from one that left everything open, as the paper does.

    Raises
    ------
    NotFoundError
        If no run has calibrated it.
    """
    regime = regime_of(store, query)
    evidence = WellScope.OTHER_WELLS if change is Change.SPECIFIC else WellScope.ANY
    for config, folder in _runs_of(runs, store):
        if _scope(config) != (change, evidence):
            continue
        try:
            calibration = read_calibration(folder / CALIBRATION, regime, method)
        except InputError:
            continue
        return CalibrationSource(calibration, folder.name, regime, int(config["k"]), change)
    what = f"trust in {method}"
    found = f"no benchmark run of this build of {store.name} has calibrated it for questions "
    found += f"of this kind ({REGIME_LABELS[regime].label.lower()})"
    own = change is Change.SPECIFIC
    do = f"lgr calibrate {store.name}" if own else f"lgr benchmark --atlas {store.name}"
    raise NotFoundError(what, found, f"Run {do}.")


def newest_params(runs: Path, store: AtlasStore, method: str) -> dict[str, Any] | None:
    """The parameters of a linear method that the newest run of this very build tuned, if any.

    Where the method is tuned on the change that a run scores, from runs of the total change. Those
    of the open world, with the kernel for unseen drugs where the run has that regime; of
    several folds the most frequent choice.
    """
    for config, _ in _runs_of(runs, store):
        if method == Imputation.name and _scope(config) != (Change.TOTAL, WellScope.ANY):
            continue
        params: dict[str, Any] = {}
        for regime in (Regime.OPEN_WORLD, Regime.UNSEEN_DRUG):
            fitted = config.get("fitted", {}).items()
            each = [one.get(method) for key, one in fitted if FoldKey.parse(key).regime is regime]
            counted = Counter(json.dumps(one) for one in each if isinstance(one, dict))
            if counted:
                most = json.loads(counted.most_common(1)[0][0])
                params = {**most, **params, "kernel": most["kernel"]}
        if params:
            return params
    return None


def _runs_of(runs: Path, store: AtlasStore) -> list[tuple[dict[str, Any], Path]]:
    """Configs and folders of finished runs and calibrations of a build, the newest first.

    Runs that ship count too: a build's id is that of its content, under whichever name.
    """
    found = []
    places = (runs, runs.parent / CALIBRATIONS, SHIPPED_RUNS)
    for path in (path for place in places for path in place.glob("*/config.json")):
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            if config["build_id"] == store.build_id and config.get("finished_at"):
                found.append((config, path.parent))
        except (OSError, ValueError, KeyError, TypeError):
            continue  # another program's folder
    return sorted(found, key=lambda run: str(run[0]["finished_at"]), reverse=True)


def _scope(config: Mapping[str, Any]) -> tuple[str, str]:
    """The change and the evidence of a run; of those before there was a choice, all."""
    return config.get("change", Change.TOTAL), config.get("evidence", WellScope.ANY)


def repeat_of(scores: pd.DataFrame, metric: str) -> float | None:
    """What a repeat on another plate, else in another form, reaches; None where few are known."""
    rows = scores[(scores["metric"] == metric) & scores["value"].notna()]
    for kind in (ReplicateKind.PLATE, ReplicateKind.TWIN):
        own = rows[rows["method"] == f"replicate_{kind}"]
        if own["parent"].nunique() >= REPEATED_PARENTS:
            return float(own["value"].mean())
    return None
