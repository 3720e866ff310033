"""Specific changes of an atlas's conditions: what of a delta is not shared by its plate."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cached_property, partial

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Condition, FloatArray, IntArray
from lgr_core.errors import NotFoundError, NotSeparableError
from lgr_core.retrieval.condition_index import ConditionIndex, require_plates
from lgr_core.retrieval.plate_centring import MIN_OTHERS, LinePlates
from lgr_core.retrieval.single_slot_cache import SingleSlotCache


class SpecificChanges:
    """Specific changes of measured conditions, where some rows may be in a plate's mean.

    Parameters
    ----------
    store, labels
        The atlas and the index of its conditions.
    readable
        (n_conditions,) the rows that may be in a plate's mean.
    all_genes, genes
        All genes of the atlas or those of the panel, and which of them.

    Raises
    ------
    UsageError
        If the atlas does not name plates.
    """

    def __init__(
        self,
        store: AtlasStore,
        labels: ConditionIndex,
        readable: BoolArray,
        *,
        all_genes: bool = False,
        genes: slice = slice(None),
    ) -> None:
        require_plates(labels, store)
        self._store, self._labels, self._readable = store, labels, readable & store.present
        self._all_genes = all_genes
        self._genes = genes if all_genes else slice(*genes.indices(store.n_panel))
        self._lines: dict[int, LinePlates] = {}
        self._last = SingleSlotCache[FloatArray]()

    def of(self, rows: IntArray) -> FloatArray:
        """The specific changes of rows, (n_rows, n_genes) float32, NaN where there is none."""
        lines = self._labels.line[rows]
        found: FloatArray | None = None
        for line in np.unique(lines):
            plates = self.line(int(line))
            changes = self._last.get(int(line), partial(self._of_line, plates))
            if found is None:
                found = np.full((len(rows), changes.shape[1]), np.nan, dtype=np.float32)
            if len(plates.rows) and (lines == line).all() and np.isin(rows, plates.rows).all():
                return changes[np.searchsorted(plates.rows, rows)]
            here = np.flatnonzero(lines == line)
            place = np.searchsorted(plates.rows, rows[here])
            known = np.isin(rows[here], plates.rows)
            found[here[known]] = changes[place[known]]
        if found is None:
            return np.empty((0, self.unit_deltas(self.line(0)).shape[1]), dtype=np.float32)
        return found

    def _of_line(self, plates: LinePlates) -> FloatArray:
        if not len(plates.rows):
            return self.unit_deltas(plates)
        if self._store.plate_deltas is None:
            deltas = self._store.deltas(plates.rows, all_genes=self._all_genes)
            return plates.changes_of_averages(deltas[:, self._genes])
        return plates.changes(self.unit_deltas(plates))

    @cached_property
    def n_others(self) -> IntArray:
        """(n_conditions,) other parents on each condition's plate, the most of its plates."""
        found = np.zeros(len(self._readable), dtype=np.intp)
        for line in range(len(self._labels.lines)):
            plates = self.line(line)
            found[plates.rows] = plates.n_others
        return found

    @cached_property
    def defined(self) -> BoolArray:
        """(n_conditions,) the conditions that have a specific change."""
        return self.n_others >= MIN_OTHERS

    def require(self, condition: Condition, row: int) -> None:
        """Raise ``NotSeparableError`` unless the condition of a row has a specific change."""
        if not self.defined[row]:
            raise not_separable(condition, int(self.n_others[row]))

    def line(self, line: int) -> LinePlates:
        """The plates of a line."""
        if line not in self._lines:
            self._lines[line] = LinePlates(self._labels, line, self._readable)
        return self._lines[line]

    def unit_deltas(self, plates: LinePlates) -> FloatArray:
        """The deltas of a line's units, (u, n_genes) float32."""
        places = self._labels.plate_index.places[plates.units]
        found = self._store.unit_deltas(places, all_genes=self._all_genes)
        return np.ascontiguousarray(found[:, self._genes])


def specific_changes(
    store: AtlasStore, labels: ConditionIndex | None = None, *, all_genes: bool = False
) -> SpecificChanges:
    """The specific changes of an atlas, where everything measured may be read."""
    labels = ConditionIndex(store) if labels is None else labels
    return SpecificChanges(store, labels, store.present, all_genes=all_genes)


class PoolDifferences:
    """Changes less the mean of the line's other parents, plates and all.

    It brings the plate back, so it is a view of its own and no specific change: unrelated drugs of
    one small plate are alike by it.
    """

    def __init__(self, store: AtlasStore, labels: ConditionIndex | None = None) -> None:
        self._store = store
        self._labels = ConditionIndex(store) if labels is None else labels

    def of(self, rows: IntArray) -> FloatArray:
        """The differences of rows, (n_rows, n_genes) float32, NaN of a line's only parent."""
        labels, store = self._labels, self._store
        found = np.full((len(rows), store.n_panel), np.nan, dtype=np.float32)
        groups = list(zip(labels.line[rows].tolist(), labels.doses[rows].tolist(), strict=True))
        for line, dose in dict.fromkeys(groups):
            here = np.array([group == (line, dose) for group in groups])
            pool = np.flatnonzero((labels.line == line) & labels.at_dose(dose))
            deltas, parents = store.deltas(pool), labels.parent[pool]
            own, others = store.deltas(rows[here]), labels.parent[rows[here]]
            mates = (parents[None, :] != others[:, None]).astype(np.float32)
            n = mates.sum(axis=1, keepdims=True)
            found[here] = np.where(n > 0, own - mates @ deltas / np.maximum(n, 1), np.nan)
        return found


class View(StrEnum):
    """Which change of a condition is searched: ``RELATIVE_TO_POOL`` holds the plate's share too."""

    TOTAL = "total"
    SPECIFIC = "specific"
    RELATIVE_TO_POOL = "relative_to_pool"


def changes_of(store: AtlasStore, view: View) -> Callable[[IntArray], FloatArray]:
    """What reads a view of measured changes: rows to (n_rows, n_panel), NaN where undefined.

    Raises
    ------
    UsageError
        If specific changes are asked for of an atlas that does not name plates.
    """
    match View(view):
        case View.TOTAL:
            return store.deltas
        case View.SPECIFIC:
            return specific_changes(store).of
        case View.RELATIVE_TO_POOL:
            return PoolDifferences(store).of


def measured_change(store: AtlasStore, query: Condition, view: View) -> FloatArray:
    """A view of a measured change, (n_panel,).

    Raises
    ------
    NotFoundError
        If it was not measured.
    NotSeparableError
        If its specific change is asked for and cannot be separated from its plate.
    """
    row = store.row(query)
    if row is None:
        raise NotFoundError(f"change of {query}", "it was not measured", "Choose another drug.")
    if view is View.SPECIFIC:
        specific_changes(store, ConditionIndex(store)).require(query, row)
    return changes_of(store, view)(np.array([row]))[0]


def not_separable(condition: Condition, n_others: int) -> NotSeparableError:
    """The error for a condition whose plate's mean cannot be taken away."""
    found = f"cannot be separated from its plate ({n_others} other parents, {MIN_OTHERS} needed)"
    do = "Look at its total change, or at its difference from the line's other drugs."
    return NotSeparableError(f"specific change of {condition}", found, do)
