"""GCT 1.3 and GCTX with their own metadata: a row a gene, a column a signature.

Both hold tables of rows and columns beside the values. What the values are, neither says: the
level of an L1000 file is taken from its name, and without one the caller says the kind.
"""

from __future__ import annotations

import gzip
import io
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

import h5py
import numpy as np
import pandas as pd

from lgr_core.atlas.sources.column_names import is_role_name
from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.hdf5 import open_hdf5, reading
from lgr_core.domain import FloatArray, ValueKind
from lgr_core.errors import InputError

_MISSING = re.compile(r"-666(\.0+)?|na|nan|", re.IGNORECASE)
_TREATED = "trt_cp"
_LEVEL = re.compile(r"level[_ -]?(\d)", re.IGNORECASE)
_LEVEL_WORDS = {"zspc": 4, "q2norm": 3, "modz": 5, "compz": 5}
_CHANGES = 4
"""The L1000 level from which on values are changes: 4 a well, 5 a signature."""

_MOST_BYTES = 6_000_000_000

_PREFERRED = {
    "cell_line": ("cell_iname", "cell_id"),
    "drug": ("cmap_name", "pert_iname"),
    "dose": ("pert_idose",),
    "time": ("pert_itime", "pert_time"),
}
"""L1000's names for roles, where they differ from the usual ones or say more."""

_NAMED = frozenset(name for names in _PREFERRED.values() for name in names)

_SYMBOLS = ("pr_gene_symbol", "gene_symbol", "symbol", "description", "name")


class _Contents(NamedTuple):
    """Tables of genes and samples, indexed by their ids, and values (n_samples, n_genes)."""

    genes: pd.DataFrame
    samples: pd.DataFrame
    values: FloatArray


def level_of(path: Path) -> int | None:
    """The level of L1000 that a file's name tells."""
    found = _LEVEL.search(path.name)
    if found is not None:
        return int(found[1])
    name = path.name.casefold()
    return next((level for word, level in _LEVEL_WORDS.items() if word in name), None)


def is_gct(path: Path) -> bool:
    """Whether a file is called a GCT."""
    return path.is_file() and path.name.casefold().endswith((".gct", ".gct.gz"))


def detect_gct(path: Path) -> Form | None:
    """The form of a GCT, or of a GCTX with metadata of its own; None for any other file.

    Raises
    ------
    InputError
        It cannot be read, or its name says that it holds expression.
    """
    if is_gct(path):
        columns = set(_read_header(path).samples.columns)
    elif path.suffix.casefold() == ".gctx" and path.is_file():
        with open_hdf5(path, "gctx") as file:
            columns = set(file["0/META/COL"])
    else:
        return None
    level = level_of(path)
    if level is not None and level < _CHANGES:
        found = f"its name says level {level}, which is expression and no change"
        raise InputError(f"file {path}", found, "Give level 5 (or 4) of the same data.")
    kind = path.name.casefold().removesuffix(".gz").rsplit(".", 1)[-1].upper()
    return Form(
        kind if level is None else f"LINCS L1000 level {level}",
        (path,),
        None if level is None else ValueKind.ZSCORE,
        columns=_roles(columns),
        read=partial(read_gct, path),
        any_kind=level is None,
        notes={} if level is None else {"normalisation": "z-scores, as published"},
    )


def read_gct(path: Path, _: object = ()) -> DeltaFile:
    """Read all signatures of treatments; which column plays which role is the caller's to say.

    Where a column ``pert_type`` stands, signatures that are no compounds' are left out and
    counted; so are those with a missing value, and genes that are inferred.

    Raises
    ------
    InputError
        It cannot be read, has no metadata of its columns, or holds no signature of a compound.
    """
    genes, samples, values = _read_gct(path) if is_gct(path) else _read_gctx(path)
    if samples.shape[1] == 0:
        do = "Write it as GCT 1.3 with columns of cell lines and drugs, or as h5ad."
        raise InputError(f"file {path}", "it has no metadata of its columns", do)
    kinds = samples.get("pert_type", pd.Series(_TREATED, index=samples.index))
    treated = (kinds == _TREATED).to_numpy()
    left_out = {str(kind): int(n) for kind, n in kinds[~treated].value_counts().items()}
    measured = _measured(genes)
    values = np.where(values == -666, np.nan, values)[:, measured]  # noqa: PLR2004 - L1000's sign for missing
    whole = np.isfinite(values).all(axis=1)
    left_out["with a missing value"] = int((treated & ~whole).sum())
    keep = treated & whole
    if not keep.any():
        found = f"no signature is left ({left_out})"
        raise InputError(f"file {path}", found, f"Give signatures of compounds ({_TREATED}).")
    notes = {
        "signatures_left_out": left_out,
        "inferred_genes_left_out": int((~measured).sum()),
    }
    symbols = next((name for name in _SYMBOLS if name in genes), None)
    named = (
        genes.index if symbols is None else genes[symbols].where(genes[symbols] != "", genes.index)
    )
    var = pd.DataFrame(index=pd.Index(np.asarray(named, dtype=object)[measured]))
    obs = samples[keep].reset_index(drop=True).apply(_as_numbers)
    return DeltaFile(obs, values[keep].astype(np.float32), name_genes(var), None, notes)


