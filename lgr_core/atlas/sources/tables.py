"""Files of ready deltas as they stand: metadata, deltas and genes, not yet interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import sparse

from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.delimited import read_delimited
from lgr_core.atlas.sources.features import name_genes
from lgr_core.atlas.sources.names import is_role_name
from lgr_core.atlas.sources.wide import take_apart
from lgr_core.domain import EMPTY, BoolArray, FloatArray
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

SUFFIXES = (".h5ad", ".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")


@dataclass(frozen=True, slots=True)
class DeltaFile:
    """``obs`` (one row a delta), ``deltas`` (n_rows, n_genes) float32, ``genes``, and notes.

    ``highly_variable`` is the file's own panel (n_genes,), where it has one; ``drugs`` and
    ``cell_lines`` are tables that came with it.
    """

    obs: pd.DataFrame
    deltas: FloatArray
    genes: pd.DataFrame
    highly_variable: BoolArray | None = None
    notes: Mapping[str, object] = field(default_factory=lambda: EMPTY)
    drugs: pd.DataFrame | None = None
    cell_lines: pd.DataFrame | None = None


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


def files_of(path: Path) -> list[Path]:
    """The file itself, or the files of deltas in a folder, by name.

    Raises
    ------
    InputError
        There is none.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        do = "Give the path of an h5ad, parquet or CSV, or of a folder of them."
        raise InputError(f"source {path}", "no such file", do)
    inside = sorted(path.iterdir())
    files = [p for p in inside if p.is_file() and p.name.casefold().endswith(SUFFIXES)]
    if not files:
        found = f"no file of deltas in it ({', '.join(SUFFIXES)})"
        raise InputError(f"folder {path}", found, "Name the folder that holds them.")
    return files


def read_delta_file(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    """Read a file, or all files of a folder as plates of one set, with equal genes.

    Raises
    ------
    InputError
        A file cannot be read, two files of a folder differ in their genes or metadata, or two
        have one name, which names their plates.
    """
    if not path.is_dir():
        return _read_one(path, overrides, layer)
    files = files_of(path)
    parts = [_read_one(file, overrides, layer) for file in files]
    for file, part in zip(files, parts, strict=True):
        if not part.genes["gene"].equals(parts[0].genes["gene"]):
            found = f"its genes differ from those of {files[0].name}"
            raise InputError(f"file {file}", found, "Give files with the same genes in order.")
        if set(part.obs) != set(parts[0].obs):
            odd = ", ".join(sorted(map(str, set(part.obs) ^ set(parts[0].obs))))
            found = f"its metadata columns differ from those of {files[0].name} by {odd}"
            raise InputError(f"file {file}", found, "Give files with the same columns.")
    has_plates = guess_columns(parts[0].obs, overrides, required=()).get("plate") is not None
    frames = [part.obs for part in parts]
    if not has_plates:
        plates = _plate_names(files)
        frames = [obs.assign(plate=name) for obs, name in zip(frames, plates, strict=True)]
    deltas = np.concatenate([part.deltas for part in parts])
    return DeltaFile(
        pd.concat(frames), deltas, parts[0].genes, parts[0].highly_variable, {"files": len(files)}
    )


def _plate_names(files: list[Path]) -> list[str]:
    """The files' names without their suffixes; refused if two are equal."""
    names = [file.name[: -len(suffix_of(file))] for file in files]
    for first, name in enumerate(names):
        if name in names[first + 1 :]:
            other = files[names.index(name, first + 1)].name
            found = f"{files[first].name} and {other} would both be plate {name!r}"
            raise InputError(f"folder {files[first].parent}", found, "Rename or remove one.")
    return names


def _read_one(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    suffix = suffix_of(path)
    try:
        if suffix == ".h5ad":
            return _read_h5ad(path, overrides, layer)
        return _read_wide(path, suffix, overrides)
    except (OSError, EOFError, pa.ArrowException, ValueError, KeyError, TypeError) as err:
        found = f"it cannot be read ({' '.join(str(err).split())})"
        raise InputError(f"file {path}", found, "Check the file.") from err


def _read_h5ad(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    adata = anndata.read_h5ad(path)
    if layer is not None and layer not in adata.layers:
        found = f"layers found: {', '.join(adata.layers) or 'none'}"
        raise InputError(f"layer {layer!r} of {path}", found, Remedy(Fix.LAYER))
    values = adata.X if layer is None else adata.layers[layer]
    if values is None:
        found = f"X is empty; layers found: {', '.join(adata.layers) or 'none'}"
        raise InputError(f"file {path}", found, Remedy(Fix.LAYER))
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


def _read_wide(path: Path, suffix: str, overrides: Mapping[str, str]) -> DeltaFile:
    """A parquet, CSV or TSV; metadata of a text file stays text (``NA`` and ``697`` are names)."""
    known = set(overrides.values())
    if suffix == ".parquet":
        table = pq.read_table(path)
    else:
        table = read_delimited(path, lambda name: name.strip() in known or is_role_name(name))
    wide = take_apart(table, path, known)
    genes = name_genes(pd.DataFrame(index=pd.Index(wide.genes, dtype=object)))
    notes: dict[str, object] = {"metadata_columns": list(wide.obs)}
    if wide.empty:
        notes["empty_columns"] = wide.empty
    return DeltaFile(wide.obs, wide.deltas, genes, None, notes)
