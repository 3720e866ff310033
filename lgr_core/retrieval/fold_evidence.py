"""What one fold of an atlas opens, read for many queries at once and shared between blocks.

Nothing here asks which query a row may be read for: that is decided by the
:class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`, to which alone these reads are handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Change, Evidence, FloatArray, IntArray, WellScope
from lgr_core.errors import LeakageError
from lgr_core.retrieval.candidate_pool import Split, check_size
from lgr_core.retrieval.condition_index import ConditionIndex, require_plates
from lgr_core.retrieval.cross_line import EffectTensor, OtherLines
from lgr_core.retrieval.plate_centring import LinePlates
from lgr_core.retrieval.single_slot_cache import SingleSlotCache
from lgr_core.retrieval.specific_change import SpecificChanges
from lgr_core.retrieval.sums import MeanOver, Sums

SUMMED = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})
"""The evidence that sums are made of: no other opens rows of several queries."""

_KEPT = 4
"""Sets of specific changes that are kept, by what may be in a plate's mean."""

NO_LINE = -1
"""The line of rows that are open to queries of every line."""

_STEP = 2_048
"""Rows added at a time: 32 MB of float64 at 2,000 genes."""

_MOST_ADDED = 32_000_000
"""Values added at a time, where all genes are read: 256 MB of float64."""

_MOST_WEIGHTED = 100_000_000
"""Values held at a time while rows are weighted: 400 MB of float32."""


