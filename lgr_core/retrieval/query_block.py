"""Many queries at once, each reading no more than a view of its own would let it.

A :class:`QueryBlock` is what differs in the drug alone: the queries of one line at one dose. What is
read of them passes its :class:`~lgr_core.retrieval.evidence_guard.EvidenceGuard`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, CandidatePool, Condition, Evidence, FloatArray, IntArray
from lgr_core.errors import EmptyPoolError, LeakageError, UsageError
from lgr_core.retrieval.candidate_pool import (
    QueryView,
    Split,
    candidate_pool,
    offered_drugs,
)
from lgr_core.retrieval.cross_line import EffectTensor, OtherLines
from lgr_core.retrieval.evidence_guard import EvidenceGuard, MeanOver
from lgr_core.retrieval.single_slot_cache import SingleSlotCache
from lgr_core.retrieval.sums import Sums


class ConditionIndex:
    """Everything an atlas says of its conditions but what was measured: no evidence is in it."""

    def __init__(self, store: AtlasStore, n_genes: int | None = None) -> None:
        conditions = store.conditions
        self.n_genes = store.n_panel if n_genes is None else n_genes
        self.doses = conditions["dose_um"].to_numpy(float)
        self.line, self.lines = _numbered(conditions["cell_line"])
        self.drug, self.drugs = _numbered(conditions["drug"])
        self.parent, self.parents = _numbered(store.parent_of_row)
        self.catalog = store.drug_catalog
        self.plates = store.plates
        self.n_cells = conditions["n_cells"].to_numpy(float)
        self.has_vehicle_profiles = store.control_profiles is not None
        self._measured, self._rows = store.measured_drugs, store.rows
        self._fingerprints = lambda: store.fingerprints
        self._names = store.drugs["drug"]
        self._annotations = lambda: store.annotations

    @cached_property
    def fingerprints(self) -> NDArray[np.uint8]:
        """Morgan bits (n_drugs, 2048) beside ``drugs``; all zero without a structure."""
        place = pd.Index(self._names).get_indexer(self.drugs)
        return self._fingerprints()[place]

    @cached_property
    def annotations(self) -> list[Mapping[str, Any]]:
        """What the atlas stores of each drug beside ``drugs``: names, mechanism, targets."""
        stored = self._annotations()
        return [stored[drug] for drug in self.drugs]

    @cached_property
    def parent_of_drug(self) -> IntArray:
        """(n_drugs,) the number of each drug's parent."""
        parents = np.empty(len(self.drugs), dtype=np.intp)
        parents[self.drug] = self.parent
        return parents

    def at_dose(self, dose_um: float | None) -> BoolArray:
        """(n_conditions,) rows measured at that dose."""
        return np.isnan(self.doses) if dose_um is None else self.doses == dose_um

    def measured(self, cell_line: str, dose_um: float | None) -> tuple[tuple[str, ...], IntArray]:
        """The drugs measured in a line at a dose, sorted, and their rows."""
        drugs = self._measured(cell_line, dose_um)
        return drugs, self._rows(cell_line, drugs, dose_um)

    def drug_numbers(self, drugs: Sequence[str]) -> IntArray:
        """Their places in ``drugs``, -1 where the atlas has none of that name."""
        return pd.Index(self.drugs).get_indexer(list(drugs))


