"""Where conditions stand: the plates of an atlas by number, and which conditions share one."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lgr_core.domain import BoolArray, FloatArray, IntArray, WellScope

UNKNOWN = -1
"""The plate set of a condition whose plates are not known."""


class PlateIndex:
    """The plates that conditions stand on, each condition on one or more.

    A *unit* is one condition on one plate, (n_units,) of them, in the order of the atlas's table.

    Parameters
    ----------
    plates
        The table of an atlas: ``condition`` (row number), ``plate`` and ``n_cells``.
    n_conditions
        How many conditions the atlas has.
    """

    def __init__(self, plates: pd.DataFrame, n_conditions: int) -> None:
        named = (plates["plate"].astype(object) != "").to_numpy(bool) & plates["plate"].notna()
        self.places: IntArray = np.flatnonzero(named)
        known = plates.iloc[self.places]
        self.condition: IntArray = known["condition"].to_numpy(np.intp)
        self.plate, self.names = pd.factorize(known["plate"].astype(object), sort=True)
        self.share = _shares(self.condition, known["n_cells"].to_numpy(float), n_conditions)
        self._n = n_conditions

    @property
    def is_empty(self) -> bool:
        """Whether the atlas does not say on which plates anything stands."""
        return not len(self.plate)

    def standing(self, *rows: IntArray) -> list[BoolArray]:
        """For each array of rows, -1 for none: who stands on which plate, (n_rows, n_plates).

        The plates are those that any of the rows stands on.
        """
        found = [self._stands[np.maximum(part, 0)] for part in rows]
        used = np.unique(np.concatenate([part.indices for part in found]))
        flags = [part[:, used].toarray() > 0 for part in found]
        return [flag & (part >= 0)[:, None] for flag, part in zip(flags, rows, strict=True)]

    @cached_property
    def _stands(self) -> csr_array:
        """(n_conditions, n_plates), 1 where a condition stands on a plate."""
        ones = np.ones(len(self.plate), dtype=np.int8)
        shape = (self._n, max(len(self.names), 1))
        return csr_array((ones, (self.condition, self.plate)), shape=shape)

    @cached_property
    def set_of(self) -> IntArray:
        """(n_conditions,) the number of each condition's set of plates; ``UNKNOWN`` without one."""
        numbers: dict[bytes, int] = {}
        of = np.full(self._n, UNKNOWN, dtype=np.intp)
        edges = self._stands.indptr
        plates = self._stands.sorted_indices().indices
        for row in np.flatnonzero(np.diff(edges)):
            key = plates[edges[row] : edges[row + 1]].tobytes()
            of[row] = numbers.setdefault(key, len(numbers))
        return of

    @cached_property
    def _sets(self) -> csr_array:
        """(n_sets, n_plates) the plates of each set."""
        _, first = np.unique(self.set_of[self.set_of >= 0], return_index=True)
        return self._stands[np.flatnonzero(self.set_of >= 0)[first]]

    def overlapping(self, sets: IntArray) -> BoolArray:
        """(n, n_sets + 1) whether each set, (n,), has a plate in common with each set of the atlas.

        Conditions without a known plate, in the last column, may stand on any.
        """
        known = sets >= 0
        shared = np.ones((len(sets), self._sets.shape[0] + 1), dtype=bool)
        if known.any():
            common = (self._sets[sets[known]].astype(np.int32) @ self._sets.T).toarray() > 0
            shared[np.flatnonzero(known), :-1] = common
        return shared

    def on_same_plate(self, plate_set: int) -> BoolArray:
        """(n_conditions,) those that stand on a plate of that set, or on none that is known."""
        return self.overlapping(np.array([plate_set]))[0][self.set_of]


def _shares(condition: IntArray, n_cells: FloatArray, n_conditions: int) -> FloatArray:
    """(n_units,) the weight of each plate in its condition's average, as replicates are averaged.

    By cells where all of a condition's are known, else equally.
    """
    total = np.bincount(condition, weights=n_cells, minlength=n_conditions)[condition]
    number = np.bincount(condition, minlength=n_conditions)[condition]
    usable = np.isfinite(total) & (total > 0)
    return np.where(usable, n_cells, 1.0) / np.where(usable, total, number)


def closed_rows(
    index: PlateIndex, drug: IntArray, doses: FloatArray, rows: IntArray, wells: WellScope
) -> BoolArray:
    """(n_conditions,) rows, in any line, that are closed to one of the queries of ``rows``.

    ``drug`` and ``doses``, (n_conditions,), are those of all conditions. The query's own unit,
    which is closed in every case, is not meant.
    """
    closed = np.zeros(len(drug), dtype=bool)
    if wells is WellScope.ANY or not len(rows):
        return closed
    asked = pd.DataFrame({"set": index.set_of[rows], "drug": drug[rows], "dose": doses[rows]})
    if wells is WellScope.OTHER_PLATES:
        for plate_set in asked["set"].unique():
            closed |= index.on_same_plate(int(plate_set))
        return closed
    for one in asked.drop_duplicates().itertuples(index=False):
        same_dose = np.isnan(doses) if np.isnan(one.dose) else doses == one.dose
        closed |= (drug == one.drug) & same_dose & index.on_same_plate(int(one.set))
    return closed
