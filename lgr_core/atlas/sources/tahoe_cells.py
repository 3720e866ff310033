"""Tahoe-100M's cells as parquet shards: a row a cell, counts as lists of gene tokens and values.

A list starts with a marker (token 1, value -2). Doses stand in the table of samples, gene names in
the table of genes: ``metadata/`` in, beside or above the folder of shards.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.count_source import CountBlocks, ReadOptions, cut
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.counts import check_has_both_sides
from lgr_core.atlas.sources.formats import Form, column_names
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.metadata import read_observations
from lgr_core.atlas.sources.parquet_lists import AGAIN, LISTS, ListShard, units_of, unreadable
from lgr_core.atlas.sources.tahoe_tables import (
    GENES,
    SAMPLES,
    find_tables,
    known_cell_lines,
    known_drugs,
    read_tahoe_table,
)
from lgr_core.domain import IntArray
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

KEYS = ("drug", "sample", "cell_line_id", "plate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardSource(CountBlocks):
    """Shards of cells.

    ``kept`` are the rows, counted through all ``files``, that ``obs`` stands for; ``column_of``
    (largest token + 1,) is each token's gene, -1 for none.
    """

    files: tuple[Path, ...]
    kept: IntArray
    column_of: IntArray

    def nonzeros(self) -> int:
        """Values that the lists hold."""
        return sum(int(units_of(file).nonzeros[-1]) for file in self.files)

    def shards(self, max_nonzeros: int) -> list[ListShard]:
        """Runs of row groups, through all files."""
        units = [units_of(file) for file in self.files]
        rows = _through([unit.rows for unit in units])
        nonzeros = _through([unit.nonzeros for unit in units])
        begins = np.cumsum([0, *(int(unit.rows[-1]) for unit in units[:-1])])
        places = list(zip(self.files, begins.tolist(), strict=True))
        found = []
        for part in cut(rows, nonzeros, self.kept, max_nonzeros):
            here = np.searchsorted(begins, [part.first, part.last - 1], side="right")
            files = tuple(places[here[0] - 1 : here[1]])
            found.append(ListShard(files, part, self.column_of, len(self.genes)))
        return found


def detect_shards(path: Path) -> Form | None:
    """The form, if ``path`` is a shard, or a folder of them (``data/`` in it)."""
    inside = path / "data" if (path / "data").is_dir() else path
    found = [path] if path.is_file() else sorted(inside.glob("*.parquet"))
    if not found or not set(LISTS) <= column_names(found[0]):
        return None
    files = tuple(found)
    return Form(
        "Tahoe-100M expression shards",
        files,
        open=partial(open_shards, files),
        shared_wells="yes",
    )


def open_shards(files: Sequence[Path], path: Path, choices: ReadOptions) -> ShardSource:
    """Open shards and the tables beside them.

    Raises
    ------
    InputError
        A shard or table cannot be read or lacks a column, the sample table tells of another drug
        than a shard, there is no control or no treatment, or a layer is asked for.
    """
    if choices.layer is not None:
        raise InputError(f"layer {choices.layer!r}", "shards have none", Remedy(Fix.NO_LAYER))
    folder = find_tables(path)
    if folder is None:
        found = "the tables of samples and genes are not there (metadata/ in, beside or above it)"
        raise InputError(f"shards in {path}", found, "Fetch them: lgr fetch tahoe --metadata.")
    frame = _read_keys(files)
    frame["drugname_drugconc"] = _doses(frame, read_tahoe_table(folder, SAMPLES))
    known = {"drug": "drug", "drug_dose": "drugname_drugconc", "cell_line": "cell_line_id"}
    columns = guess_columns(frame, {**known, **choices.overrides})
    seen = read_observations(frame, columns, choices)
    check_has_both_sides(seen)
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
        unit="cell" if choices.unit is None else choices.unit,
        drugs=known_drugs(path),
        cell_lines=known_cell_lines(path),
        provenance={
            "source": str(path),
            "files": len(files),
            "columns": columns.record(),
            **seen.record(),
            "control_labels": list(seen.labels),
            "unit_is": "known" if choices.unit is None else "given",
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
                raise InputError(f"shard {file}", found, AGAIN)
            part = pq.read_table(file, columns=list(KEYS))
        except (OSError, pa.ArrowException) as err:
            raise unreadable(file, err) from err
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


def _through(parts: Sequence[IntArray]) -> IntArray:
    """Counts before each unit of each part as counts before each unit of all."""
    steps = np.concatenate([np.diff(part) for part in parts])
    return np.concatenate([[0], np.cumsum(steps)])
