"""Containers of other programs, and how each becomes one that is read."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.errors import InputError

_ENDINGS = (
    (".h5ad.gz", "it is packed with gzip", "Unpack it: gunzip -k {path}"),
    (".parquet.gz", "it is packed with gzip", "Unpack it: gunzip -k {path}"),
    (".gctx.gz", "it is packed with gzip", "Unpack it: gunzip -k {path}"),
    (".zarr.zip", "it is a packed zarr store", "Unpack it, then convert it as zarr."),
    (
        ".h5mu",
        "it is a MuData file of several assays",
        "Write its RNA once: mudata.read_h5mu(FILE)['rna'].write_h5ad(NEW).",
    ),
    (
        ".loom",
        "it is a loom file",
        "Convert it once: anndata.io.read_loom(FILE).write_h5ad(NEW).",
    ),
    (".rds", "it is an R object", "Write it from R: anndataR::write_h5ad(readRDS(FILE), NEW)."),
    (".h5seurat", "it is a Seurat file", "Convert it from R: SeuratDisk::Convert(FILE, 'h5ad')."),
    (".xlsx", "it is a spreadsheet", "Save the sheet as CSV (UTF-8), columns of genes as text."),
    (".xls", "it is a spreadsheet", "Save the sheet as CSV (UTF-8), columns of genes as text."),
    (".txt", "its format is unknown", "Rename it: .tsv if tabs separate its columns, else .csv."),
    (".txt.gz", "its format is unknown", "Rename it: .tsv.gz if tabs separate its columns."),
    (".zip", "it is an archive", "Unpack it and give the file or folder inside."),
    (".tar", "it is an archive", "Unpack it and give the file or folder inside."),
    (".tar.gz", "it is an archive", "Unpack it and give the file or folder inside."),
    (".tgz", "it is an archive", "Unpack it and give the file or folder inside."),
    (".bz2", "it is packed with bzip2", "Unpack it: bunzip2 -k {path}"),
    (".xz", "it is packed with xz", "Unpack it: unxz -k {path}"),
)
"""How a name ends, what the file is, and what to do."""

_ZARR = ("zarr.json", ".zgroup", ".zattrs")
_TEN_X = (
    "Add what it lacks once: a = scanpy.read_10x_h5(FILE); a.obs['cell_line'] = ...; "
    "a.obs['drug'] = ...; a.write_h5ad(NEW)."
)
_MATRIX = _TEN_X.replace("read_10x_h5(FILE)", "read_10x_mtx(FOLDER)")


def check_container(path: Path) -> None:
    """Refuse a file or folder that is no table of conditions, with the way to one.

    Raises
    ------
    InputError
        It is packed, or of another program whose files are known here.
    """
    known = _of_folder(path) if path.is_dir() else _of_file(path)
    if known is not None:
        found, do = known
        raise InputError(f"{'folder' if path.is_dir() else 'file'} {path}", found, do)


def _of_folder(path: Path) -> tuple[str, str] | None:
    if path.name.casefold().endswith(".zarr") or any((path / name).is_file() for name in _ZARR):
        do = "Convert it once: anndata.io.read_zarr(FILE).write_h5ad(NEW)."
        return "it is a zarr store", do
    if any(path.glob("matrix.mtx*")):
        return "it is a 10x matrix, whose cells have no lines and drugs", _MATRIX
    return None


def _of_file(path: Path) -> tuple[str, str] | None:
    name = path.name.casefold()
    if name.endswith((".h5", ".hdf5")):
        return _of_hdf5(path)
    for ending, found, do in _ENDINGS:
        if name.endswith(ending):
            return found, do.format(path=path)
    if ".mtx" in path.suffixes[-2:]:
        return "it is a matrix alone, whose cells have no lines and drugs", _MATRIX
    return None


def _of_hdf5(path: Path) -> tuple[str, str] | None:
    """What an HDF5 file of a general name holds."""
    with suppress(InputError), open_hdf5(path) as file:
        if "matrix" in file and "barcodes" in file["matrix"]:
            return "it is a 10x matrix, whose cells have no lines and drugs", _TEN_X
        if "obs" in file and "var" in file:
            return "it is an h5ad under another name", f"Rename it: {path.stem}.h5ad"
    return None
