"""Write an atlas folder atomically: matrices as ``.npy``, tables in a DuckDB index.

``index.duckdb`` holds the tables (conditions, genes, drugs, cell_lines, controls, plates, meta);
beside it lie the matrices as plain ``.npy``: ``deltas`` (row = condition, sorted by cell line,
dose, drug; column = gene, the metric panel first), ``plate_deltas``, ``controls``, ``profiles`` (a
row a line, of a table of untreated expression) and the packed ``fingerprints`` of the drugs. The
index says which of them there are, and how large.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from lgr_core.atlas.atomic_folder import (
    DELTAS,
    INDEX,
    PANEL,
    PROFILES,
    SCHEMA_VERSION,
    atomic_folder,
    check_space,
)
from lgr_core.atlas.control_profiles import ControlProfiles
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.npy_matrix import NpyMatrix, read_matrix, write_matrix
from lgr_core.errors import InputError, UsageError
from lgr_core.files import flush_to_disk

INDEX_OVERHEAD = 4_000_000
"""Bytes that DuckDB may need beyond the tables themselves: it writes whole blocks."""

WIDE = 4
"""All genes to those of the panel, from which on the panel is stored by itself too."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_name(name: str) -> str:
    """Return ``name`` if it can name an atlas folder, else raise UsageError."""
    if not _NAME.fullmatch(name):
        found = "it is not 1 to 64 letters, digits, '.', '_' or '-'"
        raise UsageError(f"atlas name {name!r}", found, "Choose a plain name, e.g. tahoe_rank.")
    return name


