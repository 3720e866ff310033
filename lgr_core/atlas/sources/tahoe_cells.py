"""Tahoe-100M's cells as parquet shards: a row a cell, counts as lists of gene tokens and values.

A list starts with a marker (token 1, value -2). Doses stand in the table of samples, gene names in
the table of genes: ``metadata/`` in, beside or above the folder of shards.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from lgr_core.atlas.blocks import Block, Unit
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.conditions import read_observations
from lgr_core.atlas.sources.counts import keep_rows, refuse_one_sided
from lgr_core.atlas.sources.features import name_genes
from lgr_core.atlas.sources.forms import Form, column_names
from lgr_core.atlas.sources.matrix import check_counts
from lgr_core.atlas.sources.tahoe_tables import (
    GENES,
    SAMPLES,
    find_tables,
    known_cell_lines,
    known_drugs,
    read_tahoe_table,
)
from lgr_core.domain import NOTHING, IntArray
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

LISTS = ("genes", "expressions")
KEYS = ("drug", "sample", "cell_line_id", "plate")
_CELLS_AT_ONCE = 1_000
"""Cells read together: a row group of the publisher's."""

_AGAIN = "The shard is cut off or damaged: fetch it again."


@dataclass(frozen=True, slots=True)
class ShardSource:
    """Shards of cells; fields as of :class:`~lgr_core.atlas.blocks.CountBlocks`.

    ``kept`` are the rows, counted through all ``files``, that ``obs`` stands for; ``column_of``
    (largest token + 1,) is each token's gene, -1 for none.
    """

    files: tuple[Path, ...]
    obs: pd.DataFrame
    kept: IntArray
    genes: pd.DataFrame
    column_of: IntArray
    labels: tuple[str, ...]
    unit: Unit
    drugs: pd.DataFrame
    cell_lines: pd.DataFrame
    provenance: Mapping[str, Any]

    def blocks(self, *, max_cells: int, max_nonzeros: int) -> Iterator[Block]:
        """Blocks of counts; each is checked.

        Raises
        ------
        NotCountsError
            A value, but for the marker, is negative, fractional or missing.
        InputError
            A shard cannot be read, or a token is no gene's.
        """
        start = 0
        for file in self.files:
            for rows in self._read(file, min(max_cells, _CELLS_AT_ONCE)):
                bounds, first = rows.indptr, 0
                while first < rows.shape[0]:
                    full = int(np.searchsorted(bounds, bounds[first] + max_nonzeros, "right")) - 1
                    last = max(full, first + 1)
                    block = keep_rows(self.kept, start + first, rows[first:last])
                    if block is not None:
                        yield block
                    first = last
                start += rows.shape[0]

    def _read(self, file: Path, cells: int) -> Iterator[sparse.csr_array]:
        try:
            for batch in pq.ParquetFile(file).iter_batches(cells, columns=list(LISTS)):
                rows = _to_rows(batch, self.column_of, len(self.genes), file)
                check_counts(rows, file.name)
                yield rows
        except (OSError, pa.ArrowException) as err:
            raise _unreadable(file, err) from err


def recognise_shards(path: Path) -> Form | None:
    """The form, if ``path`` is a shard, or a folder of them (``data/`` in it)."""
    inside = path / "data" if (path / "data").is_dir() else path
    found = [path] if path.is_file() else sorted(inside.glob("*.parquet"))
    if not found or not set(LISTS) <= column_names(found[0]):
        return None
    files = tuple(found)
    return Form("Tahoe-100M expression shards", files, open=partial(open_shards, files))


