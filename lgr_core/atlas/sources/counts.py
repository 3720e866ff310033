"""Raw counts of cells or wells from an h5ad, read in blocks."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anndata
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
from lgr_core.atlas.sources.columns import ColumnMap, guess_columns
from lgr_core.atlas.sources.conditions import Observations, known_facts, read_observations
from lgr_core.atlas.sources.design import check_design, unread_columns
from lgr_core.atlas.sources.features import name_genes
from lgr_core.atlas.sources.forms import column_names
from lgr_core.atlas.sources.matrix import (
    Matrix,
    check_counts,
    find_counts,
    open_matrix,
    read_blocks,
)
from lgr_core.atlas.sources.names import is_role_name, likeness
from lgr_core.atlas.sources.tables import suffix_of
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

    ``kept`` are the file's rows that ``obs`` stands for, ``matrix`` is where it holds the counts.
    """

    path: Path
    matrix: str
    kept: IntArray

    def nonzeros(self) -> int:
        """Values that the matrix stores."""
        with h5py.File(self.path) as file:
            matrix = open_matrix(file, self.matrix)
            return int(matrix.nonzeros(matrix.shape[0], matrix.shape[0])[0])

    def shards(self, max_nonzeros: int) -> list[FileShard]:
        """Runs of the file's rows."""
        with h5py.File(self.path) as file:
            matrix = open_matrix(file, self.matrix)
            bounds = matrix.nonzeros(0, matrix.shape[0])
        cuts = cut(np.arange(len(bounds)), bounds, self.kept, max_nonzeros)
        return [FileShard(self.path, self.matrix, part) for part in cuts]


@dataclass(frozen=True, slots=True)
class FileShard:
    """A run of rows of an h5ad; ``before`` rows of ``obs`` stand in files before this one."""

    path: Path
    matrix: str
    cut: ShardRange
    before: int = 0

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
        try:
            with h5py.File(self.path) as file:
                matrix = open_matrix(file, self.matrix)
                for start, rows in read_blocks(matrix, first, last, BLOCK_NONZEROS):
                    counts = keep(rows, start - first, self.cut.kept)
                    check_counts(counts, self.matrix, start)
                    yield counts
        except (OSError, KeyError, ValueError) as err:
            raise unreadable(self.path, err) from err


def unreadable(path: Path, err: Exception) -> InputError:
    """The error of an h5ad that HDF5 cannot read."""
    found = f"it cannot be read as h5ad ({' '.join(str(err).split())})"
    return InputError(f"file {path}", found, "It is cut off or damaged: fetch or write it again.")


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
        names = sorted(column_names(path))
        found = "raw counts are read from h5ad only, and this is in no published form known here"
        found += f"; its columns: {', '.join(names[:10])}" if names else ""
        raise InputError(f"file {path}", found, Remedy(Fix.VALUE_KIND))
    try:
        with h5py.File(path) as file:
            return _open(file, path, choices)
    except (OSError, KeyError) as err:
        raise unreadable(path, err) from err


def _open(file: h5py.File, path: Path, choices: ReadOptions) -> CountSource:
    matrix = find_counts(file, choices.layer)
    obs, unread = _read_obs(file, choices.overrides)
    genes = name_genes(_read_var(file, matrix.name), choices.overrides)
    if matrix.shape != (len(obs), len(genes)):
        found = f"{matrix.name} is {matrix.shape}, its labels say {(len(obs), len(genes))}"
        raise InputError(f"file {path}", found, "The file is damaged: fetch or write it again.")
    if genes.empty:
        raise InputError(f"file {path}", "it has no genes", "Give one column a gene.")
    columns = guess_columns(obs, choices.overrides, unread=unread)
    seen = read_observations(obs, columns, choices)
    refuse_one_sided(seen)
    averaged = check_design(_unread(file, obs, columns, unread), columns, seen)
    well = columns.get("well")
    guessed = _guess_unit(matrix, seen, None if well is None else obs[well])
    unit = guessed if choices.unit is None else choices.unit
    log.info("%s: %d rows of %s, a row is a %s", path, len(seen.kept), matrix.name, unit)
    return CountSource(
        path=path,
        matrix=matrix.name,
        obs=seen.frame,
        kept=seen.kept,
        genes=genes,
        labels=seen.labels,
        unit=unit,
        drugs=known_facts(obs, seen, columns, "drug"),
        cell_lines=known_facts(obs, seen, columns, "cell_line"),
        provenance={
            "source": str(path),
            "matrix": matrix.name,
            "columns": columns.record(),
            **({} if seen.time is None else {"time": seen.time}),
            "averaged_over": averaged,
            "dropped": seen.dropped,
            "control_labels": list(seen.labels),
            "unit_is": "guessed" if choices.unit is None else "given",
        },
    )


def _read_obs(file: h5py.File, overrides: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """The columns of ``obs`` that may play a role, and the names of the others, left unread.

    Barcodes and the like of a hundred million cells would fill the memory.
    """
    table = file["obs"]
    if not isinstance(table, h5py.Group) or "__categories" in table:
        return anndata.io.read_elem(table), []
    names = [str(name) for name in table.attrs["column-order"]]
    wanted = [name for name in names if is_role_name(name) or name in overrides.values()]
    n_rows = len(table[str(table.attrs["_index"])])
    columns = {name: anndata.io.read_elem(table[name]) for name in wanted}
    return pd.DataFrame(columns, index=pd.RangeIndex(n_rows)), sorted(set(names) - set(wanted))


def _read_var(file: h5py.File, matrix: str) -> pd.DataFrame:
    return anndata.io.read_elem(file["raw/var" if matrix.startswith("raw/") else "var"])


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
            yield name, pd.Series(anndata.io.read_elem(item))


def refuse_one_sided(seen: Observations) -> None:
    """Refuse a file without vehicles, or without treatments."""
    is_control = seen.frame["is_control"]
    if is_control.all():
        found = f"every row is one ({', '.join(seen.labels)}){seen.why_dropped}"
        raise InputError("vehicle controls", found, "Check the columns of drug and dose.")
    if is_control.any():
        return
    frequent = seen.frame["drug"].value_counts().index
    names = list(dict.fromkeys([*seen.at_zero, *map(str, frequent)]))
    found = f"no row is a known vehicle{seen.why_dropped}; "
    found += f"drugs at dose 0 or frequent: {', '.join(names[:10])}"
    raise InputError("vehicle controls", found, Remedy(Fix.VEHICLE))


def _guess_unit(matrix: Matrix, seen: Observations, well: pd.Series | None) -> Unit:
    if well is not None:
        places = pd.DataFrame({"plate": seen.frame["plate"], "well": well.to_numpy()[seen.kept]})
        if not places.duplicated().any():
            return "well"
    starts = np.linspace(0, matrix.shape[0], _SAMPLES, endpoint=False).astype(int)
    stops = np.minimum(starts + _SAMPLE_ROWS, matrix.shape[0])
    totals = [
        matrix.read(start, stop).sum(axis=1)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
    ]
    return "well" if np.median(np.concatenate(totals)) >= WELL_COUNTS else "cell"
