"""Changes of an atlas at one dose as a table of lines and drugs, and who may predict whom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, FloatArray, IntArray, WellScope
from lgr_core.errors import NotFoundError
from lgr_core.retrieval.condition_index import ConditionIndex

_GENES = 500
"""Of the panel, what covariances are learned on."""


@dataclass(frozen=True, eq=False)
class LineDrugTable:
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


def line_drug_table(store: AtlasStore, dose_um: float | None) -> tuple[LineDrugTable, float | None]:
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
    return LineDrugTable(*names, changes, measured, usable), dose


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
