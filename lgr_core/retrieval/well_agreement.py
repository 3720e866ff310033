"""Agreement between wells: whether a drug's effect in a line comes back in another well.

Distance from other drugs is no strength of an effect: a bad well is far from all others, too. What
an effect is, is seen in a second well of the same compound in the same line: the same form on
another plate, another form of the parent (a twin), or the neighbouring dose. Lines never confirm
each other here: in pooled designs they are one well.

Two wells of one plate are taken less the same mean of n other parents, whose noise adds about 1 / n
to their correlation.
"""

from __future__ import annotations

from enum import StrEnum
from itertools import combinations

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.metrics.vector_metrics import pearson_delta
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.specific_change import SpecificChanges, specific_changes


class WellPair(StrEnum):
    """What a drug's second well is, the closest repeat first."""

    PLATE = "plate"
    TWIN = "twin"
    DOSE = "dose"


def well_agreement(store: AtlasStore) -> pd.DataFrame:
    """How far the specific changes of a condition agree with those of other wells of its drug.

    Returns
    -------
    DataFrame
        One row a condition. ``plate``: mean Pearson's r between its changes on two plates, where
        deltas are kept by plate; ``twin``: with other forms of its parent in the line at its dose;
        ``dose``: with the drug's next lower and next higher dose in the line, a lower bound.
        NaN where there is no such pair, or no specific change. ``agreement`` is the first of the
        three that is known and ``kind`` its name; NaN and empty text mean not known.

    Raises
    ------
    UsageError
        If the atlas does not name plates.
    """
    labels = ConditionIndex(store)
    changes = specific_changes(store, labels)
    table = store.conditions[["cell_line", "drug", "dose_um"]].copy()
    found = {kind: np.full(len(table), np.nan) for kind in WellPair}
    for line in range(len(labels.lines)):
        rows = np.flatnonzero(labels.line == line)
        values = changes.of(rows)
        for kind, pairs in ((WellPair.TWIN, _twins), (WellPair.DOSE, _doses)):
            found[kind][rows] = _mean_r(values, pairs(labels, rows), len(rows))
        if store.plate_deltas is not None:
            by_plate = _by_plate(changes, line)
            found[WellPair.PLATE][rows] = by_plate[rows]
    table = table.assign(**{str(kind): found[kind] for kind in WellPair})
    known = table[list(WellPair)].notna()
    table["agreement"] = table[list(WellPair)].bfill(axis=1).iloc[:, 0]
    table["kind"] = np.where(known.any(axis=1), known.to_numpy().argmax(axis=1), -1)
    table["kind"] = table["kind"].map(dict(enumerate(map(str, WellPair)))).fillna("")
    return table


def drug_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """Agreement by drug from the table of :func:`well_agreement`.

    Returns
    -------
    DataFrame
        ``drug``, ``agreement`` (the median over lines of the line's mean over doses; NaN: not
        known), ``n_lines`` with a known one, ``kinds`` of second wells, joined by ``;``. The lines
        are summed up, never compared with each other.
    """
    known = table[table["agreement"].notna()]
    by_line = known.groupby(["drug", "cell_line"], observed=True)["agreement"].mean()
    by_drug = by_line.groupby("drug", observed=True).agg(agreement="median", n_lines="size")
    by_drug["kinds"] = known.groupby("drug", observed=True)["kind"].agg(_joined)
    drugs = pd.Index(sorted(table["drug"].astype(str).unique()), name="drug")
    found = by_drug.reindex(drugs).reset_index()
    n_lines = found["n_lines"].fillna(0).astype(int)
    return found.assign(n_lines=n_lines, kinds=found["kinds"].fillna(""))


def _joined(kinds: pd.Series) -> str:
    return "; ".join(str(kind) for kind in WellPair if (kinds == kind).any())


def _twins(labels: ConditionIndex, rows: IntArray) -> IntArray:
    """(n, 2) places among the rows of a line: two drugs of one parent at one dose."""
    table = pd.DataFrame({"parent": labels.parent[rows], "dose": labels.doses[rows]})
    return _within(table, ["parent", "dose"])


def _doses(labels: ConditionIndex, rows: IntArray) -> IntArray:
    """(n, 2) places among the rows of a line: a drug at two neighbouring doses."""
    order = np.lexsort((labels.doses[rows], labels.drug[rows]))
    same = labels.drug[rows][order[1:]] == labels.drug[rows][order[:-1]]
    return np.column_stack([order[:-1][same], order[1:][same]])


def _by_plate(changes: SpecificChanges, line: int) -> FloatArray:
    """(n_conditions,) mean r between a condition's changes on any two of its plates, else NaN."""
    plates = changes.line(line)
    values = plates.unit_changes(changes.unit_deltas(plates))
    units = pd.DataFrame({"condition": plates.condition_of_unit})
    units["r"] = _mean_r(values, _within(units, ["condition"]), len(units))
    found = np.full(len(changes.defined), np.nan)
    by_condition = units.groupby("condition")["r"].mean()
    found[by_condition.index] = by_condition
    return found


def _within(table: pd.DataFrame, keys: list[str]) -> IntArray:
    """(n, 2) places of rows that have the same keys, each pair once."""
    groups = table.groupby(keys, dropna=False).indices.values()
    pairs = [pair for here in groups for pair in combinations(here.tolist(), 2)]
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def _mean_r(values: FloatArray, pairs: IntArray, n: int) -> FloatArray:
    """(n,) mean Pearson's r of each place's pairs, NaN without one that is defined."""
    defined: BoolArray = ~np.asarray(np.isnan(values).any(axis=1))
    pairs = pairs[defined[pairs].all(axis=1)]
    r = pearson_delta(values[pairs[:, 0]], values[pairs[:, 1]]) if len(pairs) else np.empty(0)
    known = ~np.isnan(r)
    places = pairs[known].T.ravel()
    total = np.bincount(places, weights=np.tile(r[known], 2), minlength=n)
    number = np.bincount(places, minlength=n)
    return np.divide(total, number, out=np.full(n, np.nan), where=number > 0)
