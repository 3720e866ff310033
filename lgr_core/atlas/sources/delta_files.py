"""Files of ready deltas as they stand: metadata, deltas and genes, not yet interpreted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lgr_core.atlas.sources.column_names import VALUE_ROLE, is_role_name
from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.containers import check_container
from lgr_core.atlas.sources.count_matrix import DenseMatrix, open_matrix
from lgr_core.atlas.sources.counts_place import usable_layers
from lgr_core.atlas.sources.csv_reader import read_delimited
from lgr_core.atlas.sources.gene_names import find_genes, name_genes
from lgr_core.atlas.sources.h5ad_tables import check_not_transposed as check_rows_are_observations
from lgr_core.atlas.sources.h5ad_tables import read_table
from lgr_core.atlas.sources.hdf5 import DAMAGE, open_hdf5
from lgr_core.atlas.sources.long_table import read_long
from lgr_core.atlas.sources.transposed import untransposed
from lgr_core.atlas.sources.wide_table import check_not_transposed, split_wide
from lgr_core.domain import EMPTY, BoolArray, FloatArray, ValueKind
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
    check_container(path)
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
        check_container(path)
        return [path]
    if not path.is_dir():
        do = "Give the path of an h5ad, parquet or CSV, or of a folder of them."
        raise InputError(f"source {path}", "no such file", do)
    check_container(path)
    inside = sorted(path.iterdir())
    files = [p for p in inside if p.is_file() and p.name.casefold().endswith(SUFFIXES)]
    if not files:
        found = f"no file of deltas in it ({', '.join(SUFFIXES)})"
        raise InputError(f"folder {path}", found, "Name the folder that holds them.")
    return files


def read_delta_file(
    path: Path,
    overrides: Mapping[str, str],
    layer: str | None,
    value_kind: ValueKind | None = None,
) -> DeltaFile:
    """Read a file, or all files of a folder as plates of one set, with equal genes.

    ``value_kind`` is what the changes are; None: the file is only looked at.

    Raises
    ------
    InputError
        A file cannot be read, two files of a folder differ in their genes or metadata, or two
        have one name, which names their plates.
    """
    if not path.is_dir():
        return _read_one(path, overrides, layer, value_kind)
    files = files_of(path)
    parts = [_read_one(file, overrides, layer, value_kind) for file in files]
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


def _read_one(
    path: Path, overrides: Mapping[str, str], layer: str | None, value_kind: ValueKind | None
) -> DeltaFile:
    suffix = suffix_of(path)
    if suffix == ".h5ad":
        return _read_h5ad(path, overrides, layer)
    try:
        return _read_text(path, suffix, overrides, value_kind)
    except MemoryError as err:
        found, do = "it does not fit into memory", "Give fewer rows or genes."
        raise InputError(f"file {path}", found, do) from err
    except (*DAMAGE, pa.ArrowException) as err:
        found = f"it cannot be read ({' '.join(str(err).split())})"
        raise InputError(f"file {path}", found, "Check the file.") from err


def _read_h5ad(path: Path, overrides: Mapping[str, str], layer: str | None) -> DeltaFile:
    named = {overrides.get(role, "") for role in ("cell_line", "drug")}
    with open_hdf5(path) as file:
        check_rows_are_observations(file)
        values = _delta_matrix(file, path, layer)
        obs, var = read_table(file, "obs", named=named), read_table(file, "var")
        notes = _notes(file)
    if values.shape != (len(obs), len(var)):
        found = f"its matrix is {values.shape}, its labels say {(len(obs), len(var))}"
        raise InputError(f"file {path}", found, "The file is damaged: fetch or write it again.")
    return _of_genes(obs, values, var, notes, path, overrides)


def _of_genes(
    obs: pd.DataFrame,
    values: FloatArray,
    var: pd.DataFrame,
    notes: dict[str, object],
    path: Path,
    overrides: Mapping[str, str],
) -> DeltaFile:
    """The changes of those features that are genes, named."""
    features = find_genes(var, f"file {path}", overrides)
    if features.columns is not None:
        values, var = np.ascontiguousarray(values[:, features.columns]), var.iloc[features.columns]
        notes = {**notes, "features_left_out": features.left_out}
    panel = var.get("highly_variable")
    panel = None if panel is None else panel.to_numpy(dtype=bool)
    return DeltaFile(obs, values, name_genes(var, overrides), panel, notes)


def _delta_matrix(file: h5py.File, path: Path, layer: str | None) -> FloatArray:
    """The values of ``X`` or of a layer (n_rows, n_genes), dense."""
    layers = ", ".join(usable_layers(file)) or "none"
    if layer is not None and layer not in file.get("layers", {}):
        remedy = Remedy(Fix.LAYER)
        raise InputError(f"layer {layer!r} of {path}", f"layers found: {layers}", remedy)
    name = "X" if layer is None else f"layers/{layer}"
    if name not in file or file[name].attrs.get("encoding-type") == "null":
        remedy = Remedy(Fix.LAYER)
        raise InputError(f"file {path}", f"X is empty; layers found: {layers}", remedy)
    matrix = open_matrix(file, name, by_gene_too=True)
    if isinstance(matrix, DenseMatrix):
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(matrix.dataset[:], dtype=np.float32)
    values = matrix.read(0, matrix.shape[0]).toarray()
    return np.ascontiguousarray(values, dtype=np.float32)


def _notes(file: h5py.File) -> dict[str, object]:
    """The texts of ``uns``, for the provenance."""
    uns = file.get("uns", {})
    texts = {
        key: anndata.io.read_elem(item)
        for key, item in uns.items()
        if isinstance(item, h5py.Dataset) and item.shape == ()
    }
    return {f"uns_{key}": str(text) for key, text in texts.items() if isinstance(text, str)}


def _read_text(
    path: Path, suffix: str, overrides: Mapping[str, str], value_kind: ValueKind | None
) -> DeltaFile:
    """A parquet, CSV or TSV; metadata of a text file stays text (``NA`` and ``697`` are names)."""
    known = {name for role, name in overrides.items() if role != VALUE_ROLE}
    if suffix == ".parquet":
        table = pq.read_table(path)
    else:
        table = read_delimited(path, lambda name: name.strip() in known or is_role_name(name))
    turned = untransposed(table)
    notes: dict[str, object] = {} if turned is None else {"transposed": True}
    table = table if turned is None else turned
    long = read_long(table, path, overrides, value_kind)
    if long is not None:
        var = pd.DataFrame(index=pd.Index(long.genes, dtype=object))
        return _of_genes(long.obs, long.deltas, var, {**notes, **long.notes}, path, {})
    check_not_transposed(table, path)
    wide = split_wide(table, path, known)
    notes["metadata_columns"] = list(wide.obs)
    if wide.empty:
        notes["empty_columns"] = wide.empty
    var = pd.DataFrame(index=pd.Index(wide.genes, dtype=object))
    return _of_genes(wide.obs, wide.deltas, var, notes, path, {})
