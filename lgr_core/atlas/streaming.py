"""One pass over the cells in bounded memory: group sums and the moments of every gene.

What is held is one float64 sum a group and gene (500 groups x 20,000 genes: 80 MB; 5,000 x 60,000:
2.4 GB) and two blocks. In float32 it would be half, but sums over thousands of cells would lose
digits and depend on the order of the cells.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import _sparsetools

from lgr_core.atlas.blocks import CountBlocks, Progress
from lgr_core.domain import FloatArray, IntArray

Order = Literal["cells", "pseudobulk"]
ORDERS: tuple[Order, ...] = ("cells", "pseudobulk")

MAX_CELLS = 65_536
MAX_NONZEROS = 6_000_000
"""Bounds of a block: 48 MB of counts."""

_BATCH_NONZEROS = 131_072
"""What a thread computes at a time: it fits in the cache."""

_FEW = 32
"""Counts below this are looked up."""

_MAX_THREADS = 8


@dataclass(frozen=True, slots=True)
class Sums:
    """What one pass over the cells leaves.

    ``group_sums`` is (n_groups, n_genes): log-normalised expression, or raw counts where the
    order is ``pseudobulk``. ``n_cells`` (n_groups,) counts the cells that hold any counts.
    ``linear_sum``, ``linear_sumsq`` and ``log_sumsq`` (n_genes,) are sums over all cells of the
    normalised values, of their squares and of the squares of the log-normalised values.
    """

    group_sums: FloatArray
    n_cells: IntArray
    linear_sum: FloatArray
    linear_sumsq: FloatArray
    log_sumsq: FloatArray


@dataclass(slots=True)
class _Worker:
    """What one thread adds up alone; ``edge`` is its first group, which two threads may share."""

    n_genes: int
    n_groups: int
    linear_sum: FloatArray = field(init=False)
    linear_sumsq: FloatArray = field(init=False)
    log_sumsq: FloatArray = field(init=False)
    edge: FloatArray = field(init=False)
    n_cells: IntArray = field(init=False)

    def __post_init__(self) -> None:
        for name in ("linear_sum", "linear_sumsq", "log_sumsq", "edge"):
            setattr(self, name, np.zeros(self.n_genes))
        self.n_cells = np.zeros(self.n_groups, dtype=np.int64)


def accumulate(
    source: CountBlocks,
    groups: IntArray,
    n_groups: int,
    *,
    target_sum: float,
    order: Order,
    progress: Progress | None = None,
) -> Sums:
    """Sum all cells of ``source`` by group.

    Each cell x is normalised as y = ln(1 + x * target_sum / total(x)); cells without counts are
    left out. The next block is read while the threads work on this one.

    Parameters
    ----------
    source
        The counts.
    groups
        (n_cells,) group of each row of ``source.obs``, 0 to n_groups - 1.
    n_groups
        How many groups there are.
    target_sum
        What the counts of a cell are scaled to.
    order
        ``cells`` sums y, ``pseudobulk`` sums x.
    progress
        Called with "counts", the cells done and the cells in all, after each block.
    """
    n_genes, n_threads = len(source.genes), min(os.cpu_count() or 1, _MAX_THREADS)
    workers = [_Worker(n_genes, n_groups) for _ in range(n_threads)]
    task = _Task(np.zeros((n_groups, n_genes)), workers, target_sum, order)
    done = 0
    with ThreadPoolExecutor(n_threads) as pool:
        running: list[tuple[_Worker, Future[int]]] = []
        for start, counts in source.blocks(max_cells=MAX_CELLS, max_nonzeros=MAX_NONZEROS):
            task.finish(running)
            if progress is not None and done:
                progress("counts", done, len(groups))
            done = start + counts.shape[0]
            running = task.start(pool, counts, groups[start:done])
        task.finish(running)
    if progress is not None:
        progress("counts", done, len(groups))
    names = ("n_cells", "linear_sum", "linear_sumsq", "log_sumsq")
    return Sums(task.sums, **{name: sum(getattr(w, name) for w in workers) for name in names})


class _Task(NamedTuple):
    """What is to be done with each block, shared out among the threads."""

    sums: FloatArray
    workers: list[_Worker]
    target_sum: float
    order: Order

    def start(
        self, pool: ThreadPoolExecutor, counts: sparse.csr_array, groups: IntArray
    ) -> list[tuple[_Worker, Future[int]]]:
        """Give each thread an equal run of the block's rows, sorted by group."""
        rows = np.argsort(groups, kind="stable").astype(np.int32)
        shares = np.array_split(rows, len(self.workers))
        return [
            (worker, pool.submit(self._add, worker, counts, groups, share))
            for worker, share in zip(self.workers, shares, strict=True)
            if len(share)
        ]

    def finish(self, running: list[tuple[_Worker, Future[int]]]) -> None:
        """Wait for the threads; then add each one's first group, which it kept apart."""
        for worker, future in running:
            self.sums[future.result()] += worker.edge
            worker.edge[:] = 0.0

    def _add(
        self, worker: _Worker, counts: sparse.csr_array, groups: IntArray, rows: IntArray
    ) -> int:
        """Add these rows, a batch at a time; returns the group whose sum stays in ``edge``."""
        first = int(groups[rows[0]])
        seen = np.cumsum(np.diff(counts.indptr)[rows], dtype=np.int64) // _BATCH_NONZEROS
        for batch in np.split(rows, np.flatnonzero(np.diff(seen)) + 1):
            self._add_batch(worker, take_rows(counts, batch), groups[batch], first)
        return first

    def _add_batch(
        self, worker: _Worker, counts: sparse.csr_array, groups: IntArray, first: int
    ) -> None:
        x = counts.data.astype(np.float64)
        total = row_sums(counts, x)
        values = normalise(counts, total, self.target_sum)
        add_columns(counts, values.linear, worker.linear_sum)
        add_columns(counts, values.linear_sq, worker.linear_sumsq)
        add_columns(counts, values.log_sq, worker.log_sumsq)
        worker.n_cells += np.bincount(groups[total > 0], minlength=len(worker.n_cells))
        summed = values.log if self.order == "cells" else x
        ends = [*(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(groups)]
        begin = 0
        for end in ends:
            group = int(groups[begin])
            out = worker.edge if group == first else self.sums[group]
            add_columns(counts, summed, out, begin, end)
            begin = end


class Normalised(NamedTuple):
    """What becomes of each stored count (n_nonzeros,), float64 of float32 results."""

    linear: FloatArray
    linear_sq: FloatArray
    log: FloatArray
    log_sq: FloatArray


def normalise(counts: sparse.csr_array, total: FloatArray, target_sum: float) -> Normalised:
    """Scale each row of ``counts`` from its ``total`` (n_rows,) to ``target_sum``, and log it.

    Rounded to float32 at every step where scanpy rounds: sums of float32 values in float64 are
    all but exact in any order, so the highly variable genes are scanpy's, ties included. The few
    small counts that make up most of a cell are computed once a cell, not once a gene.
    """
    factor = (total.astype(np.float32) / np.float32(target_sum))[:, np.newaxis]
    factor[factor == 0] = 1
    row = np.repeat(np.arange(len(total)), np.diff(counts.indptr))
    place = np.minimum(counts.data, _FEW - 1).astype(np.intp) + row * _FEW
    tables = _normalised(np.arange(_FEW, dtype=np.float32), factor)
    values = Normalised(*(table.ravel()[place] for table in tables))
    many = np.flatnonzero(counts.data >= _FEW)
    exact = _normalised(counts.data[many], factor[row[many], 0])
    for found, here in zip(values, exact, strict=True):
        found[many] = here
    return values


def _normalised(x: FloatArray, factor: FloatArray) -> Normalised:
    log = np.log1p(x / factor)
    linear = np.expm1(log)
    exact = log.astype(np.float64)
    square = np.square(linear).astype(np.float64)
    return Normalised(linear.astype(np.float64), square, exact, np.square(exact))


# The three kernels below are SciPy's own, called by their private names: the public operators
# make a result of n_genes for every group of every block, which costs more than the sums.


def take_rows(counts: sparse.csr_array, rows: IntArray) -> sparse.csr_array:
    """``counts[rows]`` (n_rows, n_genes)."""
    sizes = np.diff(counts.indptr)[rows]
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    indices = np.empty(indptr[-1], dtype=np.int32)
    data = np.empty(indptr[-1], dtype=counts.data.dtype)
    _sparsetools.csr_row_index(
        len(rows), rows, counts.indptr, counts.indices, counts.data, indices, data
    )
    return sparse.csr_array((data, indices, indptr), shape=(len(rows), counts.shape[1]))


def row_sums(counts: sparse.csr_array, values: FloatArray) -> FloatArray:
    """Sums (n_rows,) of ``values`` (n_nonzeros,) that stand in the places of ``counts``."""
    n_rows, n_genes = counts.shape
    out = np.zeros(n_rows)
    ones = np.ones(n_genes)
    _sparsetools.csr_matvec(n_rows, n_genes, counts.indptr, counts.indices, values, ones, out)
    return out


def add_columns(
    counts: sparse.csr_array,
    values: FloatArray,
    out: FloatArray,
    begin: int = 0,
    end: int | None = None,
) -> None:
    """Add to ``out`` (n_genes,) the column sums of ``values`` over rows ``begin`` to ``end``."""
    indptr = counts.indptr[begin : None if end is None else end + 1]
    n_rows = len(indptr) - 1
    # A CSR matrix is its transpose in CSC: the sum over rows is one product with ones.
    _sparsetools.csc_matvec(
        counts.shape[1], n_rows, indptr, counts.indices, values, np.ones(n_rows), out
    )
