"""Many queries at once, each reading no more than a view of its own would let it.

A :class:`Block` is what differs in the drug alone: the queries of one line at one dose. What is
read of them passes a :class:`Gate`, which never hands out a measured vector: it returns averages,
and leaves out of each, or refuses, what that query may not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, CandidatePool, Condition, Evidence, FloatArray, IntArray
from lgr_core.errors import EmptyPoolError, LeakageError, UsageError
from lgr_core.retrieval.pool import Split, TrainingView, View, candidate_pool


class Over(StrEnum):
    """What a mean is taken over, at the block's dose."""

    LINE = "line"
    DRUG = "drug"
    EVERYWHERE = "everywhere"


class Basis(StrEnum):
    """What weights stand on: drugs in the block's line, or their means over all lines."""

    LINE = "line"
    DRUG_MEANS = "drug_means"


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over the rows that the evidence opens: (groups, genes) float64, and how many rows.

    ``squares``, (groups, genes), are the sums of their squares.
    """

    totals: FloatArray
    counts: IntArray
    squares: FloatArray


class Labels:
    """Everything an atlas says of its conditions but what was measured: no evidence is in it."""

    def __init__(self, store: AtlasStore) -> None:
        conditions = store.conditions
        self.n_genes = store.n_panel
        self.doses = conditions["dose_um"].to_numpy(float)
        self.line, self.lines = _numbered(conditions["cell_line"])
        self.drug, self.drugs = _numbered(conditions["drug"])
        self.parent, self.parents = _numbered(store.parent_of_row)
        self.catalog = store.drug_catalog
        self.plates = store.plates
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


class FoldReader:
    """An atlas as one fold opens it; without a fold, the open world. Makes blocks of queries."""

    def __init__(self, store: AtlasStore, fold: Split | None = None) -> None:
        self.store, self.fold, self.labels = store, fold, Labels(store)
        self._sums: dict[tuple[frozenset[Evidence], float | None, Over], Sums] = {}

    def block(self, cell_line: str, dose_um: float | None, drugs: Sequence[str]) -> Block:
        """The queries of these drugs in one line at one dose."""
        return Block(self, tuple(Condition(cell_line, drug, dose_um) for drug in drugs))

    def blocks(self, rows: IntArray) -> Iterable[Block]:
        """The conditions of these rows, block by block in the order of the atlas."""
        rows = np.sort(rows)
        labels = self.labels
        line, dose, drugs = labels.line[rows], labels.doses[rows], labels.drugs[labels.drug[rows]]
        same = (dose[1:] == dose[:-1]) | (np.isnan(dose[1:]) & np.isnan(dose[:-1]))
        edges = np.flatnonzero((line[1:] != line[:-1]) | ~same) + 1
        for part in np.split(np.arange(len(rows)), edges):
            at = None if np.isnan(dose[part[0]]) else float(dose[part[0]])
            yield self.block(labels.lines[line[part[0]]], at, drugs[part].tolist())

    def reach(self, evidence: frozenset[Evidence], line: int) -> BoolArray:
        """(n_conditions,) rows that the evidence opens to queries of a line, their unit aside."""
        lines = self.labels.line
        everything = np.ones(len(lines), dtype=bool)
        opened = {} if self.fold is None else self.fold.reach
        rows = ~everything
        if Evidence.TRAIN in evidence:
            rows |= opened.get(Evidence.TRAIN, everything)
        if Evidence.TARGET_POOL in evidence:
            rows |= opened.get(Evidence.TARGET_POOL, everything) & (lines == line)
        return rows

    def sums(
        self, evidence: frozenset[Evidence], line: int, dose: float | None, over: Over
    ) -> Sums:
        """Sums at a dose: of the line (1 group), of each drug (n_drugs) or of all (1 group)."""
        if Evidence.TARGET_POOL in evidence or over is Over.LINE:  # differs from line to line
            return self._summed(evidence, line, dose, over)
        key = (evidence, dose, over)
        if key not in self._sums:
            self._sums[key] = self._summed(evidence, line, dose, over)
        return self._sums[key]

    def _summed(
        self, evidence: frozenset[Evidence], line: int, dose: float | None, over: Over
    ) -> Sums:
        labels = self.labels
        rows = self.reach(evidence, line) & labels.at_dose(dose)
        if over is Over.LINE:
            rows &= labels.line == line
        rows = np.flatnonzero(rows)
        groups = labels.drug[rows] if over is Over.DRUG else np.zeros(len(rows), dtype=np.intp)
        n = len(labels.drugs) if over is Over.DRUG else 1
        counts = np.bincount(groups, minlength=n)
        values, squares = np.zeros((2, n, self.store.n_panel))
        for start in range(0, len(rows), _STEP):
            part = slice(start, start + _STEP)
            ones = np.ones(len(rows[part]))
            place = csr_array((ones, (groups[part], np.arange(len(ones)))), shape=(n, len(ones)))
            deltas = self.store.deltas(rows[part]).astype(np.float64)
            values += place @ deltas
            squares += place @ np.square(deltas)
        return Sums(values, counts, squares)


_STEP = 2_048
"""Rows added at a time: 32 MB of float64 at 2,000 genes."""


@dataclass(frozen=True, eq=False)
class Block:
    """Queries of one line at one dose, at least one; n of them."""

    _reader: FoldReader = field(repr=False)
    queries: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if len({(query.cell_line, query.dose_um) for query in self.queries}) != 1:
            raise UsageError("block", "several lines or doses, or none", "Make one of each.")

    def __len__(self) -> int:
        return len(self.queries)

    @property
    def labels(self) -> Labels:
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
    def rows(self) -> IntArray:
        """(n,) each query's own row, -1 where it was not measured. A number tells nothing."""
        found = (self._reader.store.row(query) for query in self.queries)
        return np.array([-1 if row is None else row for row in found], dtype=np.intp)

    @cached_property
    def pools(self) -> tuple[CandidatePool | EmptyPoolError, ...]:
        """Each query's candidates, or the error that says why there are none."""
        return tuple(self._pool(query) for query in self.queries)

    def some(self, places: IntArray) -> Block:
        """The block of some of its queries, in the order given."""
        return Block(self._reader, tuple(self.queries[i] for i in places))

    def view(self, i: int, evidence: Iterable[Evidence]) -> View:
        """What query ``i`` alone may read."""
        return View(self._reader.store, self.queries[i], evidence, self._reader.fold)

    def gate(self, evidence: Iterable[Evidence]) -> Gate:
        """What the queries may read, together."""
        return Gate(self, frozenset(evidence))

    def _pool(self, query: Condition) -> CandidatePool | EmptyPoolError:
        try:
            return candidate_pool(self._reader.store, query, fold=self._reader.fold)
        except EmptyPoolError as err:
            return err


