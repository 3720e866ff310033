"""The retrieval score as a table for readers."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from lgr_core.evaluation.figures import number
from lgr_core.evaluation.retrieval_score import POOLS
from lgr_core.evaluation.tables import Cell, Table

WHAT_RETRIEVAL_IS = (
    "Judged by curated annotation alone: recall is the share of the drugs with the query's "
    "mechanism (or target) that are among the first k of a selector. Chance is the recall of k "
    "drugs drawn at random. Gaps are paired by query; 95 % intervals resample the query drugs. "
    "In the second row of each, one form per parent is left and near-duplicates of the query are "
    "out."
)

_FIELDS = {"mechanism": "same mechanism", "targets": "same target"}
_HEAD = (
    *("relevant", "candidates", "selector", "recall", "chance"),
    *("minus chance", "minus chemistry", "queries", "relevant drugs a query"),
)


def retrieval_table(summary: pd.DataFrame) -> Table | None:
    """One row a field, pool and selector; None where nothing was scored."""
    if summary.empty:
        return None
    rows = [_row(row) for row in summary.to_dict("records")]
    return Table([Cell(name) for name in _HEAD], rows, frozenset(_HEAD[:3]))


def _row(row: dict[str, Any]) -> list[Cell]:
    model = row["model"]
    notes = (str(model),) if isinstance(model, str) and model else ()
    return [
        Cell(_FIELDS[row["field"]]),
        Cell(POOLS[row["pool"]]),
        Cell(str(row["selector"]), notes),
        _interval(row["recall"], row["low"], row["high"]),
        Cell(number(row["chance"])),
        *(_interval(*(row[f"{gap}{end}"] for end in ("", "_low", "_high"))) for gap in _GAPS),
        Cell(f"{row['n_queries']:,}", (f"{row['n_drugs']:,} drugs",)),
        Cell(f"{row['n_relevant']:.1f}"),
    ]


_GAPS = ("minus_chance", "minus_chemistry")


def _interval(value: float, low: float, high: float) -> Cell:
    """A mean with its limits below it; a dash where there is no value."""
    if not math.isfinite(value):
        return Cell("-", missing=True, title="not compared with itself")
    limits = (f"{number(low)} to {number(high)}",) if math.isfinite(low) else ()
    return Cell(number(value), limits)
