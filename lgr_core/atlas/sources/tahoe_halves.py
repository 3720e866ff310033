"""Tahoe-100M's published halves: changes of each condition from half of its cells, a file a plate.

Both halves of a condition come from one well, so that they differ by the sampling of cells alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.long_table import LongTable, read_long
from lgr_core.atlas.sources.tahoe_tables import known_cell_lines, known_drugs
from lgr_core.domain import EMPTY, ValueKind
from lgr_core.errors import InputError

FOLDER = "a_vs_b"
HALVES = ("A", "B")

NAME = re.compile(r"group_[AB]_celleval_(?:plate)+(\d+)\.parquet\Z")
"""A file of one half and plate; its number is that of the plate."""

_AGAIN = "Fetch it again: lgr fetch tahoe --halves."


def folder_of(half: str) -> str:
    """Where a half's files lie, in the data set and in what was fetched."""
    return f"{FOLDER}/{half}/cell_eval"


def detect_halves(path: Path) -> Form | None:
    """The form, if ``path`` is a file of one half or the folder of one half's plates."""
    found = [path] if path.is_file() else sorted(path.iterdir()) if path.is_dir() else []
    files = tuple(sorted((p for p in found if NAME.match(p.name)), key=_plate))
    if not files:
        return None
    return Form(
        "tahoe-de-rhaister halves",
        files,
        ValueKind.LOG2FC,
        columns={"plate": "plate"},
        read=lambda _: read_halves(files),
        notes={"normalisation": "DESeq2 log2 fold changes of half of the cells, as published"},
        shared_wells="yes",
    )


def read_halves(files: Sequence[Path]) -> DeltaFile:
    """The plates of one half in one matrix, of the genes that every plate has.

    Raises
    ------
    InputError
        A file cannot be read or is no long table, or no gene is in all of them.
    """
    parts = [_read(file) for file in files]
    genes = [gene for gene in parts[0].genes if all(gene in set(part.genes) for part in parts)]
    if not genes:
        raise InputError("halves", f"no gene is in all of {len(files)} files", _AGAIN)
    frames = [
        part.obs.assign(plate=f"plate{_plate(file)}", dose_unit="uM")
        for file, part in zip(files, parts, strict=True)
    ]
    places = (pd.Index(part.genes).get_indexer(genes) for part in parts)
    blocks = [part.deltas[:, place] for part, place in zip(parts, places, strict=True)]
    return DeltaFile(
        pd.concat(frames, ignore_index=True),
        np.concatenate(blocks),
        name_genes(pd.DataFrame(index=pd.Index(genes, dtype=object))),
        None,
        {"files": len(files)},
        drugs=known_drugs(files[0].parent),
        cell_lines=known_cell_lines(files[0].parent),
    )


def _read(file: Path) -> LongTable:
    try:
        table = read_long(pq.read_table(file), file, EMPTY, ValueKind.LOG2FC)
    except (OSError, pa.ArrowException) as err:
        found = f"it cannot be read, cut off perhaps ({' '.join(str(err).split())})"
        raise InputError(f"file {file}", found, _AGAIN) from err
    if table is None:
        raise InputError(f"file {file}", "no column lists its genes", _AGAIN)
    return table


def _plate(file: Path) -> int:
    match = NAME.match(file.name)
    return int(match[1]) if match else 0
