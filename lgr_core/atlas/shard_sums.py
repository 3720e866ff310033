"""One shard of the cells in bounded memory: sums by group and the moments of every gene.

What is held is a run of cells and the sums so far, without their zeros. A group's sum is added up
in the order of its cells, wherever runs begin and end; so the sums of a shard are the same bits
whoever computes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse

from lgr_core.atlas.count_kernels import add_columns, normalise, row_sums, sum_rows, take_rows
from lgr_core.atlas.count_source import Shard
from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import InputError

Order = Literal["cells", "pseudobulk"]
ORDERS: tuple[Order, ...] = ("cells", "pseudobulk")

RUN_NONZEROS = 32_000_000
"""Counts held at a time and gone through by group: 256 MB."""

HELD_SUMS = 32_000_000
"""Sums held at a time, 320 MB; where cells of many groups are mixed, they are put down in parts."""

_BATCH_NONZEROS = 131_072
"""Counts computed at a time: they fit in the cache."""


class GroupSums(NamedTuple):
    """Sums without their zeros: of ``groups`` (n,), ascending, group i has ``sizes[i]`` of them.

    ``genes`` and ``sums`` hold an array a group: columns, each once, and float64 sums.
    """

    groups: IntArray
    sizes: IntArray
    genes: list[IntArray]
    sums: list[FloatArray]


@dataclass(slots=True)
class Moments:
    """Sums over all cells (n_genes,): normalised values, their squares, and squares of logs.

    ``n_cells`` (n_groups,) counts the cells that hold any counts.
    """

    n_genes: int
    n_groups: int
    linear_sum: FloatArray = field(init=False)
    linear_sumsq: FloatArray = field(init=False)
    log_sumsq: FloatArray = field(init=False)
    n_cells: IntArray = field(init=False)

    def __post_init__(self) -> None:
        for name in GENE_MOMENTS:
            setattr(self, name, np.zeros(self.n_genes))
        self.n_cells = np.zeros(self.n_groups, dtype=np.int64)


GENE_MOMENTS = ("linear_sum", "linear_sumsq", "log_sumsq")


def sum_shard(
    shard: Shard, groups: IntArray, moments: Moments, *, target_sum: float, order: Order
) -> Iterator[GroupSums]:
    """Sum the cells of ``shard`` by group; parts come as memory fills, ``moments`` is added to.

    Each cell x is normalised as y = ln(1 + x * target_sum / total(x)); cells without counts are
    left out. The sums of a group are those of all parts.

    Parameters
    ----------
    shard
        The counts.
    groups
        (n_cells,) group of each row of the shard.
    moments
        Of as many groups.
    target_sum
        What the counts of a cell are scaled to.
    order
        ``cells`` sums y, ``pseudobulk`` sums x.

    Raises
    ------
    InputError
        The file has other rows than when it was opened, or cannot be read.
    NotCountsError
        It holds values that are no counts.
    """
    held, run, done = _Held(moments.n_genes), _Run(moments.n_genes), 0
    options = target_sum, order
    for counts in shard.blocks():
        here = groups[done : done + counts.shape[0]]
        done += counts.shape[0]
        if done > len(groups):
            break
        if not run.takes(counts):
            _add_run(*run.release(), held, moments, options)
            if held.size > HELD_SUMS:
                yield held.release()
        if run.takes(counts):
            run.add(counts, here)
        else:
            _add_run(counts, here, held, moments, options)
    if done != len(groups):
        found = f"{done:,} rows are read where {len(groups):,} were found at first"
        raise InputError("counts", found, "The file has changed: ingest it again.")
    _add_run(*run.release(), held, moments, options)
    if held.size:
        yield held.release()


class _Run:
    """Counts gathered block by block, in memory that is taken once."""

    def __init__(self, n_genes: int) -> None:
        self._n_genes = n_genes
        self._indices = np.empty(RUN_NONZEROS, dtype=np.int32)
        self._data = np.empty(RUN_NONZEROS, dtype=np.float32)
        self._bounds: list[IntArray] = [np.zeros(1, dtype=np.int32)]
        self._groups: list[IntArray] = []
        self._end = 0

    def takes(self, counts: sparse.csr_array) -> bool:
        return self._end + counts.nnz <= len(self._data)

    def add(self, counts: sparse.csr_array, groups: IntArray) -> None:
        end = self._end + counts.nnz
        self._indices[self._end : end] = counts.indices
        self._data[self._end : end] = counts.data
        self._bounds.append(counts.indptr[1:] + np.int32(self._end))
        self._groups.append(groups)
        self._end = end

    def release(self) -> tuple[sparse.csr_array, IntArray]:
        """All counts (n, n_genes), good until the next are added, and their groups (n,)."""
        parts = self._data[: self._end], self._indices[: self._end], np.concatenate(self._bounds)
        counts = sparse.csr_array(parts, shape=(len(parts[2]) - 1, self._n_genes))
        groups = np.concatenate([np.empty(0, dtype=np.int64), *self._groups])
        self._bounds, self._groups, self._end = self._bounds[:1], [], 0
        return counts, groups


class _Held:
    """The sums so far, a pair of arrays a group."""

    def __init__(self, n_genes: int) -> None:
        self._kept: dict[int, tuple[IntArray, FloatArray]] = {}
        self._column = np.uint16 if n_genes <= np.iinfo(np.uint16).max else np.int32
        self.size = 0

    def add(self, counts: sparse.csr_array, values: FloatArray, groups: IntArray) -> None:
        """Add ``values`` (n_nonzeros,) in the places of ``counts``, whose rows ascend by group."""
        starts = np.flatnonzero(np.diff(groups, prepend=-1))
        found = groups[starts].tolist()
        none = np.empty(0, dtype=self._column), np.empty(0)
        before = [self._kept.get(group, none) for group in found]
        sizes = np.array([len(genes) for genes, _ in before])
        n, n_rows = len(found), len(groups)
        # What is held of each group is a row before its cells, so that it is added to in order.
        rows = np.insert(np.arange(n, n + n_rows), starts, np.arange(n)).astype(np.int32)
        bounds = np.append(starts + np.arange(n), n + n_rows).astype(np.int32)
        held = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        indptr = np.concatenate([held, held[-1] + counts.indptr[1:]])
        indices = np.concatenate([*(genes for genes, _ in before), counts.indices], dtype=np.int32)
        data = np.concatenate([*(sums for _, sums in before), values])
        ends, columns, summed = sum_rows(
            (bounds, rows), (indptr, indices, data), n_genes=counts.shape[1]
        )
        columns = columns.astype(self._column)
        for place, group in enumerate(found):
            here = slice(ends[place], ends[place + 1])
            self._kept[group] = columns[here].copy(), summed[here].copy()
        self.size += int(ends[-1]) - int(held[-1])

    def release(self) -> GroupSums:
        """All sums, which are then no longer held."""
        groups = sorted(self._kept)
        pairs = [self._kept.pop(group) for group in groups]
        self.size = 0
        genes, sums = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        return GroupSums(np.array(groups), np.array(list(map(len, genes))), genes, sums)


def _add_run(
    counts: sparse.csr_array,
    groups: IntArray,
    held: _Held,
    moments: Moments,
    options: tuple[float, Order],
) -> None:
    """Add a run of cells, sorted by group and a batch at a time."""
    if not len(groups):
        return
    rows = np.argsort(groups, kind="stable").astype(np.int32)
    seen = np.cumsum(np.diff(counts.indptr)[rows], dtype=np.int64) // _BATCH_NONZEROS
    target_sum, order = options
    for batch in np.split(rows, np.flatnonzero(np.diff(seen)) + 1):
        taken, codes = take_rows(counts, batch), groups[batch]
        x = taken.data.astype(np.float64)
        total = row_sums(taken, x)
        values = normalise(taken, total, target_sum)
        add_columns(taken, values.linear, moments.linear_sum)
        add_columns(taken, values.linear_sq, moments.linear_sumsq)
        add_columns(taken, values.log_sq, moments.log_sumsq)
        np.add.at(moments.n_cells, codes[total > 0], 1)
        held.add(taken, values.log if order == "cells" else x, codes)