class EvidenceReader:
    """An atlas as one fold opens it; without a fold, the open world. Makes blocks of queries.

    With ``every``, only every so many-th gene of the panel is read.
    """

    def __init__(self, store: AtlasStore, fold: Split | None = None, *, every: int = 1) -> None:
        self._held: frozenset[Evidence] | None = None
        self.genes = slice(0, store.n_panel, every)
        n_genes = len(range(store.n_panel)[self.genes])
        self.store, self.fold, self.labels = store, fold, ConditionIndex(store, n_genes)
        self._sums: dict[tuple[frozenset[Evidence], float | None, MeanOver, int], Sums] = {}
        self._effect_tensors, self._other_lines = (
            SingleSlotCache[EffectTensor](),
            SingleSlotCache[OtherLines](),
        )
        self._of_line = {power: SingleSlotCache[Sums]() for power in (1, 2)}
        self._read = SingleSlotCache[FloatArray]()

    def block(self, cell_line: str, dose_um: float | None, drugs: Sequence[str]) -> QueryBlock:
        """The queries of these drugs in one line at one dose."""
        return QueryBlock(self, tuple(Condition(cell_line, drug, dose_um) for drug in drugs))

    def blocks(self, rows: IntArray) -> Iterable[QueryBlock]:
        """The conditions of these rows, block by block in the order of the atlas."""
        rows = np.sort(rows)
        labels = self.labels
        line, dose, drugs = labels.line[rows], labels.doses[rows], labels.drugs[labels.drug[rows]]
        same = (dose[1:] == dose[:-1]) | (np.isnan(dose[1:]) & np.isnan(dose[:-1]))
        edges = np.flatnonzero((line[1:] != line[:-1]) | ~same) + 1
        for part in np.split(np.arange(len(rows)), edges):
            at = None if np.isnan(dose[part[0]]) else float(dose[part[0]])
            yield self.block(labels.lines[line[part[0]]], at, drugs[part].tolist())

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

    def deltas(self, rows: IntArray) -> FloatArray:
        """Measured deltas, (n_rows, genes) float32, whoever may read them; not to be written to."""
        return self._read.get(rows.tobytes(), lambda: self._deltas(rows))

    def _deltas(self, rows: IntArray) -> FloatArray:
        deltas = np.ascontiguousarray(self.store.deltas(rows)[:, self.genes])
        deltas.flags.writeable = False
        return deltas

    def other_lines_of(
        self, evidence: frozenset[Evidence], dose: float | None, line: int
    ) -> OtherLines:
        """What the evidence opens in other lines; kept for as long as no other is asked for."""
        tensor = self._effect_tensors.get(
            (evidence, dose), lambda: self._effect_tensor(evidence, dose)
        )
        inside = line if line in tensor.lines else -1
        return self._other_lines.get((evidence, dose, inside), lambda: OtherLines(tensor, inside))

    def _effect_tensor(self, evidence: frozenset[Evidence], dose: float | None) -> EffectTensor:
        labels = self.labels
        rows = np.flatnonzero(self.readable_rows(evidence, -1) & labels.at_dose(dose))
        lines, line = np.unique(labels.line[rows], return_inverse=True)
        drugs, drug = np.unique(labels.drug[rows], return_inverse=True)
        table = np.full((len(lines), len(drugs)), -1, dtype=np.intp)
        table[line, drug] = rows
        deltas = self.store.deltas(np.maximum(table, 0).ravel())[:, self.genes]
        deltas = np.ascontiguousarray(deltas).reshape(*table.shape, labels.n_genes)
        deltas[table < 0] = 0
        return EffectTensor(lines, drugs, table, deltas)

    def readable_rows(self, evidence: frozenset[Evidence], line: int) -> BoolArray:
        """(n_conditions,) rows that the evidence opens to queries of a line, their unit aside."""
        lines = self.labels.line
        everything = np.ones(len(lines), dtype=bool)
        opened = {} if self.fold is None else self.fold.readable_rows
        rows = ~everything
        if Evidence.TRAIN in evidence:
            rows |= opened.get(Evidence.TRAIN, everything)
        if Evidence.TARGET_POOL in evidence:
            rows |= opened.get(Evidence.TARGET_POOL, everything) & (lines == line)
        return rows

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

    def _summed(self, rows: BoolArray, dose: float | None, over: MeanOver, power: int) -> Sums:
        labels = self.labels
        rows = np.flatnonzero(rows & labels.at_dose(dose))
        groups = labels.drug[rows] if over is MeanOver.DRUG else np.zeros(len(rows), dtype=np.intp)
        n = len(labels.drugs) if over is MeanOver.DRUG else 1
        totals = np.zeros((n, labels.n_genes))
        for start in range(0, len(rows), _STEP):
            part = slice(start, start + _STEP)
            ones = np.ones(len(rows[part]))
            place = csr_array((ones, (groups[part], np.arange(len(ones)))), shape=(n, len(ones)))
            totals += place @ self.deltas(rows[part]).astype(np.float64) ** power
        return Sums(totals, np.bincount(groups, minlength=n))


SUMMED = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})
"""The evidence that sums are made of: no other opens rows of several queries."""

_STEP = 2_048
"""Rows added at a time: 32 MB of float64 at 2,000 genes."""


@dataclass(frozen=True, eq=False)
class QueryBlock:
    """Queries of one line at one dose, at least one; n of them."""

    _reader: EvidenceReader = field(repr=False)
    queries: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if len({(query.cell_line, query.dose_um) for query in self.queries}) != 1:
            raise UsageError("block", "several lines or doses, or none", "Make one of each.")

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def labels(self) -> ConditionIndex:
        """What the atlas says of its conditions; no evidence."""
        return self._reader.labels

    @property
    def cell_line(self) -> str:
        """The line of all queries."""
        return self.queries[0].cell_line

    @property
    def dose_um(self) -> float | None:
        """Their dose in micromolar; None is pooled over doses."""
        return self.queries[0].dose_um

    @cached_property
    def drugs(self) -> tuple[str, ...]:
        """The queries' drugs."""
        return tuple(query.drug for query in self.queries)

    @cached_property
    def parents(self) -> IntArray:
        """(n,) the parents of the queries' drugs, by number; -1 where the atlas has none such."""
        labels = self.labels
        parents = [labels.catalog.parent(drug) for drug in self.drugs]
        return pd.Index(labels.parents).get_indexer(parents)

    @cached_property
    def rows(self) -> IntArray:
        """(n,) each query's own row, -1 where it was not measured. A number tells nothing."""
        found = (self._reader.store.row(query) for query in self.queries)
        return np.array([-1 if row is None else row for row in found], dtype=np.intp)

    @cached_property
    def pools(self) -> tuple[CandidatePool | EmptyPoolError, ...]:
        """Each query's candidates, or the error that says why there are none."""
        store, fold = self._reader.store, self._reader.fold
        offered = offered_drugs(store, self.cell_line, self.dose_um, fold)
        return tuple(self._pool(query, offered) for query in self.queries)

    def some(self, places: IntArray) -> QueryBlock:
        """The block of some of its queries, in the order given."""
        return QueryBlock(self._reader, tuple(self.queries[i] for i in places))

    def view(self, i: int, evidence: Iterable[Evidence]) -> QueryView:
        """What query ``i`` alone may read."""
        reader = self._reader
        return QueryView(reader.store, self.queries[i], reader.check(evidence), reader.fold)

    def guard(self, evidence: Iterable[Evidence]) -> EvidenceGuard:
        """What the queries may read, together."""
        return EvidenceGuard(self, self._reader.check(evidence))

    def _pool(self, query: Condition, offered: Sequence[str]) -> CandidatePool | EmptyPoolError:
        store, fold = self._reader.store, self._reader.fold
        try:
            return candidate_pool(store, query, fold=fold, offered=offered)
        except EmptyPoolError as err:
            return err


def _numbered(names: Iterable[str]) -> tuple[IntArray, NDArray[np.object_]]:
    """Each row's number, and the sorted names that they number."""
    return pd.factorize(np.asarray(names, dtype=object), sort=True)
