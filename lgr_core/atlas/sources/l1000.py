"""LINCS L1000, level 5: a gctx matrix of z-scores, with tables of signatures, genes, compounds.

Both releases are read: GEO's (``sig_info``, ``pert_iname``, ``cell_id``) and CMap 2020's
(``siginfo``, ``cmap_name``, ``cell_iname``). Missing is written as -666.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from lgr_core.atlas.sources.delta_files import DeltaFile
from lgr_core.atlas.sources.doses import UNITS, parse_dose
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.gct import detect_gct
from lgr_core.atlas.sources.gene_names import name_genes
from lgr_core.atlas.sources.hdf5 import open_hdf5
from lgr_core.domain import FloatArray, IntArray, ValueKind
from lgr_core.drugs.cell_lines import line_key
from lgr_core.errors import InputError

MISSING = -666
_TREATED = "trt_cp"
_ROWS_AT_ONCE = 1_000
_MOST_BYTES = 6_000_000_000
_TABLES = {
    "signatures": re.compile(r"sig_?info", re.IGNORECASE),
    "genes": re.compile(r"gene_?info", re.IGNORECASE),
    "compounds": re.compile(r"(pert|compound)_?info", re.IGNORECASE),
}
_NAMES = {
    "drug": ("pert_iname", "cmap_name"),
    "cell_line": ("cell_id", "cell_iname"),
    "gene_id": ("pr_gene_id", "gene_id"),
    "symbol": ("pr_gene_symbol", "gene_symbol"),
}
"""What is meant -> what the two releases call it."""


def detect_l1000(path: Path) -> Form | None:
    """The form, if ``path`` is a gctx file, or a folder that holds one.

    Without a table of signatures beside it, the file's own metadata are read.

    Raises
    ------
    InputError
        The gctx is still packed, or there are several.
    """
    found = sorted(path.glob("*.gctx*")) if path.is_dir() else [path]
    found = [file for file in found if ".gctx" in file.name.casefold() and file.is_file()]
    if not found:
        return None
    if len(found) > 1:
        said = ", ".join(file.name for file in found)
        raise InputError(f"folder {path}", f"it holds several: {said}", "Name one of them.")
    if found[0].suffix.casefold() != ".gctx":
        raise InputError(f"file {found[0]}", "it is packed", f"Unpack it: gunzip {found[0]}")
    if not _has_tables(found[0]):
        return detect_gct(found[0])
    return Form(
        "LINCS L1000 level 5",
        (found[0],),
        ValueKind.ZSCORE,
        columns={"drug": "drug", "cell_line": "cell_line", "dose": "dose_um", "time": "time"},
        read=partial(read_l1000, found[0]),
        notes={"normalisation": "moderated z-scores, as published; measured genes alone"},
    )


def _has_tables(path: Path) -> bool:
    """Whether a table of signatures, which are level 5, lies beside a gctx, or it has no own."""
    if any(_TABLES["signatures"].search(file.name) for file in path.parent.glob("*.txt*")):
        return True
    with suppress(InputError), open_hdf5(path, "gctx") as file:
        return set(file["0/META/COL"]) <= {"id"}
    return True


def read_l1000(path: Path, lines: Sequence[str] = ()) -> DeltaFile:
    """Read the signatures of compounds over the measured (landmark) genes.

    Vehicles and other treatments, signatures with a missing value, and inferred genes are left out
    and counted. The nominal dose is taken where it is written, else the measured one.

    Raises
    ------
    InputError
        A table is missing or lacks a column, the gctx cannot be read, or it does not fit the
        tables or the memory.
    """
    tables = {name: _read_table(path, name) for name in ("signatures", "genes")}
    with open_hdf5(path, "gctx") as file:
        ids = {axis: _texts(file[f"0/META/{axis}/id"]) for axis in ("ROW", "COL")}
        matrix = file["0/DATA/0/matrix"]
        if matrix.shape != (len(ids["COL"]), len(ids["ROW"])):
            found = f"its matrix is {matrix.shape}, its ids say "
            found += f"{(len(ids['COL']), len(ids['ROW']))} (signatures, genes)"
            raise InputError(f"file {path}", found, "Fetch it again.")
        genes = _genes(tables["genes"], ids["ROW"], path)
        obs, left_out = _signatures(tables["signatures"], ids["COL"], lines, path)
        values = _select(matrix, obs["row"].to_numpy(), genes["column"].to_numpy())
    whole = (np.isfinite(values) & (values != MISSING)).all(axis=1)
    notes = {
        "signatures_left_out": left_out | {"with a missing value": int((~whole).sum())},
        "inferred_genes_left_out": len(ids["ROW"]) - len(genes),
    }
    obs = obs[whole].drop(columns="row").reset_index(drop=True)
    named = name_genes(pd.DataFrame({"gene_symbol": genes["symbol"]}))
    return DeltaFile(obs, values[whole], named, None, notes, drugs=_compounds(path))


def _read_table(path: Path, name: str) -> pd.DataFrame:
    """A table beside the gctx, every cell as text, -666 as nothing."""
    beside = sorted(path.parent.glob("*.txt*"))
    found = [file for file in beside if _TABLES[name].search(file.name)]
    if len(found) != 1:
        what = ", ".join(file.name for file in found) if found else "there is none"
        do = (
            f"Put the release's table beside {path.name}, e.g. siginfo_beta.txt, geneinfo_beta.txt."
        )
        raise InputError(f"table of {name} of {path}", what, do)
    try:
        table = pd.read_csv(found[0], sep="\t", dtype=str, keep_default_na=False, quoting=3)
    except (OSError, EOFError, ValueError) as err:
        raise InputError(f"table {found[0]}", str(err), "Fetch it again.") from err
    return table.replace(to_replace=rf"\A{MISSING}(\.0+)?\Z", value="", regex=True)


def _column(table: pd.DataFrame, meaning: str, path: Path) -> pd.Series:
    names = _NAMES.get(meaning, (meaning,))
    name = next((name for name in names if name in table), None)
    if name is None:
        found = f"no column {' or '.join(names)}; columns found: {', '.join(table.columns)}"
        raise InputError(f"table beside {path}", found, "Give the table of the same release.")
    return table[name].str.strip()


def _texts(dataset: h5py.Dataset) -> list[str]:
    return [(t.decode() if isinstance(t, bytes) else str(t)).strip() for t in dataset[:]]


def _genes(table: pd.DataFrame, ids: list[str], path: Path) -> pd.DataFrame:
    """``symbol`` and ``column`` of the measured genes; all, where the table marks none."""
    genes = pd.DataFrame({"symbol": _column(table, "symbol", path).to_numpy()})
    genes.index = pd.Index(_column(table, "gene_id", path))
    if "pr_is_lm" in table:
        genes["measured"] = (table["pr_is_lm"] == "1").to_numpy()
    elif "feature_space" in table:
        genes["measured"] = (table["feature_space"] == "landmark").to_numpy()
    else:
        genes["measured"] = True
    genes = genes[~genes.index.duplicated()].reindex(ids)
    genes["column"] = np.arange(len(ids))
    unknown = int(genes["symbol"].isna().sum())
    if unknown:
        found = f"{unknown:,} of {len(ids):,} genes are not in the table of genes"
        raise InputError(f"file {path}", found, "Give the table of the same release.")
    return genes[genes["measured"].astype(bool)]


def _signatures(
    table: pd.DataFrame, ids: list[str], lines: Sequence[str], path: Path
) -> tuple[pd.DataFrame, dict[str, int]]:
    """One row a signature of a compound, with its ``row`` in the matrix; how many others are not.

    ``lines`` only spares what need not be read: who is asked for is settled later.
    """
    table = table.assign(
        cell_line=_column(table, "cell_line", path), drug=_column(table, "drug", path)
    )
    for name in ("sig_id", "pert_type"):
        _column(table, name, path)
    table = table.drop_duplicates("sig_id").set_index("sig_id").reindex(ids)
    table["row"] = np.arange(len(ids))
    kinds = table["pert_type"].fillna("in no table")
    left_out = {str(kind): int(n) for kind, n in kinds[kinds != _TREATED].value_counts().items()}
    table = table[kinds == _TREATED]
    asked = {line_key(line) for line in lines}
    if asked & set(table["cell_line"].map(line_key)) == asked and asked:
        table = table[table["cell_line"].map(line_key).isin(asked)]
    if table.empty:
        found = f"no signature is a compound's ({_TREATED}): {left_out or 'there is none'}"
        raise InputError(f"file {path}", found, "Give the table of the same release.")
    obs = table[["row", "cell_line", "drug"]].assign(
        dose_um=[_dose(row) for row in table.to_dict("records")],
        time=[_time(row) for row in table.to_dict("records")],
    )
    if "distil_id" in table:
        obs["n_replicates"] = [len(text.split("|")) if text else -1 for text in table["distil_id"]]
    return obs.reset_index(drop=True), left_out


def _dose(row: dict[str, str]) -> float:
    """The nominal dose in micromolar, else the measured one; NaN where neither can be read."""
    unit = row.get("pert_dose_unit", "").strip()
    pairs = (row.get("pert_idose", ""), ""), (row.get("pert_dose", ""), unit)
    for text, its_unit in pairs:
        said = f"{text.split('|')[0].strip()} {its_unit}".strip()
        found = re.fullmatch(r"([\d.eE+-]+)\s*(\S+)", said)
        if found is not None and found[2].casefold() in {name.casefold() for name in UNITS}:
            return parse_dose(said, None)
    return np.nan


def _time(row: dict[str, str]) -> str:
    """The time in hours, as a number in text."""
    text = row.get("pert_time", "") or row.get("pert_itime", "")
    return re.sub(r"\s*h\Z", "", text.strip())


def _select(matrix: h5py.Dataset, rows: IntArray, columns: IntArray) -> FloatArray:
    """``matrix[rows][:, columns]``, float32, a run of rows at a time."""
    needed = len(rows) * len(columns) * 4
    if needed > _MOST_BYTES:
        found = f"{len(rows):,} signatures take {needed / 1e9:.1f} GB"
        raise InputError("memory", found, "Name some cell lines with --lines.")
    out = np.empty((len(rows), len(columns)), dtype=np.float32)
    for start in range(0, matrix.shape[0], _ROWS_AT_ONCE):
        first, last = np.searchsorted(rows, [start, start + _ROWS_AT_ONCE])
        if first < last:
            block = matrix[start : start + _ROWS_AT_ONCE]
            out[first:last] = block[rows[first:last] - start][:, columns]
    return out


def _compounds(path: Path) -> pd.DataFrame:
    """Structures of compounds, where their table lies beside the gctx."""
    if not any(_TABLES["compounds"].search(file.name) for file in path.parent.glob("*.txt*")):
        return pd.DataFrame(columns=["drug"])
    table = _read_table(path, "compounds")
    return table.assign(drug=_column(table, "drug", path))