def build_atlas(
    table: DeltaTable,
    folder: Path,
    *,
    drugs: pd.DataFrame,
    cell_lines: pd.DataFrame,
    fingerprints: np.ndarray,
    profiles: ControlProfiles | None = None,
    simulated: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write ``table`` as the atlas ``folder`` and return it.

    ``drugs`` (n_drugs rows, ``drug`` and ``parent`` at least) and ``cell_lines`` (``cell_line``)
    cover every name in ``table.conditions``; ``fingerprints`` is (n_drugs, n_bytes) uint8 beside
    ``drugs``. ``profiles`` are of a table of untreated expression. An atlas that is already
    there stays untouched until the new one is complete.

    Raises
    ------
    InputError
        If the atlas exists and ``overwrite`` is false, something else has its place, something
        else lies in its folder, or the disk cannot hold it.
    UsageError
        If the folder's name cannot name an atlas.
    """
    check_name(folder.name)
    with atomic_folder(folder, overwrite=overwrite) as aside:
        try:
            _write(table, aside, drugs, cell_lines, fingerprints, profiles, simulated=simulated)
        except (OSError, duckdb.Error) as err:
            raise _unwritable(folder, err) from err
    return folder


def with_profiles(folder: Path, profiles: ControlProfiles) -> None:
    """Build the atlas ``folder`` anew with these control profiles, and all else as it was.

    Matrices are linked where the file system can, else copied. It is another build: what was
    calibrated on the one before is not believed any more.

    Raises
    ------
    InputError
        If something else lies in the folder, or the disk cannot hold it.
    """
    with atomic_folder(folder, overwrite=True) as aside:
        try:
            for file in sorted(folder.glob("*.npy")):
                if file.stem != PROFILES:
                    _link(file, aside / file.name)
            shutil.copyfile(folder / INDEX, aside / INDEX)
            _update_meta(aside / INDEX, profiles, _write_profiles(aside, profiles))
        except (OSError, duckdb.Error) as err:
            raise _unwritable(folder, err) from err


def _unwritable(folder: Path, err: Exception) -> InputError:
    found = f"it cannot be written ({' '.join(str(err).split())})"
    do = f"Make room in {folder.parent} or see to its rights; nothing there was changed."
    return InputError(f"atlas {folder.name!r}", found, do)


def _link(file: Path, target: Path) -> None:
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, target)


def _write_profiles(folder: Path, profiles: ControlProfiles) -> dict[str, Any]:
    rows, columns = map(np.arange, profiles.expression.shape)
    return write_matrix(folder / f"{PROFILES}.npy", NpyMatrix(profiles.expression, rows, columns))


def _update_meta(path: Path, profiles: ControlProfiles, written: Mapping[str, Any]) -> None:
    """Say in a copied index which profiles there are now, under a build id of its own."""
    with duckdb.connect(str(path)) as connection:
        stored = dict(connection.execute("SELECT key, value FROM meta").fetchall())
        before = json.loads(stored["build_id"])
        now = {
            "matrices": {**json.loads(stored["matrices"]), PROFILES: written},
            PROFILES: profiles.to_dict(),
            "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "build_id": hashlib.blake2b(
                f"{before}:{_file_digest(path.with_name(f'{PROFILES}.npy'))}".encode(),
                digest_size=16,
            ).hexdigest(),
        }
        for key, value in now.items():
            connection.execute("DELETE FROM meta WHERE key = ?", [key])
            text = json.dumps(value, default=_plain)
            connection.execute("INSERT INTO meta VALUES (?, ?)", [key, text])
    flush_to_disk(path)


def _write(
    table: DeltaTable,
    folder: Path,
    drugs: pd.DataFrame,
    cell_lines: pd.DataFrame,
    fingerprints: np.ndarray,
    profiles: ControlProfiles | None,
    *,
    simulated: bool,
) -> None:
    rows = table.conditions.sort_values(["cell_line", "dose_um", "drug"], kind="stable").index
    order = table.conditions.index.get_indexer(rows)
    columns = np.argsort(~table.genes["in_panel"].to_numpy(bool), kind="stable")
    plates = _renumber(table.plates, order)
    frames = {
        "conditions": table.conditions.iloc[order].reset_index(drop=True),
        "genes": table.genes.iloc[columns].reset_index(drop=True),
        "drugs": drugs,
        "cell_lines": cell_lines,
        "controls": table.controls.reset_index(drop=True),
        "plates": plates.reset_index(drop=True),
    }
    matrices = _matrices(table, order, plates.index.to_numpy(), columns, fingerprints)
    n_panel = int(table.genes["in_panel"].sum())
    size = INDEX_OVERHEAD + sum(matrix.nbytes for matrix in matrices.values())
    if _is_wide(n_panel, len(columns)):
        size += matrices[DELTAS].nbytes * n_panel // len(columns)
    check_space(folder.parent, size + sum(f.memory_usage(deep=True).sum() for f in frames.values()))
    written = _write_matrices(folder, matrices, n_panel)
    if profiles is not None:
        written[PROFILES] = _write_profiles(folder, profiles)
    meta: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "value_kind": str(table.value_kind),
        "simulated": simulated,
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "lgr_version": version("lgr-explorer"),
        "provenance": dict(table.provenance),
        "matrices": written,
    }
    if profiles is not None:
        meta[PROFILES] = profiles.to_dict()
    meta["build_id"] = _build_id(folder, frames, meta)
    _write_index(folder / INDEX, frames, meta)


def _build_id(folder: Path, frames: Mapping[str, pd.DataFrame], meta: Mapping[str, Any]) -> str:
    """A digest of what an atlas holds: builds of the same content have the same, wherever made."""
    found = hashlib.blake2b(digest_size=16)
    for name in ("schema_version", "value_kind", "simulated"):
        found.update(f"{name}={meta[name]};".encode())
    for name, frame in sorted(frames.items()):
        found.update(f"{name}:{frame.to_csv(index=False)}".encode())
    for name in sorted(meta["matrices"]):
        found.update(f"{name}:{_file_digest(folder / f'{name}.npy')}".encode())
    return found.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _write_matrices(
    folder: Path, matrices: Mapping[str, NpyMatrix], n_panel: int
) -> dict[str, dict[str, Any]]:
    """Write the matrices and, where the panel is a small part of all genes, the panel once more.

    Its rows then lie close together, and so do the changes of one gene.
    """
    written = {
        name: write_matrix(folder / f"{name}.npy", matrix) for name, matrix in matrices.items()
    }
    n_rows, n_genes = matrices[DELTAS].shape
    if _is_wide(n_panel, n_genes):
        whole = read_matrix(folder / f"{DELTAS}.npy", written[DELTAS])
        panel = NpyMatrix(whole[:, :n_panel], np.arange(n_rows), np.arange(n_panel))
        written[PANEL] = write_matrix(folder / f"{PANEL}.npy", panel)
    return written


def _is_wide(n_panel: int, n_genes: int) -> bool:
    return n_panel * WIDE <= n_genes


def _matrices(
    table: DeltaTable,
    order: np.ndarray,
    plates: np.ndarray,
    columns: np.ndarray,
    fingerprints: np.ndarray,
) -> dict[str, NpyMatrix]:
    """The matrices to store, by name, with rows and columns in their new order."""
    found = {DELTAS: NpyMatrix(table.deltas, order, columns)}
    if table.plate_deltas is not None:
        found["plate_deltas"] = NpyMatrix(table.plate_deltas, plates, columns)
    if table.control_profiles is not None:
        every = np.arange(len(table.controls))
        found["controls"] = NpyMatrix(table.control_profiles, every, columns)
    every, bits = map(np.arange, fingerprints.shape)
    return found | {"fingerprints": NpyMatrix(fingerprints, every, bits, np.uint8)}


def _renumber(plates: pd.DataFrame, order: np.ndarray) -> pd.DataFrame:
    """Plates with the conditions' new row numbers, in that order; the index is the old position."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    renumbered = plates.reset_index(drop=True)
    renumbered["condition"] = place[renumbered["condition"].to_numpy(np.int64)]
    return renumbered.sort_values("condition", kind="stable")


def _write_index(path: Path, frames: Mapping[str, pd.DataFrame], meta: Mapping[str, Any]) -> None:
    connection = duckdb.connect()
    try:
        target = str(path).replace("'", "''")
        # Storage of the 1.5 line: an installation with either DuckDB reads what the other wrote.
        connection.execute(f"ATTACH '{target}' AS atlas (STORAGE_VERSION 'v1.5.0')")
        for name, frame in frames.items():
            connection.register("incoming", frame)
            connection.execute(f"CREATE TABLE atlas.{name} AS SELECT * FROM incoming")
            connection.unregister("incoming")
        connection.execute("CREATE TABLE atlas.meta (key VARCHAR, value JSON)")
        rows = [(key, json.dumps(value, default=_plain)) for key, value in meta.items()]
        connection.executemany("INSERT INTO atlas.meta VALUES (?, ?)", rows)
        connection.execute("DETACH atlas")
    finally:
        connection.close()
    flush_to_disk(path)


def _plain(value: object) -> object:
    """NumPy numbers, mappings, sets and paths as JSON types."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