class Gate:
    """Averages of measured deltas for the n queries of a block, as their evidence allows.

    ``line`` is the place of the block's line in ``labels.lines``.
    """

    def __init__(self, block: Block, evidence: frozenset[Evidence]) -> None:
        self.evidence = evidence
        self._block, self._reader, self._labels = block, block._reader, block.labels  # noqa: SLF001
        labels = self._labels
        self.line = int(pd.Index(labels.lines).get_indexer([block.cell_line])[0])
        parents = [labels.catalog.parent(drug) for drug in block.drugs]
        self._parents = pd.Index(labels.parents).get_indexer(parents)
        self._reach = self._reader.reach(evidence, self.line)
        self._at_dose = labels.at_dose(block.dose_um)

    def allows(self, queries: IntArray, rows: IntArray) -> BoolArray:
        """Whether each query may read the row beside it; both (m,), or what broadcasts."""
        labels = self._labels
        same_parent = labels.parent[rows] == self._parents[queries]
        allowed = self._reach[rows] & ~((labels.line[rows] == self.line) & same_parent)
        if Evidence.TRUTH in self.evidence:
            allowed |= rows == self._block.rows[queries]
        return allowed

    def mean(self, over: Over) -> tuple[FloatArray, IntArray]:
        """The mean over the rows that each query may read: (n, genes) float32, counts (n,).

        At the block's dose, and NaN where there is no row. The query's own (line, parent) is left
        out of the line's and the overall mean, and of the mean of its drug.
        """
        read = self._sums(over)
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(read.counts[:, None] > 0, read.totals / read.counts[:, None], np.nan)
        return means.astype(np.float32), read.counts

    def agreement(self, over: Over) -> FloatArray:
        """How alike the rows are that each query may read, (n,), from 0 to 1; NaN without rows.

        The mean square of their mean over the mean of their squares: of m rows that share nothing
        it is 1/m.
        """
        read = self._sums(over)
        squares = read.squares.mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            shared = np.square(read.totals).mean(axis=1) / read.counts
            return np.where(squares > 0, shared / squares, np.nan)

    def spread(self, over: Over) -> FloatArray:
        """The standard deviation of the rows that each query may read, (n, genes) float32.

        Of one row it is 0; NaN where there is none.
        """
        read = self._sums(over)
        counts = np.where(read.counts > 0, read.counts, np.nan)[:, None]
        variance = read.squares / counts - np.square(read.totals / counts)
        return np.sqrt(np.maximum(variance, 0)).astype(np.float32)

    def _sums(self, over: Over) -> Sums:
        """Sums for each of the n queries: what is shared, less its own unit."""
        reader, block = self._reader, self._block
        sums = reader.sums(self.evidence, self.line, block.dose_um, over)
        group = np.zeros(len(block), dtype=np.intp)
        if over is Over.DRUG:
            group = self._labels.drug_numbers(block.drugs)
        own = self._own_rows(group if over is Over.DRUG else None)
        # A drug that the atlas does not hold has no sum of its own.
        known = group >= 0
        return Sums(
            np.where(known[:, None], sums.totals[group], 0) - own.totals,
            np.where(known, sums.counts[group], 0) - own.counts,
            np.where(known[:, None], sums.squares[group], 0) - own.squares,
        )

    def names(self, basis: Basis) -> tuple[str, ...]:
        """The drugs that the columns of weights stand for, sorted."""
        if basis is Basis.LINE:
            return self._labels.measured(self._block.cell_line, self._block.dose_um)[0]
        return tuple(self._labels.drugs)

    def opened(self, basis: Basis) -> BoolArray:
        """(n_names,) which vectors some row that the evidence opens stands behind."""
        opened = csr_array(self._members(basis)[:, np.flatnonzero(self._reach)])
        return np.diff(opened.indptr) > 0

    def combine(self, weights: csr_array, basis: Basis) -> FloatArray:
        """Weighted sums of measured deltas or of drug means, (n, genes) float32.

        ``weights`` is (n, n_names), its columns beside :meth:`names`.

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read, or on nothing.
        """
        weights = csr_array(weights)
        weights.eliminate_zeros()
        self._check(weights, self._members(basis))
        return (weights @ self._vectors(basis)).astype(np.float32)

    def grid(self) -> IntArray:
        """(n_lines, n_drugs) the opened rows at the block's dose, -1 where there is none.

        A query's own unit is among them: numbers alone tell nothing.
        """
        labels = self._labels
        rows = np.flatnonzero(self._reach & self._at_dose)
        grid = np.full((len(labels.lines), len(labels.drugs)), -1, dtype=np.intp)
        grid[labels.line[rows], labels.drug[rows]] = rows
        return grid

    def combine_rows(self, weights: FloatArray, rows: IntArray) -> FloatArray:
        """Weighted sums of the deltas of rows, (n, genes) float32; ``weights`` is (n, n_rows).

        Raises
        ------
        LeakageError
            If a weight stands on a row that its query may not read.
        """
        self._check_rows(weights != 0, rows)
        deltas = self._reader.store.deltas(rows).astype(np.float64)
        return (weights @ deltas).astype(np.float32)

    def line_products(self, rows: IntArray) -> NDArray[np.float64]:
        """Mean products over genes of lines, summed over drugs: (n, n_lines, n_lines).

        ``rows`` is (n_lines, n_drugs). A drug that holds a row which a query may not read is left
        out of that query's sums.
        """
        each = np.empty((rows.shape[1], len(rows), len(rows)))
        for drug, own in enumerate(rows.T):
            values = self._reader.store.deltas(own).astype(np.float64)
            each[drug] = values @ values.T
        readable = self._readable(rows.ravel()).reshape(len(self._block), *rows.shape).all(axis=1)
        return np.tensordot(readable / self._labels.n_genes, each, 1)

    def drug_products(self, rows: IntArray, mix: FloatArray) -> NDArray[np.float64]:
        """Mean products over genes of drugs, averaged over mixtures of lines: (n_drugs, n_drugs).

        ``rows`` is (n_lines, n_drugs); line a of ``mix``, (n_mixtures, n_lines), makes one vector a
        drug.

        Raises
        ------
        LeakageError
            If one of the queries may not read one of the rows.
        """
        self._check_rows(np.ones((len(self._block), rows.size), dtype=bool), rows.ravel())
        values = np.stack([self._reader.store.deltas(line) for line in rows])
        total = np.zeros((rows.shape[1], rows.shape[1]))
        for weights in mix.astype(np.float32):
            mixed = np.tensordot(weights, values, 1)
            total += mixed @ mixed.T
        return total / (len(mix) * self._labels.n_genes)

    def concord(self, weights: csr_array, basis: Basis) -> FloatArray:
        """How alike the vectors are that :meth:`combine` would sum, (n,); NaN without a weight.

        As :meth:`agreement`, each vector counting by its weight, of which none may be negative.

        Raises
        ------
        LeakageError
            As for :meth:`combine`.
        """
        summed = self.combine(weights, basis).astype(np.float64)
        squares = weights @ np.square(self._vectors(basis)).mean(axis=1)
        shared = np.square(summed).mean(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(squares > 0, shared / (squares * weights.sum(axis=1)), np.nan)

    def truth(self) -> FloatArray:
        """The queries' own measured deltas, (n, genes).

        Raises
        ------
        LeakageError
            If TRUTH is not declared, or a query was not measured.
        """
        rows = self._block.rows
        if Evidence.TRUTH not in self.evidence or (rows < 0).any():
            self._refuse("the measured change of the query itself", len(rows))
        return self._reader.store.deltas(rows)

    def correlation(self, basis: Basis) -> FloatArray:
        """Pearson of each query's own measured delta with each vector of the basis, (n, n_names).

        NaN where the query may not read it, or it is constant.
        """
        members = self._members(basis)
        r = _standard(self.truth()) @ _standard(self._vectors(basis)).T
        r[:, np.diff(members.indptr) == 0] = np.nan
        queries = np.repeat(np.arange(len(self._block)), members.nnz)
        rows = np.tile(members.indices, len(self._block))
        refused = ~self.allows(queries, rows) | (rows == self._block.rows[queries])
        names = np.tile(np.repeat(np.arange(members.shape[0]), np.diff(members.indptr)), len(r))
        r[queries[refused], names[refused]] = np.nan
        return r

    def _members(self, basis: Basis) -> csr_array:
        """Which rows each vector of the basis averages, (n_names, n_conditions)."""
        block, labels = self._block, self._labels
        if basis is Basis.LINE:
            names, rows = labels.measured(block.cell_line, block.dose_um)
            place, n = np.arange(len(names)), len(names)
        else:
            rows = np.flatnonzero(self._reach & self._at_dose)
            place, n = labels.drug[rows], len(labels.drugs)
        return csr_array((np.ones(len(rows)), (place, rows)), shape=(n, len(labels.line)))

    def _vectors(self, basis: Basis) -> FloatArray:
        """The vectors themselves, (n_names, genes) float64; to be averaged, not handed out."""
        block = self._block
        if basis is Basis.LINE:
            _, rows = self._labels.measured(block.cell_line, block.dose_um)
            return self._reader.store.deltas(rows).astype(np.float64)
        sums = self._reader.sums(self.evidence, self.line, block.dose_um, Over.DRUG)
        return sums.totals / np.maximum(sums.counts, 1)[:, None]

    def _check(self, weights: csr_array, members: csr_array) -> None:
        empty = np.diff(members.indptr)[weights.indices] == 0
        if empty.any():
            self._refuse(f"the mean of {empty.sum()} drugs that no row opens", int(empty.sum()))
        read = (abs(weights) @ members).tocoo()
        refused = ~self.allows(read.row, read.col)
        if refused.any():
            first = self._reader.store.condition(int(read.col[refused][0]))
            self._refuse(str(first), int(refused.sum()))

    def _readable(self, rows: IntArray) -> BoolArray:
        """(n, n_rows) whether each query may read each row."""
        return self.allows(np.arange(len(self._block))[:, None], rows[None, :])

    def _check_rows(self, read: BoolArray, rows: IntArray) -> None:
        refused = read & ~self._readable(rows)
        if refused.any():
            first = self._reader.store.condition(int(rows[refused.any(axis=0)][0]))
            self._refuse(str(first), int(refused.any(axis=0).sum()))

    def _own_rows(self, drugs: IntArray | None) -> Sums:
        """Sums over the rows of each query's own unit that the evidence would open."""
        reader, block, labels = self._reader, self._block, self._labels
        in_line = (labels.line == self.line) & self._at_dose & self._reach
        rows = np.flatnonzero(in_line)
        same = labels.parent[rows][None, :] == self._parents[:, None]
        if drugs is not None:
            same &= labels.drug[rows][None, :] == drugs[:, None]
        counts = same.sum(axis=1)
        values, squares = np.zeros((2, len(block), reader.store.n_panel))
        some = np.flatnonzero(counts)
        if len(some):
            deltas = reader.store.deltas(rows)
            own = csr_array(same[some].astype(float))
            values[some] = own @ deltas
            squares[some] = own @ np.square(deltas, dtype=np.float64)
        return Sums(values, counts, squares)

    def _refuse(self, what: str, n: int) -> None:
        declared = ", ".join(sorted(self.evidence)) or "nothing"
        found = f"it reaches {n} row(s) beyond its evidence ({declared}), e.g. {what}"
        where = f"a read for {len(self._block)} queries in {self._block.cell_line}"
        raise LeakageError(where, found, "Declare the evidence or leave it.")


def rehearse(
    view: TrainingView, *, max_blocks: int, max_queries: int
) -> Iterable[tuple[Block, FloatArray]]:
    """A fold's validation rows asked for as its tests will be, with what was measured, (n, genes).

    What tuning scores on: the blocks read training rows alone, and of these what the regime opens.
    Of many blocks, and of many queries in one, some at even distances; none without validation.
    """
    rows = view.validation_rows
    if len(rows):
        inner = FoldReader(view._store, view.fold.tuning())  # noqa: SLF001 - it passes gates only
        for block in _some(list(inner.blocks(rows)), max_blocks):
            asked = block.some(np.array(_some(range(len(block)), max_queries)))
            yield asked, view.deltas(asked.rows)


def _some(of: Sequence[Any], n: int) -> list[Any]:
    """At most n of them, at even distances."""
    return [of[i] for i in np.unique(np.linspace(0, len(of) - 1, min(n, len(of))).astype(int))]


def _standard(values: FloatArray) -> NDArray[np.float64]:
    """Rows centred and of length 1, NaN where constant."""
    rows = values - values.mean(axis=1, keepdims=True, dtype=np.float64)
    norm = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norm, out=np.full_like(rows, np.nan), where=norm > 0)


def _numbered(names: Iterable[str]) -> tuple[IntArray, NDArray[np.object_]]:
    """Each row's number, and the sorted names that they number."""
    return pd.factorize(np.asarray(names, dtype=object), sort=True)
