"""Files of ready deltas as they stand: metadata, deltas and genes, not yet interpreted."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from lgr_core.atlas.sources.columns import guess_columns, is_role_name, plain
from lgr_core.atlas.sources.features import name_genes
from lgr_core.domain import NOTHING, BoolArray, FloatArray
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

SUFFIXES = (".h5ad", ".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")

NOT_GENES = frozenset(
    {"index", "id", "time", "timepoint_hr", "replicate", "sample", "batch", "split"}
    | {"level_0", "__index_level_0__", "unnamed:_0", "n_genes", "n_counts", ""}
)
"""Numeric columns of a table that are metadata, though they play no role here."""

_MOSTLY = 0.5
"""A text column of which more than this is no number is metadata, not a broken gene."""


@dataclass(frozen=True, slots=True)
class DeltaFile:
    """``obs`` (one row a delta), ``deltas`` (n_rows, n_genes) float32, ``genes``, and notes.

    ``highly_variable`` is the file's own panel (n_genes,), where it has one.
    """

    obs: pd.DataFrame
    deltas: FloatArray
    genes: pd.DataFrame
    highly_variable: BoolArray | None = None
    notes: Mapping[str, object] = field(default_factory=lambda: NOTHING)


def suffix_of(path: Path) -> str:
    """The suffix that says the format: ``.h5ad``, ``.csv``, ``.csv.gz``, ...

    Raises
    ------
    InputError
        The file is missing, or of no known format.
    """
    if not path.exists():
        raise InputError(f"file {path}", "it does not exist", "Check the path.")
    for suffix in SUFFIXES:
        if path.name.casefold().endswith(suffix):
            return suffix
    raise InputError(f"file {path}", "its format is unknown", f"Give {', '.join(SUFFIXES)}.")


def read_delta_file(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    """Read a file, or all files of a folder as plates of one set, with equal genes.

    Raises
    ------
    InputError
        A file cannot be read, or two files of a folder differ in their genes.
    """
    if not path.is_dir():
        return _read_one(path, overrides, layer)
    files = sorted(p for p in path.iterdir() if p.name.casefold().endswith(SUFFIXES))
    if not files:
        raise InputError(f"folder {path}", "no file of deltas in it", f"One of {SUFFIXES}.")
    parts = [_read_one(file, overrides, layer) for file in files]
    for file, part in zip(files, parts, strict=True):
        if not part.genes["gene"].equals(parts[0].genes["gene"]):
            found = f"its genes differ from those of {files[0].name}"
            raise InputError(f"file {file}", found, "Give files with the same genes in order.")
    has_plates = guess_columns(parts[0].obs, overrides, required=()).get("plate") is not None
    named = [
        part.obs if has_plates else part.obs.assign(plate=file.name.split(".")[0])
        for file, part in zip(files, parts, strict=True)
    ]
    deltas = np.concatenate([part.deltas for part in parts])
    return DeltaFile(
        pd.concat(named), deltas, parts[0].genes, parts[0].highly_variable, {"files": len(files)}
    )


def _read_one(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    suffix = suffix_of(path)
    try:
        if suffix == ".h5ad":
            return _read_h5ad(path, overrides, layer)
        if suffix == ".parquet":
            return _split(pq.read_table(path).to_pandas(), path, overrides)
        return _split(_read_text(path, suffix, overrides), path, overrides)
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as err:
        found = f"it cannot be read ({' '.join(str(err).split())})"
        raise InputError(f"file {path}", found, "Check the file.") from err


def _read_h5ad(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    adata = anndata.read_h5ad(path)
    if layer is not None and layer not in adata.layers:
        found = f"layers found: {', '.join(adata.layers) or 'none'}"
        raise InputError(f"layer {layer!r} of {path}", found, "Name one of these with --layer.")
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        found = f"X is empty; layers found: {', '.join(adata.layers) or 'none'}"
        raise InputError(f"file {path}", found, "Name the layer that holds deltas with --layer.")
    if sparse.issparse(values):
        values = values.toarray()
    panel = adata.var.get("highly_variable")
    return DeltaFile(
        adata.obs,
        np.ascontiguousarray(values, dtype=np.float32),
        name_genes(adata.var, overrides),
        None if panel is None else panel.to_numpy(dtype=bool),
        {f"uns_{key}": str(text) for key, text in adata.uns.items() if isinstance(text, str)},
    )


def _read_text(path: Path, suffix: str, overrides: Mapping[str, str]) -> pd.DataFrame:
    """A CSV or TSV; metadata stays text (``NA`` and ``697`` are names)."""
    separator = "\t" if suffix.startswith(".tsv") else ","
    header = pd.read_csv(path, sep=separator, nrows=0).columns
    names = [c for c in header if is_role_name(c) or c in overrides.values()]
    return pd.read_csv(path, sep=separator, dtype=dict.fromkeys(names, str), na_filter=False)


def _split(frame: pd.DataFrame, path: Path, overrides: Mapping[str, str]) -> DeltaFile:
    """Columns that play no role and hold numbers are genes; the rest is metadata."""
    known = set(overrides.values())
    numeric = [
        column
        for column in frame.columns
        if not (is_role_name(column) or column in known or plain(column) in NOT_GENES)
        and _is_numeric(frame[column], path)
    ]
    if not numeric:
        found = f"no numeric column in it is a gene; columns: {', '.join(map(str, frame)):.300}"
        raise InputError(f"file {path}", found, "One row a condition, one column a gene.")
    rest = [column for column in frame.columns if column not in set(numeric)]
    values = frame[numeric].to_numpy(dtype=np.float32)
    genes = name_genes(pd.DataFrame(index=pd.Index(numeric, dtype=object)))
    return DeltaFile(frame[rest], values, genes, None, {"metadata_columns": list(map(str, rest))})


def _is_numeric(values: pd.Series, path: Path) -> bool:
    """Whether a column holds numbers; one that holds numbers and text is refused."""
    if values.dtype == bool or isinstance(values.dtype, pd.CategoricalDtype):
        return False
    if pd.api.types.is_numeric_dtype(values):
        return True
    number = pd.to_numeric(values, errors="coerce")
    bad = number.isna()
    if bad.mean() > _MOSTLY:
        return False
    where = int(np.argmax(bad.to_numpy()))
    found = f"column {values.name!r} holds numbers, but {values.iloc[where]!r} in row {where + 1}"
    raise InputError(f"file {path}", found, "Remove or impute it first.")
