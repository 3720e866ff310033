"""The interface between readers of raw counts and the code that sums them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.domain import EMPTY, IntArray

Unit = Literal["cell", "well"]
UNITS: tuple[Unit, ...] = ("cell", "well")

BLOCK_NONZEROS = 6_000_000
"""Counts read at a time: 48 MB."""

Progress = Callable[[str, int, int], None]
"""Called with a stage, the work done and the work in all."""


@dataclass(slots=True, eq=False)
class StageProgress:
    """The progress of a job for display; ``report`` is its :data:`Progress`."""

    stage: str = "waiting"
    done: int = 0
    total: int = 1

    def share(self) -> float:
        """How much of the present stage is done, from 0 to 1."""
        return min(self.done / self.total, 1.0) if self.total > 0 else 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        """Record the progress."""
        self.stage, self.done, self.total = stage, done, total


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file of counts is read.

    ``overrides`` (role -> column) are as of
    :func:`~lgr_core.atlas.sources.columns.guess_columns`. ``controls`` are control labels, exact,
    best first; none given: flagged rows and the labels known. ``unit`` is what a row is; None:
    ``well`` if a column names wells and no plate has one twice, or the median row holds 50,000
    counts or more, else ``cell``. ``layer`` holds the raw counts; None: layers/counts, X or raw/X,
    the first that does. ``time`` is the one whose rows are read, where there are several;
    ``lines`` and ``doses`` (micromolar) are the only ones that are read; none: all. ``exact_doses``
    keeps measured doses apart that lie within 10 % of each other. ``samples`` is a table of the
    plates that drugs stand on (:mod:`~lgr_core.atlas.sources.samples`).
    """

    overrides: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    controls: Sequence[str] = ()
    unit: Unit | None = None
    layer: str | None = None
    time: str | None = None
    lines: Sequence[str] = ()
    doses: Sequence[float] = ()
    exact_doses: bool = False
    samples: Path | None = None


USUAL = ReadOptions()
"""Nothing chosen: all is guessed, all is read."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CountBlocks(ABC):
    """Raw counts that are read block by block, never all at once.

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

    @abstractmethod
    def nonzeros(self) -> int:
        """How many values the files store, about."""

    @abstractmethod
    def shards(self, max_nonzeros: int) -> Sequence[Shard]:
        """The source cut up by its files' own bounds, whoever will read it; every row once."""


class ShardRange(NamedTuple):
    """Rows ``first`` to ``last`` of the files, of which those kept are ``start`` to ``stop``.

    ``kept`` are their places counted from ``first``; None: all of them.
    """

    first: int
    last: int
    start: int
    stop: int
    kept: IntArray | None


def cut(rows: IntArray, nonzeros: IntArray, kept: IntArray, max_nonzeros: int) -> list[ShardRange]:
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
            found.append(ShardRange(first, last, start, stop, here))
        at = end
    return found


def keep(rows: sparse.csr_array, before: int, kept: IntArray | None) -> sparse.csr_array:
    """Those of ``rows`` that are kept; ``before`` of the run's rows stood before them."""
    if kept is None:
        return rows
    first, last = np.searchsorted(kept, [before, before + rows.shape[0]])
    return rows if last - first == rows.shape[0] else rows[kept[first:last] - before]
