"""The seam between a reader of raw counts and the sums that are made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple, Protocol

import pandas as pd
from scipy import sparse

Unit = Literal["cell", "well"]
UNITS: tuple[Unit, ...] = ("cell", "well")

Progress = Callable[[str, int, int], None]
"""Called with a stage, the work done and the work in all."""


class Block(NamedTuple):
    """Counts (n, n_genes) of consecutive rows of ``obs``, the first of them row ``start``.

    Indices are int32, data float32; no row holds a gene twice.
    """

    start: int
    counts: sparse.csr_array


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

    def blocks(self, *, max_cells: int, max_nonzeros: int) -> Iterator[Block]:
        """Blocks that together hold every row of ``obs`` once, in order."""
        ...
