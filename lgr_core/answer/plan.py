"""What to test next: the drugs whose measurement in a line improves the predictions of all others.

Chosen on lines that were measured, and scored on each of them in turn, held out: the panel is
chosen and the regression learned on the others, then what the panel shows in the line moves the
means of all other drugs. A panel of random drugs stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, IntArray, WellScope
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.panel_choice import (
    covariances,
    departures,
    greedy_panel,
    panel_weights,
)
from lgr_core.retrieval.condition_index import ConditionIndex

FEWEST_LINES = 4
"""Lines of an atlas from which on a plan is made: one is held out, others teach."""

SEPARABLE = 50
"""Other parents off a drug's plates from which on the drug is scored by these alone."""

STEPS = (1, 2, 3, 5, 10, 15, 20, 30)
"""Sizes of the panel at which the curve is shown."""

_GENES = 500
"""Of the panel, what covariances are learned on."""

_BOOT = 1_000


@dataclass(frozen=True, eq=False)
class PanelPlan:
    """Which drugs to measure in a line, and the gain that panels so chosen bring in lines held out.

    ``drugs`` are the names, best first, for ``cell_line`` (None: a new line). ``curve`` has one row
    a scope, size and panel (``greedy``, ``random``): ``r``, its ``gain`` over the drugs' means with
    a 95 % interval over lines. ``scopes`` says of each how
    many drugs are scored by it, or why none is.
    """

    cell_line: str | None
    dose_um: float | None
    drugs: tuple[str, ...]
    curve: pd.DataFrame
    scopes: dict[str, str]
    n_lines: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON types."""
        return {
            "cell_line": self.cell_line,
            "dose_um": self.dose_um,
            "drugs": list(self.drugs),
            "curve": self.curve.to_dict("records"),
            "scopes": self.scopes,
            "n_lines": self.n_lines,
        }


@dataclass(frozen=True)
class PanelChoice:
    """Which drugs to measure next in a line, best first.

    ``cell_line`` is None for a new line. ``n_measured`` drugs are measured there at the dose, and
    what is known of ``n_lines`` lines at that dose was read.
    """

    cell_line: str | None
    dose_um: float | None
    drugs: tuple[str, ...]
    n_measured: int
    n_lines: int


@dataclass(frozen=True, eq=False)
class PanelGains:
    """What panels gain in lines held out: ``curve`` and ``scopes`` as in :class:`PanelPlan`."""

    curve: pd.DataFrame
    scopes: dict[str, str]


@dataclass(frozen=True, eq=False)
class _Table:
    """Changes at a dose, (n_lines, n_drugs, genes), where measured, and who may predict whom."""

    lines: tuple[str, ...]
    drugs: tuple[str, ...]
    changes: FloatArray
    measured: BoolArray
    usable: dict[WellScope, BoolArray]

    @property
    def some_genes(self) -> FloatArray:
        """The changes of some genes, at even distances, that covariances are learned on."""
        step = max(1, self.changes.shape[2] // _GENES)
        return np.ascontiguousarray(self.changes[:, :, ::step])


@dataclass(frozen=True, eq=False)
class _HeldOut:
    """A line left out: the others' drug means and covariances, and what was measured in it."""

    number: int
    means: FloatArray
    cov: FloatArray
    here: BoolArray


def plan_tests(
    store: AtlasStore,
    *,
    k: int = 10,
    cell_line: str | None = None,
    dose_um: float | None = None,
    seed: int = 0,
) -> PanelPlan:
    """Choose the k drugs to measure next in a line, and say what such panels gain.

    Parameters
    ----------
    store
        An open atlas of several lines.
    k
        How many drugs.
    cell_line
        A line of the atlas: what is measured there is known, and not chosen again. None: a line of
        which nothing is measured.
    dose_um
        The dose; None: the one with most conditions.
    seed
        Of the random panels beside.

    Raises
    ------
    UsageError
        If ``k`` is not positive.
    NotFoundError
        If the line or dose is unknown, or nothing is left to measure.
    InputError
        If the atlas has too few lines.
    """
    choice, table = _choice(store, k=k, cell_line=cell_line, dose_um=dose_um)
    gains = _gains_of(table, k=k, seed=seed)
    return PanelPlan(
        choice.cell_line, choice.dose_um, choice.drugs, gains.curve, gains.scopes, choice.n_lines
    )


def choose_tests(
    store: AtlasStore, *, k: int = 10, cell_line: str | None = None, dose_um: float | None = None
) -> PanelChoice:
    """Choose the k drugs to measure next in a line: :func:`plan_tests` without its gain.

    Raises
    ------
    LgrError
        As :func:`plan_tests` does.
    """
    return _choice(store, k=k, cell_line=cell_line, dose_um=dose_um)[0]


def panel_gains(
    store: AtlasStore, *, k: int = 10, dose_um: float | None = None, seed: int = 0
) -> PanelGains:
    """What panels of up to k drugs gain in each line, held out: the slow part of a plan.

    Raises
    ------
    NotFoundError
        If the dose is unknown.
    """
    return _gains_of(_table(store, dose_um)[0], k=k, seed=seed)


