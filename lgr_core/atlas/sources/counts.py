"""Raw counts of cells or wells from an h5ad, read in blocks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.count_source import (
    BLOCK_NONZEROS,
    UNITS,
    USUAL,
    CountBlocks,
    ReadOptions,
    ShardRange,
    Unit,
    cut,
    keep,
)
from lgr_core.atlas.sources.column_names import is_role_name, likeness
from lgr_core.atlas.sources.columns import ColumnMap, guess_columns
from lgr_core.atlas.sources.count_matrix import (
    CscMatrix,
    Matrix,
    check_counts,
    open_matrix,
    read_blocks,
)
from lgr_core.atlas.sources.counts_place import find_counts
from lgr_core.atlas.sources.delta_files import suffix_of
from lgr_core.atlas.sources.formats import column_names as parquet_columns
from lgr_core.atlas.sources.gene_names import find_genes, name_genes
from lgr_core.atlas.sources.h5ad_tables import (
    check_not_transposed,
    column_names,
    read_column,
    read_table,
)
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.atlas.sources.metadata import Observations, known_facts, read_observations
from lgr_core.atlas.sources.unmodelled_columns import check_design, unread_columns
from lgr_core.domain import IntArray
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

WELL_COUNTS = 50_000
"""Median total counts from which a row is taken for a well; single cells stay far below."""

_SAMPLES, _SAMPLE_ROWS = 10, 100

_FEW_LEVELS = 100
"""Categories up to which a column that plays no role is looked at: a design has few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSource(CountBlocks):
    """An h5ad of raw counts: the metadata in our words, the counts still on disk.

    ``kept`` are the file's rows that ``obs`` stands for, ``matrix`` is where it holds the counts,
    ``columns`` are those of it that are genes (None: all).
    """

    path: Path
    matrix: str
    kept: IntArray
    columns: IntArray | None

    def nonzeros(self) -> int:
        """Values that the matrix stores."""
        with open_hdf5(self.path) as file:
            matrix = open_matrix(file, self.matrix)
            return int(matrix.nonzeros(matrix.shape[0], matrix.shape[0])[0])

    def shards(self, max_nonzeros: int) -> list[FileShard]:
        """Runs of the file's rows; a matrix stored by gene is one, as it is read whole."""
        with open_hdf5(self.path) as file:
            matrix = open_matrix(file, self.matrix)
            bounds = matrix.nonzeros(0, matrix.shape[0])
        if isinstance(matrix, CscMatrix):
            max_nonzeros = max(int(bounds[-1]), 1)
        cuts = cut(np.arange(len(bounds)), bounds, self.kept, max_nonzeros)
        return [FileShard(self.path, self.matrix, part, columns=self.columns) for part in cuts]


@dataclass(frozen=True, slots=True)
class FileShard:
    """A run of rows of an h5ad; ``before`` rows of ``obs`` stand in files before this one."""

    path: Path
    matrix: str
    cut: ShardRange
    before: int = 0
    columns: IntArray | None = None

    @property
    def start(self) -> int:
        """The first row of ``obs``."""
        return self.before + self.cut.start

    @property
    def stop(self) -> int:
        """The row of ``obs`` after the last."""
        return self.before + self.cut.stop

    def blocks(self) -> Iterator[sparse.csr_array]:
        """Blocks of counts; each is checked.

        Raises
        ------
        NotCountsError
            A value is negative, fractional or missing.
        InputError
            The file cannot be read.
        """
        first, last = self.cut.first, self.cut.last
        with open_hdf5(self.path) as file:
            matrix = open_matrix(file, self.matrix)
            for start, rows in read_blocks(matrix, first, last, BLOCK_NONZEROS):
                counts = keep(_genes_of(rows, self.columns), start - first, self.cut.kept)
                check_counts(counts, self.matrix, start)
                yield counts


def open_counts(path: Path, choices: ReadOptions = USUAL) -> CountSource:
    """Open an h5ad of raw counts; its metadata are read, its counts only looked at.

    Raises
    ------
    UsageError
        The unit is unknown.
    InputError
        The file is no h5ad that can be read in rows, a role is unplayed, there is no control or
        no treatment, or rows of several times or doses would be averaged.
    NotCountsError
        The values are no counts.
    """
    if choices.unit not in {None, *UNITS}:
        raise UsageError("unit", f"{choices.unit!r} is unknown", f"One of {', '.join(UNITS)}.")
    if path.is_dir() or suffix_of(path) != ".h5ad":
        names = sorted(parquet_columns(path))
        found = "raw counts are read from h5ad only, and this is in no published form known here"
        found += f"; its columns: {', '.join(names[:10])}" if names else ""
        raise InputError(f"file {path}", found, Remedy(Fix.VALUE_KIND))
    with open_hdf5(path) as file:
        return _open(file, path, choices)


