"""Tahoe-100M's published differential expression: parquet shards, a row a gene and contrast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.sources.clean_names import known_lines
from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.atlas.sources.formats import Form, column_names
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.tahoe_tables import known_cell_lines, known_drugs
from lgr_core.domain import ValueKind
from lgr_core.drugs.cell_lines import CellLineCatalog
from lgr_core.errors import InputError

FOLDER = "pseudobulk_differential_expression"
NORMALISATION = "DESeq2 log2 fold changes of pseudobulks, as published"
LINE, GENE, CHANGE, LEVEL = "Cell_Name_Vevo", "gene_name", "log2FoldChange", "baseMean"
KEYS = (LINE, "drug", "concentration", "concentration_unit", "plate")
FACTS = ("n_cells_trt", "Cell_ID_Cellosaur", "Cell_ID_DepMap")
COLUMNS = (*KEYS, *FACTS, GENE, CHANGE, LEVEL)

_MOST_BYTES = 6_000_000_000
_AGAIN = "The shard is cut off, damaged or of another release: fetch it again."


def detect_contrasts(path: Path) -> Form | None:
    """The form, if ``path`` is one of its shards, or a folder of them."""
    places = [path / FOLDER, path / "metadata" / FOLDER, path]
    inside = next((place for place in places if place.is_dir()), path)
    found = [path] if path.is_file() else sorted(inside.glob("*.parquet"))
    if not found or not {LINE, GENE, CHANGE} <= column_names(found[0]):
        return None
    return Form(
        "Tahoe-100M differential expression",
        tuple(found),
        ValueKind.LOG2FC,
        columns={
            "cell_line": LINE,
            "drug": "drug",
            "dose": "concentration",
            "dose_unit": "concentration_unit",
            "plate": "plate",
            "n_cells": "n_cells_trt",
        },
        read=partial(read_contrasts, tuple(found)),
        notes={"normalisation": NORMALISATION},
        shared_wells="yes",
    )


def read_contrasts(files: Sequence[Path], lines: Sequence[str] = ()) -> DeltaFile:
    """Read the contrasts of ``lines`` (none: all), in two passes: which there are, then values.

    A gene without any count in a contrast has no fold change: its change is 0. A gene that is not
    listed once in every contrast is left out and counted.

    Raises
    ------
    InputError
        A shard cannot be read or lacks a column, no gene is in every contrast, or the changes
        would fill the memory.
    """
    wanted = _wanted(lines)
    keys, genes = _what_there_is(files, wanted)
    needed = len(keys) * len(genes) * 5
    if needed > _MOST_BYTES:
        found = f"{len(keys):,} contrasts of {len(genes):,} genes take {needed / 1e9:.1f} GB"
        raise InputError("memory", found, "Name some cell lines with --lines.")
    deltas = np.full((len(keys), len(genes)), np.nan, dtype=np.float32)
    times = np.zeros(deltas.shape, dtype=np.int8)
    for part in _parts(files, COLUMNS, wanted):
        rows = keys.get_indexer(pd.MultiIndex.from_frame(part[list(KEYS)].astype(object)))
        columns = genes.get_indexer(part[GENE].astype(object))
        silent = part[LEVEL].to_numpy() == 0
        deltas[rows, columns] = np.where(silent, 0, part[CHANGE].to_numpy(dtype=np.float32))
        np.add.at(times, (rows, columns), 1)
    once = (times == 1).all(axis=0)
    if not once.any():
        found = f"none of {len(genes):,} genes is listed once in each of {len(keys):,} contrasts"
        raise InputError("contrasts", found, _AGAIN)
    named = name_genes(pd.DataFrame(index=genes[once]))
    return DeltaFile(
        _facts(files, wanted, keys),
        deltas[:, once],
        named,
        None,
        {"files": len(files), "genes_not_in_every_contrast": int((~once).sum())},
        drugs=known_drugs(files[0].parent),
        cell_lines=known_cell_lines(files[0].parent),
    )


def _wanted(lines: Sequence[str]) -> set[str] | None:
    """The names of the lines asked for; None: all, or one is not known here."""
    ids = {name: [key] for key, name in known_lines().items()}
    catalog = CellLineCatalog(ids, ids)
    found = {catalog.find(line) for line in lines}
    return {name for name in found if name is not None} if lines and None not in found else None


def _what_there_is(
    files: Sequence[Path], wanted: set[str] | None
) -> tuple[pd.MultiIndex, pd.Index]:
    """The contrasts and the genes, in the order in which they come."""
    keys = pd.DataFrame(columns=list(KEYS))
    genes = pd.Index([], dtype=object)
    for part in _parts(files, (*KEYS, GENE), wanted):
        new = part[list(KEYS)].astype(object).drop_duplicates()
        keys = pd.concat([keys, new], ignore_index=True).drop_duplicates()
        genes = genes.append(pd.Index(part[GENE].unique(), dtype=object)).unique()
    if keys.empty:
        names = ", ".join(sorted(wanted)) if wanted is not None else "any line"
        raise InputError("contrasts", f"no shard holds {names}", "Fetch the shards of that line.")
    return pd.MultiIndex.from_frame(keys), genes


def _facts(files: Sequence[Path], wanted: set[str] | None, keys: pd.MultiIndex) -> pd.DataFrame:
    """One row a contrast: its keys and facts, the first that is said of it."""
    parts = [
        part.astype(object).drop_duplicates(list(KEYS))
        for part in _parts(files, (*KEYS, *FACTS), wanted)
    ]
    table = pd.concat(parts).drop_duplicates(list(KEYS)).set_index(list(KEYS))
    obs = table.loc[keys].reset_index()
    return obs.astype({"concentration": float, "n_cells_trt": float})


def _parts(
    files: Sequence[Path], columns: Sequence[str], wanted: set[str] | None
) -> Iterator[pd.DataFrame]:
    """The rows of the lines wanted, a row group at a time; groups of other lines are not read."""
    texts = [LINE, "drug", "concentration_unit", "plate", GENE]
    for file in files:
        try:
            names = column_names(file)
            missing = [name for name in COLUMNS if name not in names]
            if missing:
                found = f"it has no column {', '.join(missing)}"
                raise InputError(f"shard {file}", found, _AGAIN)
            shard = pq.ParquetFile(file, read_dictionary=texts)
            place = shard.schema.names.index(LINE)
            for group in range(shard.num_row_groups):
                if _may_hold(shard.metadata.row_group(group).column(place).statistics, wanted):
                    part = shard.read_row_group(group, columns=list(columns)).to_pandas()
                    yield part if wanted is None else part[part[LINE].isin(wanted)]
        except (OSError, pa.ArrowException) as err:
            found = f"it cannot be read ({' '.join(str(err).split())})"
            raise InputError(f"shard {file}", found, _AGAIN) from err


def _may_hold(statistics: pq.Statistics | None, wanted: set[str] | None) -> bool:
    if wanted is None or statistics is None or not statistics.has_min_max:
        return True
    return any(statistics.min <= name <= statistics.max for name in wanted)
