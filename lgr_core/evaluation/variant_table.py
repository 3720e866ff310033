"""The same methods under other questions: total or specific change, any or other wells."""

from __future__ import annotations

import math
from collections.abc import Mapping

from lgr_core.evaluation.config import headline
from lgr_core.evaluation.figures import number, ordered
from lgr_core.evaluation.figures.styles import PERFECT
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.run_store import Run
from lgr_core.evaluation.tables import Cell, Table, method_cell
from lgr_core.metrics import EVERY_METRIC


def variant_table(runs: Mapping[str, Run], regime: Regime) -> Table | None:
    """One regime's mean of each run's first metric, a row a method and a column a run.

    ``runs`` are by what they ask for, in words. None where no run has the regime.
    """
    means = {
        words: _means(run, regime) for words, run in runs.items() if regime in run.config["regimes"]
    }
    methods = ordered({name for each in means.values() for name in each} - {PERFECT})
    if not methods:
        return None
    head = [Cell(words, (EVERY_METRIC[headline(runs[words].config)].label,)) for words in means]
    rows = [
        [method_cell(method), *(each.get(method, _UNDEFINED) for each in means.values())]
        for method in methods
    ]
    return Table([Cell("method"), *head], rows)


_UNDEFINED = Cell("none", missing=True, title="no score is defined")


def _means(run: Run, regime: Regime) -> dict[str, Cell]:
    table = run.summary
    rows = table[(table["regime"] == regime) & (table["metric"] == headline(run.config))]
    rows = rows[rows["mean"].notna()]
    return {row.method: _cell(row.mean, row.low, row.high) for row in rows.itertuples()}


def _cell(mean: float, low: float, high: float) -> Cell:
    limits = f"{number(low)} to {number(high)}" if math.isfinite(low) else "no interval"
    return Cell(number(mean), (limits,))
