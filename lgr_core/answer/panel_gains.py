"""What panels of drugs gain in lines held out, beside random panels: the slow part of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lgr_core.answer.line_drug_table import LineDrugTable, line_drug_table
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, WellScope
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.panel_choice import covariances, departures, greedy_panel, panel_weights

SEPARABLE = 50
"""Other parents off a drug's plates from which on the drug is scored by these alone."""

STEPS = (1, 2, 3, 5, 10, 15, 20, 30)
"""Sizes of the panel at which the curve is shown."""

_BOOT = 1_000


@dataclass(frozen=True, eq=False)
class PanelGains:
    """What panels gain in lines held out: ``curve`` and ``scopes`` as in :class:`PanelPlan`."""

    curve: pd.DataFrame
    scopes: dict[str, str]


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """A line left out: the others' drug means and covariances, and what was measured in it."""

    number: int
    means: FloatArray
    cov: FloatArray
    here: BoolArray


def panel_gains(
    store: AtlasStore, *, k: int = 10, dose_um: float | None = None, seed: int = 0
) -> PanelGains:
    """What panels of up to k drugs gain in each line, held out: the slow part of a plan.

    Raises
    ------
    NotFoundError
        If the dose is unknown.
    """
    return gains_of(line_drug_table(store, dose_um)[0], k=k, seed=seed)


def gains_of(table: LineDrugTable, *, k: int, seed: int) -> PanelGains:
    """What panels of up to k drugs of a table gain in each of its lines, held out."""
    held_out = _held_out(table, table.some_genes)
    curves, scopes = [], {}
    for scope, allowed in table.usable.items():
        targets = _targets(table, scope)
        scopes[str(scope)] = _scope_words(scope, int(targets.sum()), len(targets))
        if targets.any():
            curves.append(
                _curve(table, held_out, allowed, targets, k=k, seed=seed).assign(scope=str(scope))
            )
    return PanelGains(pd.concat(curves, ignore_index=True), scopes)


def _targets(table: LineDrugTable, scope: WellScope) -> BoolArray:
    """(n_drugs,) the drugs that are scored: with enough others that may be read."""
    n_others = table.usable[scope].sum(axis=1)
    return n_others >= (1 if scope is WellScope.ANY else SEPARABLE)


def _scope_words(scope: WellScope, n: int, every: int) -> str:
    if scope is WellScope.ANY:
        return f"{n} drugs, from panels on any plate, their own included"
    if not n:
        return f"not separable in this atlas: no drug has {SEPARABLE} others off its plates"
    return f"{n} of {every} drugs have {SEPARABLE} others off their plates; scored by these alone"


def _held_out(table: LineDrugTable, some: FloatArray) -> list[_HeldOut]:
    """Every line, left out in turn."""
    total = table.changes.sum(axis=0, dtype=np.float64)  # zeros where nothing was measured
    counts = table.measured.sum(axis=0)
    found = []
    for c, measured in enumerate(table.measured):
        n = counts - measured
        means = (total - table.changes[c]) / np.maximum(n, 1)[:, None]
        others = np.arange(len(table.lines)) != c
        cov = covariances(departures(some[others], table.measured[others]))
        found.append(_HeldOut(c, means.astype(np.float32), cov, measured & (n > 0)))
    return found


def _curve(
    table: LineDrugTable,
    held_out: Sequence[_HeldOut],
    usable: BoolArray,
    targets: BoolArray,
    *,
    k: int,
    seed: int,
) -> pd.DataFrame:
    """What greedy and random panels gain in each line, held out, by size."""
    rng = np.random.default_rng(seed)
    sizes = sorted({size for size in STEPS if size < k} | {k})
    gains = []
    for one in held_out:
        allowed = usable & targets[:, None]
        panels = {
            "greedy": greedy_panel(one.cov, allowed, k, candidates=one.here),
            "random": rng.permutation(np.flatnonzero(one.here))[:k].tolist(),
        }
        scored_drugs = one.here & targets
        scored_drugs[[j for panel in panels.values() for j in panel]] = False
        if scored_drugs.any():
            gains += _scored(table.changes[one.number], one, usable, panels, scored_drugs, sizes)
    frame = pd.DataFrame(gains, columns=["panel", "size", "line", "r", "gain"])
    return _summarised(frame, seed)


def _scored(
    changes: FloatArray,
    one: _HeldOut,
    usable: BoolArray,
    panels: dict[str, list[int]],
    scored_drugs: BoolArray,
    sizes: Sequence[int],
) -> list[tuple[str, int, int, float, float]]:
    """Pearson r and its gain of the scored drugs in a line, ``changes`` (n_drugs, genes)."""
    truth, means = changes[scored_drugs], one.means
    base = float(np.nanmean(pearson_delta(means[scored_drugs], truth)))
    found = []
    for name, panel in panels.items():
        for size in sizes:
            some = panel[:size]
            weights = panel_weights(one.cov, usable, some)[scored_drugs].astype(np.float32)
            predicted = means[scored_drugs] + weights @ (changes[some] - means[some])
            r = float(np.nanmean(pearson_delta(predicted, truth)))
            found.append((name, size, one.number, r, r - base))
    return found


def _summarised(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Means over lines with 95 % intervals of the gain, lines resampled."""
    rng = np.random.default_rng(seed)
    rows = []
    for (panel, size), part in frame.groupby(["panel", "size"], sort=False):
        gains = part["gain"].to_numpy()
        draws = gains[rng.integers(0, len(gains), (_BOOT, len(gains)))].mean(axis=1)
        low, high = np.quantile(draws, (0.025, 0.975))
        rows.append((panel, size, part["r"].mean(), gains.mean(), low, high, len(gains)))
    return pd.DataFrame(rows, columns=["panel", "size", "r", "gain", "low", "high", "lines"])