def open_shards(  # noqa: PLR0913 - each choice of how a file is read is one keyword
    files: Sequence[Path],
    path: Path,
    *,
    overrides: Mapping[str, str] = NOTHING,
    controls: Sequence[str] = (),
    unit: Unit | None = None,
    layer: str | None = None,
    time: str | None = None,
    lines: Sequence[str] = (),
    doses: Sequence[float] = (),
) -> ShardSource:
    """Open shards; options as of :func:`~lgr_core.atlas.sources.counts.open_counts`.

    Raises
    ------
    InputError
        A shard or table cannot be read or lacks a column, the sample table tells of another drug
        than a shard, there is no control or no treatment, or a layer is asked for.
    """
    if layer is not None:
        raise InputError(f"layer {layer!r}", "shards have none", "Leave out --layer.")
    folder = find_tables(path)
    if folder is None:
        found = "the tables of samples and genes are not there (metadata/ in, beside or above it)"
        raise InputError(f"shards in {path}", found, "Fetch them: lgr fetch tahoe --metadata.")
    frame = _read_keys(files)
    frame["drugname_drugconc"] = _doses(frame, read_tahoe_table(folder, SAMPLES))
    known = {"drug": "drug", "drug_dose": "drugname_drugconc", "cell_line": "cell_line_id"}
    columns = guess_columns(frame, {**known, **overrides})
    seen = read_observations(frame, columns, controls, time, lines=lines, doses=doses)
    refuse_one_sided(seen)
    genes = read_tahoe_table(folder, GENES).sort_values("token_id", ignore_index=True)
    tokens = genes["token_id"].to_numpy(dtype=np.int64)
    column_of = np.full(tokens.max() + 1, -1, dtype=np.int32)
    column_of[tokens] = np.arange(len(tokens))
    log.info("%s: %d cells in %d shards", path, len(seen.kept), len(files))
    return ShardSource(
        files=tuple(files),
        obs=seen.frame,
        kept=seen.kept,
        genes=name_genes(genes),
        column_of=column_of,
        labels=seen.labels,
        unit="cell" if unit is None else unit,
        drugs=known_drugs(path),
        cell_lines=known_cell_lines(path),
        provenance={
            "source": str(path),
            "files": len(files),
            "columns": columns.record(),
            "dropped": seen.dropped,
            "control_labels": list(seen.labels),
            "unit_is": "known" if unit is None else "given",
        },
    )


def _read_keys(files: Sequence[Path]) -> pd.DataFrame:
    """Drug, sample, line and plate of every cell, as categories: a hundred million fit."""
    parts = []
    for file in files:
        try:
            missing = sorted({*KEYS, *LISTS} - column_names(file))
            if missing:
                found = f"it has no column {', '.join(missing)}"
                raise InputError(f"shard {file}", found, _AGAIN)
            part = pq.read_table(file, columns=list(KEYS))
        except (OSError, pa.ArrowException) as err:
            raise _unreadable(file, err) from err
        parts.append(pa.table({key: _as_categories(part.column(key)) for key in KEYS}))
    return pa.concat_tables(parts).unify_dictionaries().to_pandas()


def _as_categories(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def _doses(frame: pd.DataFrame, samples: pd.DataFrame) -> pd.Categorical:
    """Each cell's drug and dose as its sample has them; refused if that is another drug."""
    samples = samples.drop_duplicates("sample").set_index("sample")
    pairs = frame[["sample", "drug"]].drop_duplicates().astype(object)
    said = pairs["sample"].map(samples["drug"])
    odd = said.notna() & (said.str.strip() != pairs["drug"].str.strip())
    if odd.any():
        row = pairs[odd].iloc[0]
        found = f"sample {row['sample']} is {row['drug']} in a shard, "
        found += f"{samples.loc[row['sample'], 'drug']} in the table of samples"
        raise InputError("shards", found, "Shards and tables are of different releases.")
    known = frame["sample"].cat
    codes, literals = pd.factorize(samples["drugname_drugconc"].reindex(known.categories))
    return pd.Categorical.from_codes(np.append(codes, -1)[known.codes], categories=literals)


def _to_rows(
    batch: pa.RecordBatch, column_of: IntArray, n_genes: int, file: Path
) -> sparse.csr_array:
    """Counts (n_cells, n_genes): tokens looked up, the leading marker of each cell left out."""
    tokens, values = (batch.column(name) for name in LISTS)
    bounds = tokens.offsets.to_numpy().astype(np.int64)
    inside = slice(bounds[0], bounds[-1])
    if not np.array_equal(np.diff(bounds), np.diff(values.offsets.to_numpy())):
        raise InputError(f"shard {file}", "a cell has more genes than values, or fewer", _AGAIN)
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


def _unreadable(file: Path, err: Exception) -> InputError:
    return InputError(f"shard {file}", f"it cannot be read ({' '.join(str(err).split())})", _AGAIN)
