"""Partial sums on disk, one file per shard, written atomically and added in fixed order.

A file holds arrays one after the other, then a footer that says which, then the CRC-32 of all that:
what a kill, a full disk or a bad copy left is told apart and made again.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import _sparsetools

from lgr_core.atlas.count_source import Shard
from lgr_core.atlas.shard_sums import GENE_MOMENTS, GeneMoments, GroupSums, Order, sum_shard
from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import InputError
from lgr_core.files import atomic_write

_ALIGN = 8
_TAIL = np.dtype([("footer", "<u4"), ("crc", "<u4")])
_AT_ONCE = 2**24
_TOGETHER = 64
"""Small arrays written as one."""


@dataclass(frozen=True, slots=True)
class ShardTask:
    """What a worker needs: a shard, the group of each of its rows, and the file to write."""

    shard: Shard
    groups: IntArray
    n_genes: int
    target_sum: float
    order: Order
    path: Path


def execute(task: ShardTask) -> int:
    """Write the partial sums of a shard unless they exist; returns its number of rows.

    Raises
    ------
    InputError
        The shard cannot be read, holds no counts (NotCountsError), or the disk is full.
    """
    if is_done(task.path):
        return len(task.groups)
    present, codes = np.unique(task.groups, return_inverse=True)
    moments = GeneMoments(task.n_genes, len(present))
    parts = sum_shard(task.shard, codes, moments, target_sum=task.target_sum, order=task.order)
    try:
        with atomic_write(task.path) as aside, aside.open("wb") as file:
            writer = _Writer(file)
            for number, part in enumerate(parts):
                _write_part(writer, number, part, present)
            writer.add("present", [present])
            writer.add("n_cells", [moments.n_cells])
            for name in GENE_MOMENTS:
                writer.add(name, [getattr(moments, name)])
            writer.close()
    except OSError as err:
        found = f"partial sums cannot be written ({err})"
        do = f"Make room in {task.path.parent.parent} and run again: it goes on where it was."
        raise InputError("ingest", found, do) from err
    return len(task.groups)


def is_done(path: Path) -> bool:
    """Whether the file exists and is complete."""
    return read_partial(path) is not None


def _write_part(writer: _Writer, number: int, part: GroupSums, present: IntArray) -> None:
    writer.add(f"{number}/groups", [present[part.groups]])
    writer.add(f"{number}/bounds", [np.concatenate([[0], np.cumsum(part.sizes)])])
    writer.add(f"{number}/genes", part.genes)
    writer.add(f"{number}/sums", part.sums)


class _Writer:
    """Writes arrays to a file, with a checksum."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file has no plain type
        self._file, self._crc, self._at = file, 0, 0
        self._footer: dict[str, tuple[str, int, int]] = {}

    def add(self, name: str, arrays: Sequence[np.ndarray]) -> None:
        """Write arrays of one type as one, from the next multiple of 8 bytes on."""
        self._write(bytes(-self._at % _ALIGN))
        count = sum(len(array) for array in arrays)
        self._footer[name] = arrays[0].dtype.str, count, self._at
        for start in range(0, len(arrays), _TOGETHER):
            array = np.concatenate(arrays[start : start + _TOGETHER])
            self._write(array.data.cast("B"))

    def close(self) -> None:
        footer = json.dumps(self._footer).encode()
        self._write(footer)
        tail = np.array((len(footer), self._crc), dtype=_TAIL)
        self._file.write(tail.tobytes())

    def _write(self, content: bytes | memoryview) -> None:
        self._file.write(content)
        self._crc = zlib.crc32(content, self._crc)
        self._at += len(content)


def read_partial(path: Path) -> Mapping[str, np.ndarray] | None:
    """The arrays of a file as read-only maps; None if it is missing or incomplete."""
    try:
        size = path.stat().st_size
        if size <= _TAIL.itemsize:
            return None
        content = np.memmap(path, dtype=np.uint8, mode="r")
    except OSError:
        return None
    end = size - _TAIL.itemsize
    tail = np.frombuffer(content[end:].tobytes(), dtype=_TAIL)[0]
    crc = 0
    for start in range(0, end, _AT_ONCE):
        crc = zlib.crc32(content[start : min(start + _AT_ONCE, end)].data, crc)
    if crc != tail["crc"] or tail["footer"] > end:
        return None
    footer = json.loads(content[end - int(tail["footer"]) : end].tobytes())
    return {
        name: np.frombuffer(content, dtype=dtype, count=count, offset=offset)
        for name, (dtype, count, offset) in footer.items()
    }


class Partials:
    """All partial sums of a source, added up on access.

    Always in the order of the shards, whoever made them and when: so it is the same to the bit.
    """

    def __init__(self, paths: Iterable[Path], n_groups: int, n_genes: int) -> None:
        """Open every file.

        Raises
        ------
        InputError
            One is missing or damaged.
        """
        self.n_groups, self.n_genes = n_groups, n_genes
        with ThreadPoolExecutor() as pool:
            self._files = list(pool.map(_opened, paths))

    @cached_property
    def n_cells(self) -> IntArray:
        """Cells with counts of each group (n_groups,)."""
        total = np.zeros(self.n_groups, dtype=np.int64)
        for file in self._files:
            total[file["present"]] += file["n_cells"]
        return total

    def moment(self, name: str) -> FloatArray:
        """One of ``GENE_MOMENTS`` (n_genes,) over all cells."""
        total = np.zeros(self.n_genes)
        for file in self._files:
            total += file[name]
        return total

    def sums(self, groups: IntArray) -> FloatArray:
        """Sums (len(groups), n_genes) of these groups, which ascend."""
        total = np.zeros((len(groups), self.n_genes))
        for part in self._parts:
            _, rows, places = np.intersect1d(
                part["groups"], groups, assume_unique=True, return_indices=True
            )
            steps = (np.diff(rows) != 1) | (np.diff(places) != 1)
            for run in np.split(np.arange(len(rows)), np.flatnonzero(steps) + 1):
                if len(run):
                    _add_rows(part, rows[run], total[places[run[0]] : places[run[-1]] + 1])
        return total

    @cached_property
    def _parts(self) -> list[dict[str, np.ndarray]]:
        names = ("groups", "bounds", "genes", "sums")
        return [
            {name: file[f"{number}/{name}"] for name in names}
            for file in self._files
            for number in range(sum(name.endswith("/groups") for name in file))
        ]

    def in_slices(self, size: int) -> Iterator[tuple[slice, FloatArray]]:
        """Runs of at most ``size`` groups with their sums."""
        for start in range(0, self.n_groups, size):
            stop = min(start + size, self.n_groups)
            yield slice(start, stop), self.sums(np.arange(start, stop))


def _add_rows(part: Mapping[str, np.ndarray], rows: IntArray, total: FloatArray) -> None:
    """Add consecutive rows of a part to ``total`` (n_rows, n_genes)."""
    bounds = part["bounds"][rows[0] : rows[-1] + 2]
    here = slice(int(bounds[0]), int(bounds[-1]))
    genes, indptr = part["genes"][here].astype(np.int64), bounds - bounds[0]
    # SciPy's kernel adds to what is there; its public name makes a dense array of its own.
    _sparsetools.csr_todense(*total.shape, indptr, genes, part["sums"][here], total)


def _opened(path: Path) -> Mapping[str, np.ndarray]:
    found = read_partial(path)
    if found is None:
        do = "Run again: it goes on where it was."
        raise InputError(f"partial sums {path.name}", "the file is missing or damaged", do)
    return found
