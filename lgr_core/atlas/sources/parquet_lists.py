"""Cells as lists in parquet, gene tokens and values a row: read a run of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from lgr_core.atlas.count_source import ShardRange, keep
from lgr_core.atlas.sources.count_matrix import check_counts
from lgr_core.domain import IntArray
from lgr_core.errors import InputError

LISTS = ("genes", "expressions")
_CELLS_AT_ONCE = 1_000
"""Cells read together: a row group of the publisher's."""

AGAIN = "The shard is cut off or damaged: fetch it again."


@dataclass(frozen=True, slots=True)
class ListShard:
    """A run of cells; ``places`` are its files and the row, counted through all, of their first."""

    places: tuple[tuple[Path, int], ...]
    cut: ShardRange
    column_of: IntArray
    n_genes: int

    @property
    def start(self) -> int:
        """The first row of ``obs``."""
        return self.cut.start

    @property
    def stop(self) -> int:
        """The row of ``obs`` after the last."""
        return self.cut.stop

    def blocks(self) -> Iterator[sparse.csr_array]:
        """Blocks of counts; each is checked.

        Raises
        ------
        NotCountsError
            A value, but for the marker, is negative, fractional or missing.
        InputError
            A shard cannot be read, or a token is no gene's.
        """
        done = 0
        for file, before in self.places:
            first, last = max(self.cut.first - before, 0), self.cut.last - before
            with _opened(file) as opened:
                for batch in _batches(opened, first, last):
                    rows = _to_rows(batch, self.column_of, self.n_genes, file)
                    check_counts(rows, file.name)
                    yield keep(rows, done, self.cut.kept)
                    done += rows.shape[0]


@contextmanager
def _opened(file: Path) -> Iterator[pq.ParquetFile]:
    """The file, opened; what goes wrong with it meanwhile is an InputError that names it."""
    try:
        with pq.ParquetFile(file) as opened:
            yield opened
    except (OSError, pa.ArrowException) as err:
        raise unreadable(file, err) from err


def _batches(file: pq.ParquetFile, first: int, last: int) -> Iterator[pa.RecordBatch]:
    """The lists of cells ``first`` to ``last`` of a file."""
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    ends = np.cumsum(sizes)
    groups = np.flatnonzero((ends > first) & (ends - sizes < last))
    if not len(groups):
        return
    at = int(ends[groups[0]] - sizes[groups[0]])
    options = {"columns": list(LISTS), "use_threads": False}
    for batch in file.iter_batches(_CELLS_AT_ONCE, row_groups=groups.tolist(), **options):
        begin, end = max(first - at, 0), min(last - at, batch.num_rows)
        if end > begin:
            yield batch.slice(begin, end - begin)
        at += batch.num_rows


class Units(NamedTuple):
    """Rows and stored values before each unit of a file, and in all (n_units + 1,)."""

    rows: IntArray
    nonzeros: IntArray


def units_of(file: Path) -> Units:
    """The publisher's row groups; larger ones are cut up as if their cells were alike."""
    rows, nonzeros = [0], [0]
    with _opened(file) as opened:
        names = [opened.schema.column(i).path for i in range(len(opened.schema))]
        leaf = next(i for i, name in enumerate(names) if name.split(".")[0] == LISTS[0])
        groups = [opened.metadata.row_group(i) for i in range(opened.metadata.num_row_groups)]
        sizes = [(group.num_rows, group.column(leaf).num_values) for group in groups]
    for n_rows, n_values in sizes:
        before = rows[-1], nonzeros[-1]
        for end in [*range(_CELLS_AT_ONCE, n_rows, _CELLS_AT_ONCE), *([n_rows] * (n_rows > 0))]:
            rows.append(before[0] + end)
            nonzeros.append(before[1] + n_values * end // n_rows)
    return Units(np.array(rows), np.array(nonzeros))


def _to_rows(
    batch: pa.RecordBatch, column_of: IntArray, n_genes: int, file: Path
) -> sparse.csr_array:
    """Counts (n_cells, n_genes): tokens looked up, the leading marker of each cell left out."""
    tokens, values = (_lists(batch, name, file) for name in LISTS)
    bounds = tokens.offsets.to_numpy().astype(np.int64)
    inside = slice(bounds[0], bounds[-1])
    if not np.array_equal(np.diff(bounds), np.diff(values.offsets.to_numpy())):
        raise InputError(f"shard {file}", "a cell has more genes than values, or fewer", AGAIN)
    first = values.offsets.to_numpy()[0]
    ids = np.asarray(tokens.values)[inside]
    counts = np.asarray(values.values)[first : first + len(ids)].astype(np.float32, copy=False)
    bounds = bounds - bounds[0]
    starts = bounds[:-1]
    filled = np.diff(bounds) > 0
    marked = np.zeros(len(starts), dtype=bool)
    marked[filled] = counts[starts[filled]] < 0
    kept = np.ones(len(ids), dtype=bool)
    kept[starts[marked]] = False
    indptr = (bounds - np.concatenate([[0], np.cumsum(marked)])).astype(np.int32)
    columns = _columns(ids[kept], column_of, file)
    rows = sparse.csr_array((counts[kept], columns, indptr), shape=(len(starts), n_genes))
    rows.sum_duplicates()
    return rows


def _lists(batch: pa.RecordBatch, name: str, file: Path) -> pa.Array:
    column = batch.column(name)
    kinds = pa.types
    if kinds.is_list(column.type) or kinds.is_large_list(column.type):
        inner = column.type.value_type
        if kinds.is_integer(inner) or kinds.is_floating(inner):
            return column
    found = f"column {name} holds no lists of numbers ({column.type})"
    raise InputError(f"shard {file}", found, AGAIN)


def _columns(tokens: np.ndarray, column_of: IntArray, file: Path) -> IntArray:
    """The gene of each token (n,), int32; tokens may be written as floats."""
    with np.errstate(invalid="ignore"):
        ids = tokens.astype(np.int64, copy=False)
    inside = np.clip(ids, 0, len(column_of) - 1)
    columns = column_of[inside]
    strange = (columns < 0) | (inside != tokens)
    if strange.any():
        found = f"token {tokens[strange][0]:g} is no gene's in the table of genes"
        raise InputError(f"shard {file}", found, "Shards and tables are of different releases.")
    return columns


def unreadable(file: Path, err: Exception) -> InputError:
    """The error of a file that is no parquet, or no longer."""
    return InputError(f"shard {file}", f"it cannot be read ({' '.join(str(err).split())})", AGAIN)
