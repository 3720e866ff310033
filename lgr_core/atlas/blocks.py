"""The seam between a reader of raw counts and the sums that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.domain import IntArray

Unit = Literal["cell", "well"]
UNITS: tuple[Unit, ...] = ("cell", "well")

BLOCK_NONZEROS = 6_000_000
"""Counts read at a time: 48 MB."""

Progress = Callable[[str, int, int], None]
"""Called with a stage, the work done and the work in all."""


class Shard(Protocol):
    """Consecutive rows of a source, ``start`` to ``stop`` of its ``obs``: one worker's task.

    It knows its files by their paths and holds little else, so that it can be sent to a process.
    """

    @property
    def start(self) -> int:
        """The first row of ``obs``."""
        ...

    @property
    def stop(self) -> int:
        """The row of ``obs`` after the last."""
        ...

    def blocks(self) -> Iterator[sparse.csr_array]:
        """Counts (n, n_genes) that together hold every row of the shard once, in order.

        Indices are int32, data float32; no row holds a gene twice. A block is small.
        """
        ...


class CountBlocks(Protocol):
    """Raw counts that are read a block at a time, never whole.

    ``obs`` has a row a cell or well: ``cell_line``, ``drug`` and ``plate`` (categories, plate
    ``""`` where none is known), ``dose_um`` and ``is_control``. ``genes`` has ``gene`` (unique) and
    ``ensembl_id``. ``labels`` are the control labels, best first. ``drugs`` and ``cell_lines`` are
    what the source says of each. ``provenance`` records choices and counts of dropped rows.
    """

    obs: pd.DataFrame
    genes: pd.DataFrame
    labels: tuple[str, ...]
    unit: Unit
    drugs: pd.DataFrame
    cell_lines: pd.DataFrame
    provenance: Mapping[str, Any]

    def nonzeros(self) -> int:
        """How many values the files store, about."""
        ...

    def shards(self, max_nonzeros: int) -> Sequence[Shard]:
        """The source cut up by its files' own bounds, whoever will read it; every row once."""
        ...


class Cut(NamedTuple):
    """Rows ``first`` to ``last`` of the files, of which those kept are ``start`` to ``stop``.

    ``kept`` are their places counted from ``first``; None: all of them.
    """

    first: int
    last: int
    start: int
    stop: int
    kept: IntArray | None


def cut(rows: IntArray, nonzeros: IntArray, kept: IntArray, max_nonzeros: int) -> list[Cut]:
    """Cut rows into runs of at most ``max_nonzeros`` stored values; at least one unit each.

    Parameters
    ----------
    rows, nonzeros
        (n_units + 1,) rows and stored values before each unit that cannot be cut, and in all.
    kept
        The rows that are kept, ascending; runs without any are left out.
    max_nonzeros
        Values in a run.
    """
    found, at = [], 0
    while at < len(rows) - 1:
        full = int(np.searchsorted(nonzeros, nonzeros[at] + max_nonzeros, side="right")) - 1
        end = max(full, at + 1)
        first, last = int(rows[at]), int(rows[end])
        start, stop = map(int, np.searchsorted(kept, [first, last]))
        if stop > start:
            here = None if stop - start == last - first else kept[start:stop] - first
            found.append(Cut(first, last, start, stop, here))
        at = end
    return found


def keep(rows: sparse.csr_array, before: int, kept: IntArray | None) -> sparse.csr_array:
    """Those of ``rows`` that are kept; ``before`` of the run's rows stood before them."""
    if kept is None:
        return rows
    first, last = np.searchsorted(kept, [before, before + rows.shape[0]])
    return rows if last - first == rows.shape[0] else rows[kept[first:last] - before]