def _as_numbers(values: pd.Series) -> pd.Series:
    """Numbers where all are and the column is not called like a role: ``697`` is a cell line."""
    if is_role_name(str(values.name)) or values.name in _NAMED:
        return values
    numbers = pd.to_numeric(values.replace("", None), errors="coerce")
    return numbers.astype(float) if (numbers.notna() | (values == "")).all() else values


def _roles(columns: set[str]) -> Mapping[str, str]:
    found = {
        role: name
        for role, names in _PREFERRED.items()
        if (name := next((name for name in names if name in columns), None))
    }
    return {**found, "dose_unit": ""} if "dose" in found else found


def _measured(genes: pd.DataFrame) -> np.ndarray:
    """Which genes (n_genes,) are measured; all, where the table marks none."""
    for name, sign in (("pr_is_lm", "1"), ("feature_space", "landmark")):
        if name in genes and (genes[name] == sign).any():
            return (genes[name] == sign).to_numpy()
    return np.ones(len(genes), dtype=bool)


def _read_gctx(path: Path) -> _Contents:
    with open_hdf5(path, "gctx") as file:
        genes, samples = (_metadata(file[f"0/META/{axis}"]) for axis in ("ROW", "COL"))
        matrix = file["0/DATA/0/matrix"]
        if matrix.size * 4 > _MOST_BYTES:
            found = f"its {matrix.size:,} values take {matrix.size * 4 / 1e9:.1f} GB"
            do = "Put the release's tables beside it, then name some cell lines with --lines."
            raise InputError(f"file {path}", found, do)
        values = np.asarray(matrix[:], dtype=np.float32)
    _check_shape(path, values, samples, genes)
    return _Contents(genes, samples, values)


def _metadata(group: h5py.Group) -> pd.DataFrame:
    """The columns of an axis as text, indexed by ``id``, missing as nothing."""
    columns = {name: _texts(item[:]) for name, item in group.items()}
    frame = pd.DataFrame(columns, dtype=object)
    return frame.set_index("id")


def _texts(values: np.ndarray) -> list[str]:
    texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]
    return ["" if _MISSING.fullmatch(text.strip()) else text.strip() for text in texts]


def _read_header(path: Path) -> _Contents:
    """A GCT's samples and their metadata, without genes and values."""
    with reading(path, "gct"):
        version, sizes = _first_lines(path)
        if version == "#1.2":
            return _Contents(pd.DataFrame(), pd.DataFrame(), np.empty((0, 0), dtype=np.float32))
        top = _read_lines(path, nrows=sizes[3])
        labels = top.columns[1 + sizes[2] :]
        samples = pd.DataFrame(
            {
                str(row.iloc[0]): _texts(row.iloc[1 + sizes[2] :].to_numpy())
                for _, row in top.iterrows()
            },
            index=labels,
            dtype=object,
        )
        return _Contents(pd.DataFrame(), samples, np.empty((0, 0), dtype=np.float32))


def _read_gct(path: Path) -> _Contents:
    samples = _read_header(path).samples
    with reading(path, "gct"):
        _, sizes = _first_lines(path)
        rows = _read_lines(path, skip=sizes[3])
        described = rows.iloc[:, 1 : 1 + sizes[2]].apply(lambda texts: _texts(texts.to_numpy()))
        genes = described.set_axis(pd.Index(rows.iloc[:, 0]), axis=0)
        numbers = rows.iloc[:, 1 + sizes[2] :].apply(pd.to_numeric, errors="coerce")
        values = numbers.to_numpy(dtype=np.float32).T
    if (len(genes), len(samples)) != (sizes[0], sizes[1]) and len(samples.columns):
        found = f"it holds {len(genes)} rows and {len(samples)} columns, and says {sizes[:2]}"
        raise InputError(f"file {path}", found, "It is cut off or damaged: fetch it again.")
    return _Contents(genes, samples, values)


def _first_lines(path: Path) -> tuple[str, tuple[int, int, int, int]]:
    """The version, and numbers of rows, columns, columns of row metadata and rows of column's."""
    with _open_text(path) as file:
        version = file.readline().strip()
        counts = [int(count) for count in file.readline().split()]
    if version not in {"#1.2", "#1.3"}:
        found = f"it begins with {version[:20]!r}, not with #1.3"
        raise InputError(f"file {path}", found, "Write it as GCT 1.3.")
    rows, columns, row_facts, column_facts = [*counts, 1, 0] if version == "#1.2" else counts
    return version, (rows, columns, row_facts, column_facts)


def _read_lines(path: Path, *, nrows: int | None = None, skip: int = 0) -> pd.DataFrame:
    """Lines below the header, every cell as text."""
    with _open_text(path) as file:
        return pd.read_csv(
            file,
            sep="\t",
            skiprows=[0, 1, *range(3, 3 + skip)],
            nrows=nrows,
            dtype=str,
            keep_default_na=False,
            quoting=3,
        )


def _open_text(path: Path) -> TextIO:
    packed = path.suffix.casefold() == ".gz"
    if packed:
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _check_shape(
    path: Path, values: FloatArray, samples: pd.DataFrame, genes: pd.DataFrame
) -> None:
    if values.shape != (len(samples), len(genes)):
        found = f"its matrix is {values.shape}, its ids say {(len(samples), len(genes))} "
        found += "(signatures, genes)"
        raise InputError(f"file {path}", found, "Fetch it again.")
