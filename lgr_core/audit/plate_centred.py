"""Specific changes from an atlas's plates: a change less the mean of its plate's other drugs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition, FloatArray

MIN_OTHERS = 10
"""Other parents on a plate below which the plate cannot be taken out."""


@dataclass(frozen=True)
class PlateCentredChanges:
    """Specific changes of the panel genes; an instance is called like a ``SpecificChange``.

    In the line, each plate's mean is taken over its other parents, each once, at the dose nearest
    to the condition's on a log scale; plates of a condition are averaged.
    """

    store: AtlasStore
    _computed: dict[int, FloatArray | None] = field(default_factory=dict, init=False, repr=False)

    def __call__(self, cell_line: str, drug: str, dose_um: float | None) -> FloatArray | None:
        """The specific change (n_panel,); None if it was not measured or has no plate of use."""
        row = self.store.row(Condition(cell_line, drug, dose_um))
        if row is None:
            return None
        if row not in self._computed:
            self._computed[row] = self._change(row)
        return self._computed[row]

    def _change(self, row: int) -> FloatArray | None:
        means = [self._mean_of_others(row, plate) for plate in self._plates_of.get(row, ())]
        known = [mean for mean in means if mean is not None]
        if not known:
            return None
        return self.store.deltas(np.array([row]))[0].astype(np.float64) - np.mean(known, axis=0)

    def _mean_of_others(self, row: int, plate: str) -> FloatArray | None:
        """The mean change of the plate's other parents in the row's line; None if they are few."""
        store = self.store
        line = store.conditions["cell_line"].iat[row]
        dose = store.conditions["dose_um"].iat[row]
        own = store.parent_of_row[row]
        rows = [r for r in self._rows_on[plate, line] if store.parent_of_row[r] != own]
        distance = np.abs(np.log(store.conditions["dose_um"].to_numpy(float)[rows] / dose))
        nearest: dict[str, int] = {}
        for r in np.array(rows, dtype=np.intp)[np.argsort(distance, kind="stable")].tolist():
            nearest.setdefault(store.parent_of_row[r], r)
        if len(nearest) < MIN_OTHERS:
            return None
        return store.deltas(np.array(sorted(nearest.values()))).mean(axis=0, dtype=np.float64)

    @cached_property
    def _plates_of(self) -> dict[int, tuple[str, ...]]:
        named = self.store.plates[self.store.plates["plate"].astype(str).str.strip() != ""]
        return named.groupby("condition")["plate"].agg(tuple).to_dict()

    @cached_property
    def _rows_on(self) -> dict[tuple[str, str], list[int]]:
        """Rows by plate and line."""
        lines = self.store.conditions["cell_line"].to_numpy()
        found: dict[tuple[str, str], list[int]] = {}
        for row, plates in self._plates_of.items():
            for plate in plates:
                found.setdefault((plate, lines[row]), []).append(row)
        return found
