"""What one fold of an atlas opens, read for many queries at once and shared between blocks.

Nothing here asks which query a row may be read for: that is decided by the
:class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`, to which alone these reads are handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np
from scipy.sparse import csr_array

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.errors import LeakageError
from lgr_core.retrieval.candidate_pool import Split, check_size
from lgr_core.retrieval.condition_index import ConditionIndex
from lgr_core.retrieval.cross_line import EffectTensor, OtherLines
from lgr_core.retrieval.single_slot_cache import SingleSlotCache
from lgr_core.retrieval.sums import MeanOver, Sums

SUMMED = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})
"""The evidence that sums are made of: no other opens rows of several queries."""

_STEP = 2_048
"""Rows added at a time: 32 MB of float64 at 2,000 genes."""

_MOST_ADDED = 32_000_000
"""Values added at a time, where all genes are read: 256 MB of float64."""

_MOST_WEIGHTED = 100_000_000
"""Values held at a time while rows are weighted: 400 MB of float32."""


class FoldEvidence:
    """The deltas of an atlas as one fold opens them; without a fold, the open world.

    The genes are those of the metric panel, with ``every`` only every so many-th of them; all of
    the atlas's with ``all_genes``.

    Raises
    ------
    UsageError
        If the fold belongs to another atlas.
    """

    def __init__(
        self,
        store: AtlasStore,
        fold: Split | None = None,
        *,
        every: int = 1,
        all_genes: bool = False,
        labels: ConditionIndex | None = None,
    ) -> None:
        if fold is not None:
            check_size(store, fold)
        n_genes = len(store.genes) if all_genes else store.n_panel
        self.store, self.fold, self._all_genes = store, fold, all_genes
        self.genes = slice(0, n_genes, every)
        n_read = len(range(n_genes)[self.genes])
        self.labels = ConditionIndex(store, n_read) if labels is None else labels.with_genes(n_read)
        self._held: frozenset[Evidence] | None = None
        self._sums: dict[tuple[frozenset[Evidence], float | None, MeanOver, int], Sums] = {}
        self._effect_tensors, self._other_lines = (
            SingleSlotCache[EffectTensor](),
            SingleSlotCache[OtherLines](),
        )
        self._of_line = {power: SingleSlotCache[Sums]() for power in (1, 2)}
        self._opened = SingleSlotCache[dict[frozenset[Evidence], BoolArray]]()
        self._last_read = SingleSlotCache[FloatArray]()

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

    def readable_rows(self, evidence: frozenset[Evidence], line: int) -> BoolArray:
        """(n_conditions,) rows that the evidence opens to queries of a line, their unit aside.

        Not to be written to: those of the last line are kept.
        """
        opened = self._opened.get(line, dict)
        if evidence not in opened:
            opened[evidence] = self._reach(evidence, line)
        return opened[evidence]

    def deltas(self, rows: IntArray) -> FloatArray:
        """Measured deltas, (n_rows, genes) float32, not to be written to; the last read is kept.

        A line's rows are read for its mean, for the neighbours and for the prediction: one read.
        """
        return self._last_read.get(rows.tobytes(), lambda: self._read(rows, writeable=False))

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
        self, evidence: frozenset[Evidence], dose: float | None, line: int
    ) -> OtherLines:
        """What the evidence opens in other lines; kept for as long as no other is asked for."""
        tensor = self._effect_tensors.get(
            (evidence, dose), lambda: self._effect_tensor(evidence, dose)
        )
        inside = line if line in tensor.lines else -1
        return self._other_lines.get((evidence, dose, inside), lambda: OtherLines(tensor, inside))

    def sums(
        self,
        evidence: frozenset[Evidence],
        line: int,
        dose: float | None,
        over: MeanOver,
        power: int = 1,
    ) -> Sums:
        """Sums at a dose: of the line (1 group), of each drug (n_drugs) or of all (1 group).

        Of a power of the deltas. What is the same for every line is summed once.
        """
        evidence &= SUMMED
        opened = self.readable_rows(evidence, line)
        if over is MeanOver.LINE:
            of_line = opened & (self.labels.line == line)
            return self._of_line[power].get(
                (evidence, line, dose), lambda: self._summed(of_line, dose, over, power)
            )
        shared = evidence - {Evidence.TARGET_POOL}
        among = self.readable_rows(shared, line)
        key = (shared, dose, over, power)
        if key not in self._sums:
            self._sums[key] = self._summed(among, dose, over, power)
        pool = opened & ~among
        if not pool.any():
            return self._sums[key]
        return self._sums[key] + self._summed(pool, dose, over, power)

    def _reach(self, evidence: frozenset[Evidence], line: int) -> BoolArray:
        lines = self.labels.line
        everything = np.ones(len(lines), dtype=bool)
        opened = {} if self.fold is None else self.fold.readable_rows
        rows = ~everything
        if Evidence.TRAIN in evidence:
            rows |= opened.get(Evidence.TRAIN, everything)
        if Evidence.TARGET_POOL in evidence:
            rows |= opened.get(Evidence.TARGET_POOL, everything) & (lines == line)
        return rows

    def _read(self, rows: IntArray, *, writeable: bool = True) -> FloatArray:
        """The rows' deltas, (n_rows, genes) float32, from the store."""
        deltas = np.ascontiguousarray(
            self.store.deltas(rows, all_genes=self._all_genes)[:, self.genes]
        )
        deltas.flags.writeable = writeable
        return deltas

    def _effect_tensor(self, evidence: frozenset[Evidence], dose: float | None) -> EffectTensor:
        labels = self.labels
        rows = np.flatnonzero(self.readable_rows(evidence, -1) & labels.at_dose(dose))
        lines, line = np.unique(labels.line[rows], return_inverse=True)
        drugs, drug = np.unique(labels.drug[rows], return_inverse=True)
        table = np.full((len(lines), len(drugs)), -1, dtype=np.intp)
        table[line, drug] = rows
        deltas = self._read(np.maximum(table, 0).ravel()).reshape(*table.shape, labels.n_genes)
        deltas[table < 0] = 0
        return EffectTensor(lines, drugs, table, deltas)

    def _summed(self, opened: BoolArray, dose: float | None, over: MeanOver, power: int) -> Sums:
        labels = self.labels
        rows = np.flatnonzero(opened & labels.at_dose(dose))
        groups = labels.drug[rows] if over is MeanOver.DRUG else np.zeros(len(rows), dtype=np.intp)
        n = len(labels.drugs) if over is MeanOver.DRUG else 1
        totals = np.zeros((n, labels.n_genes))
        step = min(_STEP, max(1, _MOST_ADDED // labels.n_genes))
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            ones = np.ones(len(rows[part]))
            place = csr_array((ones, (groups[part], np.arange(len(ones)))), shape=(n, len(ones)))
            totals += place @ self.deltas(rows[part]).astype(np.float64) ** power
        return Sums(totals, np.bincount(groups, minlength=n))