def _choice(
    store: AtlasStore, *, k: int, cell_line: str | None, dose_um: float | None
) -> tuple[PanelChoice, _Table]:
    if k < 1:
        raise UsageError(f"k = {k}", "too few", "Give 1 or more.")
    line = None if cell_line is None else store.cell_line_catalog.resolve(cell_line)
    table, dose = _table(store, dose_um)
    others = np.array([i for i, name in enumerate(table.lines) if name != line], dtype=np.intp)
    if len(others) < FEWEST_LINES:
        found = f"{len(others)} other line(s) at that dose"
        do = f"Take an atlas of {FEWEST_LINES} lines or more."
        raise InputError(f"plan in {store.name}", found, do)
    known = _measured_in(table, line)
    if known.all():
        found = f"all {len(known)} drugs at that dose are measured there"
        raise NotFoundError(f"plan for {line}", found, "Choose another line or dose.")
    some = table.some_genes
    cov = covariances(departures(some[others], table.measured[others]))
    first = np.flatnonzero(known).tolist()
    usable = table.usable[WellScope.ANY]
    chosen = greedy_panel(cov, usable, k, candidates=~known, first=first)
    drugs = tuple(table.drugs[j] for j in chosen)
    return PanelChoice(line, dose, drugs, int(known.sum()), len(table.lines)), table


def _gains_of(table: _Table, *, k: int, seed: int) -> PanelGains:
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


def _table(store: AtlasStore, dose_um: float | None) -> tuple[_Table, float | None]:
    """The changes at the dose, as a table of lines and drugs."""
    labels = ConditionIndex(store)
    doses = store.conditions["dose_um"].astype(float)
    dose = dose_um
    if dose is None:
        common = doses.value_counts(dropna=False)
        dose = None if np.isnan(common.index[0]) else float(common.index[0])
    rows = np.flatnonzero(labels.at_dose(dose))
    if not len(rows):
        shown = ", ".join(f"{value:g}" for value in sorted(doses.dropna().unique()))
        raise NotFoundError(f"dose {dose:g} uM", f"measured: {shown or 'pooled'}", "Choose one.")
    lines, line = np.unique(labels.line[rows], return_inverse=True)
    drugs, drug = np.unique(labels.drug[rows], return_inverse=True)
    changes = np.zeros((len(lines), len(drugs), store.n_panel), dtype=np.float32)
    measured: BoolArray = np.zeros(changes.shape[:2], dtype=bool)
    changes[line, drug], measured[line, drug] = store.deltas(rows), True
    parents = labels.parent_of_drug[drugs]
    apart = ~labels.related(parents[:, None], parents[None, :])
    usable = {WellScope.ANY: apart}
    if not labels.plate_index.is_empty:
        usable[WellScope.OTHER_PLATES] = apart & ~_share_plates(labels, rows, drug, len(drugs))
    names = tuple(labels.lines[lines].tolist()), tuple(labels.drugs[drugs].tolist())
    return _Table(*names, changes, measured, usable), dose


def _share_plates(
    labels: ConditionIndex, rows: IntArray, drug: IntArray, n_drugs: int
) -> BoolArray:
    """(n_drugs, n_drugs) whether two drugs stand on one plate, or a plate is not known."""
    sets = labels.plate_index.set_of[rows]
    shared = labels.plate_index.overlapping(sets)[:, sets]
    found: BoolArray = np.zeros((n_drugs, n_drugs), dtype=bool)
    of_drug = [np.flatnonzero(drug == i) for i in range(n_drugs)]
    first = np.array([places[0] for places in of_drug])
    # A drug's conditions stand on the same plates in all lines, but for single ones.
    alike = all((sets[places] == sets[places[0]]).all() for places in of_drug)
    if alike:
        return shared[np.ix_(first, first)]
    for i, places in enumerate(of_drug):
        np.logical_or.at(found[i], drug, shared[places].any(axis=0))
    return found


def _measured_in(table: _Table, line: str | None) -> BoolArray:
    if line is None or line not in table.lines:
        return np.zeros(len(table.drugs), dtype=bool)
    return table.measured[table.lines.index(line)]


def _targets(table: _Table, scope: WellScope) -> BoolArray:
    """(n_drugs,) the drugs that are scored: with enough others that may be read."""
    n_others = table.usable[scope].sum(axis=1)
    return n_others >= (1 if scope is WellScope.ANY else SEPARABLE)


def _scope_words(scope: WellScope, n: int, every: int) -> str:
    if scope is WellScope.ANY:
        return f"{n} drugs, from panels on any plate, their own included"
    if not n:
        return f"not separable in this atlas: no drug has {SEPARABLE} others off its plates"
    return f"{n} of {every} drugs have {SEPARABLE} others off their plates; scored by these alone"


def _held_out(table: _Table, some: FloatArray) -> list[_HeldOut]:
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
    table: _Table,
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