class FoldEvidence:
    """The deltas of an atlas as one fold opens them; without a fold, the open world.

    The genes are those of the metric panel, with ``every`` only every so many-th of them; all of
    the atlas's with ``all_genes``. ``change`` says which change is averaged and predicted,
    ``wells`` whose wells a query may read. ``closed`` (n_conditions,) are rows that are closed to
    some query: no mean of a plate that queries share is taken over them. ``hidden``
    (n_conditions,) are rows that no query may read. ``truth_store`` is the same atlas on the plates
    that predictions are compared with, where these are others than those that are read.

    Raises
    ------
    UsageError
        If the fold belongs to another atlas, or plates are needed that the atlas does not name.
    """

    def __init__(  # noqa: PLR0913 - all but the atlas is optional
        self,
        store: AtlasStore,
        fold: Split | None = None,
        *,
        change: Change = Change.TOTAL,
        wells: WellScope = WellScope.ANY,
        closed: BoolArray | None = None,
        hidden: BoolArray | None = None,
        truth_store: AtlasStore | None = None,
        every: int = 1,
        all_genes: bool = False,
        labels: ConditionIndex | None = None,
    ) -> None:
        if fold is not None:
            check_size(store, fold)
        n_genes = len(store.genes) if all_genes else store.n_panel
        self.store, self.fold, self.all_genes = store, fold, all_genes
        self.truth_store = store if truth_store is None else truth_store
        self.change, self.wells = Change(change), WellScope(wells)
        self.genes = slice(0, n_genes, every)
        n_read = len(range(n_genes)[self.genes])
        self.labels = ConditionIndex(store, n_read) if labels is None else labels.with_genes(n_read)
        if (self.change, self.wells) != (Change.TOTAL, WellScope.ANY):
            require_plates(self.labels, store)
        self.closed = np.zeros(len(store.conditions), dtype=bool) if closed is None else closed
        self._hidden = hidden
        self._held: frozenset[Evidence] | None = None
        self._sums: dict[tuple[object, ...], Sums] = {}
        self._effect_tensors, self._other_lines = (
            SingleSlotCache[EffectTensor](),
            SingleSlotCache[OtherLines](),
        )
        self._of_line = {power: SingleSlotCache[Sums]() for power in (1, 2)}
        self._opened = SingleSlotCache[dict[frozenset[Evidence], BoolArray]]()
        self._last_read = SingleSlotCache[FloatArray]()
        self._line_plates = SingleSlotCache[LinePlates]()
        self._units = SingleSlotCache[FloatArray]()
        self._changes: dict[object, SpecificChanges] = {}

    @property
    def narrows(self) -> bool:
        """Whether less may be read, or is defined, than the fold opens."""
        plain = (self.change, self.wells) == (Change.TOTAL, WellScope.ANY)
        return not plain or self._hidden is not None

    @contextmanager
    def restricted_to(self, evidence: frozenset[Evidence]) -> Iterator[None]:
        """While this lasts, blocks open no other evidence: that which a method has declared."""
        before, self._held = self._held, evidence
        try:
            yield
        finally:
            self._held = before

    def check(self, evidence: Iterable[Evidence]) -> frozenset[Evidence]:
        """The evidence, if it may be opened.

        Raises
        ------
        LeakageError
            If more is asked for than was declared.
        """
        asked = frozenset(evidence)
        if self._held is not None and not asked <= self._held:
            declared = ", ".join(sorted(self._held)) or "nothing"
            found = f"a method that declares {declared} asks for it"
            what = ", ".join(sorted(asked - self._held))
            raise LeakageError(f"evidence {what}", found, "Declare the evidence or leave it.")
        return asked

    def readable_rows(
        self, evidence: frozenset[Evidence], line: int, plate_set: int | None = None
    ) -> BoolArray:
        """(n_conditions,) rows that the evidence opens to queries of a line, their unit aside.

        Without those that share a plate with ``plate_set``, where one is given. Not to be written
        to: those of the last line are kept.
        """
        opened = self._opened.get((line, plate_set), dict)
        if evidence not in opened:
            opened[evidence] = self._reach(evidence, line, plate_set)
        return opened[evidence]

    def deltas(self, rows: IntArray) -> FloatArray:
        """Measured deltas, (n_rows, genes) float32, not to be written to; the last read is kept.

        A line's rows are read for its mean, for the neighbours and for the prediction: one read.
        """
        return self._last_read.get(rows.tobytes(), lambda: self._read(rows, writeable=False))

    def values(
        self, rows: IntArray, evidence: frozenset[Evidence], plate_set: int | None
    ) -> FloatArray:
        """What is averaged of rows over several lines, (n_rows, genes) float32.

        Their deltas; or their specific changes, NaN where there is none. A plate's mean is that of
        the rows which the evidence opens to all queries: none of ``closed``.
        """
        if self.change is Change.TOTAL:
            return self.deltas(rows)
        return self._shared_changes(evidence, plate_set).of(rows)

    def has_value(self, evidence: frozenset[Evidence], plate_set: int | None) -> BoolArray:
        """(n_conditions,) rows of which :meth:`values` has any."""
        return self._shared_changes(evidence, plate_set).defined

    def _shared_changes(
        self, evidence: frozenset[Evidence], plate_set: int | None
    ) -> SpecificChanges:
        shared = evidence & SUMMED - {Evidence.TARGET_POOL}
        key = shared, plate_set
        if key in self._changes:
            return self._changes[key]
        readable = self.readable_rows(shared, NO_LINE, plate_set) & ~self.closed
        return self._centred(self.store, self.labels, readable, key)

    def truths(self, rows: IntArray) -> FloatArray:
        """What predictions are compared with, (n_rows, genes), NaN where it is not defined.

        For the truth's guard and the scorer: every row of a plate may be in its mean.
        """
        if self.change is Change.TOTAL:
            if self.truth_store is self.store:
                return self._read(rows)
            found = self.truth_store.deltas(rows, all_genes=self.all_genes)
            return np.ascontiguousarray(found[:, self.genes])
        return self._true_changes.of(rows)

    def unguarded_changes(self, rows: IntArray) -> FloatArray:
        """Specific changes of rows that are read, the truth in their plates' means.

        For a guard of the truth alone.
        """
        return self._centred(self.store, self.labels, self.store.present, None).of(rows)

    def line_plates(
        self, evidence: frozenset[Evidence], line: int, plate_set: int | None
    ) -> LinePlates:
        """The plates of a line, of whose means nothing is closed but each query's own unit."""
        readable = self.readable_rows(evidence & SUMMED, line, plate_set)
        key = (evidence & SUMMED, line, plate_set)
        return self._line_plates.get(key, lambda: LinePlates(self.labels, line, readable))

    def unit_deltas(self, plates: LinePlates) -> FloatArray:
        """The deltas of a line's units, (u, genes) float32; the last read is kept."""
        readable = self.store.present
        changes = self._centred(self.store, self.labels, readable, None)
        return self._units.get(plates, lambda: changes.unit_deltas(plates))

    def _centred(
        self, store: AtlasStore, labels: ConditionIndex, readable: BoolArray, key: object
    ) -> SpecificChanges:
        """Specific changes over the genes that are read; those of the last keys are kept."""
        if key not in self._changes:
            if len(self._changes) == _KEPT:
                self._changes.clear()
            self._changes[key] = SpecificChanges(
                store, labels, readable, all_genes=self.all_genes, genes=self.genes
            )
        return self._changes[key]

    @cached_property
    def _true_changes(self) -> SpecificChanges:
        store = self.truth_store
        labels = self.labels if store is self.store else ConditionIndex(store, self.labels.n_genes)
        return self._centred(store, labels, store.present, "truth")

    def weighted_sums(self, weights: csr_array | FloatArray, rows: IntArray) -> FloatArray:
        """Sums of the rows' deltas, (n, genes) float32, for ``weights`` (n, n_rows) float32."""
        step = max(1, _MOST_WEIGHTED // self.labels.n_genes)
        if len(rows) <= step:
            return weights @ self.deltas(rows)
        total = np.zeros((weights.shape[0], self.labels.n_genes), dtype=np.float32)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            total += weights[:, part] @ self._read(rows[part])
        return total

    def other_lines_of(
        self,
        evidence: frozenset[Evidence],
        dose: float | None,
        line: int,
        plate_set: int | None = None,
        closed_lines: tuple[int, ...] = (),
    ) -> OtherLines:
        """What the evidence opens in other lines; kept for as long as no other is asked for.

        Without ``closed_lines``, in which a query's own wells are closed to it.
        """
        tensor = self._effect_tensors.get(
            (evidence, dose, plate_set), lambda: self._effect_tensor(evidence, dose, plate_set)
        )
        left_out = tuple(i for i in (line, *closed_lines) if i in tensor.lines)
        key = (evidence, dose, plate_set, left_out)
        return self._other_lines.get(key, lambda: OtherLines(tensor, left_out))

    def sums(
        self,
        evidence: frozenset[Evidence],
        line: int,
        dose: float | None,
        over: MeanOver,
        power: int = 1,
        plate_set: int | None = None,
    ) -> Sums:
        """Sums at a dose: of the line (1 group), of each drug (n_drugs) or of all (1 group).

        Of a power of the deltas. What is the same for every line is summed once.
        """
        evidence &= SUMMED
        opened = self.readable_rows(evidence, line, plate_set)
        if over is MeanOver.LINE:
            of_line = opened & (self.labels.line == line)
            return self._of_line[power].get(
                (evidence, line, dose, plate_set),
                lambda: self._summed(of_line, dose, over, power, evidence, plate_set),
            )
        shared = evidence - {Evidence.TARGET_POOL}
        among = self.readable_rows(shared, line, plate_set)
        key = (shared, dose, over, power, plate_set)
        if key not in self._sums:
            self._sums[key] = self._summed(among, dose, over, power, evidence, plate_set)
        pool = opened & ~among
        if not pool.any():
            return self._sums[key]
        return self._sums[key] + self._summed(pool, dose, over, power, evidence, plate_set)

    def _reach(self, evidence: frozenset[Evidence], line: int, plate_set: int | None) -> BoolArray:
        lines = self.labels.line
        everything = np.ones(len(lines), dtype=bool)
        opened = {} if self.fold is None else self.fold.readable_rows
        rows = ~everything
        if Evidence.TRAIN in evidence:
            rows |= opened.get(Evidence.TRAIN, everything)
        if Evidence.TARGET_POOL in evidence:
            rows |= opened.get(Evidence.TARGET_POOL, everything) & (lines == line)
        if plate_set is not None:
            rows &= ~self.labels.plate_index.on_same_plate(plate_set)
        if self._hidden is not None:
            rows &= ~self._hidden
        return rows & self.store.present

    def _read(self, rows: IntArray, *, writeable: bool = True) -> FloatArray:
        """The rows' deltas, (n_rows, genes) float32, from the store."""
        deltas = np.ascontiguousarray(
            self.store.deltas(rows, all_genes=self.all_genes)[:, self.genes]
        )
        deltas.flags.writeable = writeable
        return deltas

    def _effect_tensor(
        self, evidence: frozenset[Evidence], dose: float | None, plate_set: int | None
    ) -> EffectTensor:
        labels = self.labels
        opened = self.readable_rows(evidence, NO_LINE, plate_set)
        rows = np.flatnonzero(opened & labels.at_dose(dose))
        lines, line = np.unique(labels.line[rows], return_inverse=True)
        drugs, drug = np.unique(labels.drug[rows], return_inverse=True)
        table = np.full((len(lines), len(drugs)), -1, dtype=np.intp)
        table[line, drug] = rows
        deltas = self._tensor_values(table, evidence, plate_set)
        table[np.isnan(deltas[:, :, 0])] = -1
        deltas[table < 0] = 0
        return EffectTensor(lines, drugs, table, deltas)

    def _tensor_values(
        self, table: IntArray, evidence: frozenset[Evidence], plate_set: int | None
    ) -> FloatArray:
        """What is averaged at each place of a table of rows, (*table.shape, genes)."""
        rows = np.maximum(table, 0).ravel()
        if self.change is Change.TOTAL:
            found = self._read(rows)
        else:
            found = self.values(rows, evidence, plate_set)
        return found.reshape(*table.shape, self.labels.n_genes)

    def _summed(
        self,
        opened: BoolArray,
        dose: float | None,
        over: MeanOver,
        power: int,
        evidence: frozenset[Evidence],
        plate_set: int | None,
    ) -> Sums:
        labels = self.labels
        rows = np.flatnonzero(opened & labels.at_dose(dose))
        groups = labels.drug[rows] if over is MeanOver.DRUG else np.zeros(len(rows), dtype=np.intp)
        n = len(labels.drugs) if over is MeanOver.DRUG else 1
        totals, counts = np.zeros((n, labels.n_genes)), np.zeros(n, dtype=np.intp)
        step = min(_STEP, max(1, _MOST_ADDED // labels.n_genes))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            values = self.values(rows[part], evidence, plate_set)
            group = groups[part]
            undefined = np.isnan(values[:, 0])
            if undefined.any():
                values, group = values[~undefined], group[~undefined]
            counts += np.bincount(group, minlength=n)
            of_group = group, np.arange(len(group))
            place = csr_array((np.ones(len(group)), of_group), shape=(n, len(group)))
            totals += place @ values.astype(np.float64) ** power
        return Sums(totals, counts)
