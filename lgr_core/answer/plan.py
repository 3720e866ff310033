"""What to test next: the drugs whose measurement in a line improves the predictions of all others.

Chosen on lines that were measured, and scored on each of them in turn, held out: the panel is
chosen and the regression learned on the others, then what the panel shows in the line moves the
means of all other drugs. A panel of random drugs stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.answer.line_drug_table import LineDrugTable, line_drug_table
from lgr_core.answer.panel_gains import gains_of
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, WellScope
from lgr_core.errors import InputError, NotFoundError, UsageError
from lgr_core.prediction.panel_choice import (
    covariances,
    departures,
    greedy_panel,
)

FEWEST_LINES = 4
"""Lines of an atlas from which on a plan is made: one is held out, others teach."""


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
    gains = gains_of(table, k=k, seed=seed)
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


def _choice(
    store: AtlasStore, *, k: int, cell_line: str | None, dose_um: float | None
) -> tuple[PanelChoice, LineDrugTable]:
    if k < 1:
        raise UsageError(f"k = {k}", "too few", "Give 1 or more.")
    line = None if cell_line is None else store.cell_line_catalog.resolve(cell_line)
    table, dose = line_drug_table(store, dose_um)
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


def _measured_in(table: LineDrugTable, line: str | None) -> BoolArray:
    if line is None or line not in table.lines:
        return np.zeros(len(table.drugs), dtype=bool)
    return table.measured[table.lines.index(line)]