def _open(file: h5py.File, path: Path, choices: ReadOptions) -> CountSource:
    check_not_transposed(file)
    matrix = find_counts(file, choices.layer)
    obs, unread = _read_obs(file, choices.overrides)
    var = read_table(file, _var_of(matrix.name))
    if matrix.shape != (len(obs), len(var)):
        found = f"{matrix.name} is {matrix.shape}, its labels say {(len(obs), len(var))}"
        raise InputError(f"file {path}", found, "The file is damaged: fetch or write it again.")
    if not len(var):
        raise InputError(f"file {path}", "it has no genes", "Give one column a gene.")
    features = find_genes(var, f"file {path}", choices.overrides)
    var = var if features.columns is None else var.iloc[features.columns]
    genes = name_genes(var, choices.overrides)
    columns = guess_columns(obs, choices.overrides, unread=unread)
    seen = read_observations(obs, columns, choices)
    check_has_both_sides(seen)
    averaged = check_design(_unread(file, obs, columns, unread), columns, seen)
    well = columns.get("well")
    guessed = _guess_unit(matrix, seen, None if well is None else obs[well], features.columns)
    unit = guessed if choices.unit is None else choices.unit
    log.info("%s: %d rows of %s, a row is a %s", path, len(seen.kept), matrix.name, unit)
    return CountSource(
        path=path,
        matrix=matrix.name,
        obs=seen.frame,
        kept=seen.kept,
        columns=features.columns,
        genes=genes,
        labels=seen.labels,
        unit=unit,
        drugs=known_facts(obs, seen, columns, "drug"),
        cell_lines=known_facts(obs, seen, columns, "cell_line"),
        provenance={
            "source": str(path),
            "matrix": matrix.name,
            "columns": columns.record(),
            **seen.record(),
            "averaged_over": averaged,
            **({"features_left_out": features.left_out} if features.left_out else {}),
            "control_labels": list(seen.labels),
            "unit_is": "guessed" if choices.unit is None else "given",
        },
    )


def _read_obs(file: h5py.File, overrides: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """The columns of ``obs`` that may play a role, and the names of the others, left unread.

    Barcodes and the like of a hundred million cells would fill the memory.
    """
    chosen = set(overrides.values())
    named = {overrides.get(role, "") for role in ("cell_line", "drug")}
    table = file["obs"]
    if not isinstance(table, h5py.Group) or "__categories" in table:
        return read_table(file, "obs", named=named), []
    names = column_names(file)
    wanted = [name for name in names if is_role_name(name) or name in chosen]
    return read_table(file, "obs", wanted, named), sorted(set(names) - set(wanted))


def _var_of(matrix: str) -> str:
    """The table of genes that belongs to a matrix."""
    return f"{matrix[:4]}var" if matrix.startswith("raw") else "var"


def _unread(
    file: h5py.File, obs: pd.DataFrame, columns: ColumnMap, names: Sequence[str]
) -> Iterator[tuple[str, pd.Series]]:
    """The columns that play no role and may tell treatments apart, read one at a time."""
    yield from unread_columns(obs, columns)
    for name in names:
        item = file["obs"][name]
        levels = item.get("categories") if isinstance(item, h5py.Group) else None
        few = levels is not None and levels.size <= _FEW_LEVELS
        if few or likeness(name):
            yield name, read_column(item)


def check_has_both_sides(seen: Observations) -> None:
    """Refuse a file without vehicles, or without treatments."""
    is_control = seen.frame["is_control"]
    if is_control.all():
        found = f"every row is one ({', '.join(seen.labels)}){seen.why_dropped}"
        raise InputError("vehicle controls", found, "Check the columns of drug and dose.")
    if is_control.any():
        return
    if seen.vehicles_at:
        found = f"all rows of one are of other times ({', '.join(seen.vehicles_at)})"
        do = "If they stand for all times, write the file with their time left empty."
        raise InputError(f"vehicle controls at time {seen.time}", found, do)
    frequent = seen.frame["drug"].value_counts().index
    names = list(dict.fromkeys([*seen.at_zero, *map(str, frequent)]))
    found = f"no row is a known vehicle{seen.why_dropped}; "
    found += f"drugs at dose 0 or frequent: {', '.join(names[:10])}"
    raise InputError("vehicle controls", found, Remedy(Fix.VEHICLE))


def _genes_of(rows: sparse.csr_array, columns: IntArray | None) -> sparse.csr_array:
    """The columns of counts that are genes."""
    return rows if columns is None else rows[:, columns]


def _guess_unit(
    matrix: Matrix, seen: Observations, well: pd.Series | None, columns: IntArray | None
) -> Unit:
    if well is not None:
        places = pd.DataFrame({"plate": seen.frame["plate"], "well": well.to_numpy()[seen.kept]})
        if not places.duplicated().any():
            return "well"
    starts = np.linspace(0, matrix.shape[0], _SAMPLES, endpoint=False).astype(int)
    stops = np.minimum(starts + _SAMPLE_ROWS, matrix.shape[0])
    totals = [
        _genes_of(matrix.read(start, stop), columns).sum(axis=1)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    return "well" if np.median(np.concatenate(totals)) >= WELL_COUNTS else "cell"
