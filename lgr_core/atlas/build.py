"""Write an atlas folder: built aside, renamed into place.

``index.duckdb`` holds the tables (conditions, genes, drugs, cell_lines, controls, plates, meta);
beside it lie the matrices as plain ``.npy``: ``deltas`` (row = condition, sorted by cell line,
dose, drug; column = gene, the metric panel first), ``plate_deltas``, ``controls`` and the packed
``fingerprints`` of the drugs.
"""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from lgr_core.atlas.publish import built_aside
from lgr_core.atlas.table import DeltaTable
from lgr_core.domain import FloatArray
from lgr_core.errors import UsageError

SCHEMA_VERSION = 1
CHUNK = 2_000
"""Rows copied at a time: the table may be larger than memory."""

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
    simulated: bool = False,
    overwrite: bool = False,
) -> Path:
    """Write ``table`` as the atlas ``folder`` and return it.

    ``drugs`` (n_drugs rows, ``drug`` and ``parent`` at least) and ``cell_lines`` (``cell_line``)
    cover every name in ``table.conditions``; ``fingerprints`` is (n_drugs, n_bytes) uint8 beside
    ``drugs``. An atlas that is already there stays untouched until the new one is complete.

    Raises
    ------
    InputError
        If the atlas exists and ``overwrite`` is false.
    UsageError
        If the folder's name cannot name an atlas.
    """
    check_name(folder.name)
    with built_aside(folder, overwrite=overwrite) as aside:
        _write(table, aside, drugs, cell_lines, fingerprints, simulated=simulated)
    return folder


def _write(
    table: DeltaTable,
    folder: Path,
    drugs: pd.DataFrame,
    cell_lines: pd.DataFrame,
    fingerprints: np.ndarray,
    *,
    simulated: bool,
) -> None:
    rows = table.conditions.sort_values(["cell_line", "dose_um", "drug"], kind="stable").index
    order = table.conditions.index.get_indexer(rows)
    columns = np.argsort(~table.genes["in_panel"].to_numpy(bool), kind="stable")
    conditions = table.conditions.iloc[order].reset_index(drop=True)
    plates = _renumber(table.plates, order)
    _save(folder / "deltas.npy", table.deltas, order, columns)
    _save(folder / "plate_deltas.npy", table.plate_deltas, plates.index.to_numpy(), columns)
    every_control = np.arange(len(table.controls))
    _save(folder / "controls.npy", table.control_profiles, every_control, columns)
    np.save(folder / "fingerprints.npy", fingerprints)
    meta = {
        "schema_version": SCHEMA_VERSION,
        "value_kind": str(table.value_kind),
        "simulated": simulated,
        "built_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "build_id": uuid.uuid4().hex,
        "lgr_version": version("lgr-explorer"),
        "provenance": dict(table.provenance),
    }
    frames = {
        "conditions": conditions,
        "genes": table.genes.iloc[columns].reset_index(drop=True),
        "drugs": drugs,
        "cell_lines": cell_lines,
        "controls": table.controls.reset_index(drop=True),
        "plates": plates.reset_index(drop=True),
    }
    _write_index(folder / "index.duckdb", frames, meta)


def _renumber(plates: pd.DataFrame, order: np.ndarray) -> pd.DataFrame:
    """Plates with the conditions' new row numbers, in that order; the index keeps the old place."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    renumbered = plates.reset_index(drop=True)
    renumbered["condition"] = place[renumbered["condition"].to_numpy(np.int64)]
    return renumbered.sort_values("condition", kind="stable")


def _save(path: Path, source: FloatArray | None, rows: np.ndarray, columns: np.ndarray) -> None:
    """Copy ``source[rows][:, columns]`` to a float32 ``.npy``, a chunk of rows at a time."""
    if source is None:
        return
    shape = (len(rows), len(columns))
    if 0 in shape:
        np.save(path, np.empty(shape, dtype=np.float32))
        return
    out = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=shape)
    for start in range(0, len(rows), CHUNK):
        out[start : start + CHUNK] = source[rows[start : start + CHUNK]][:, columns]
    out.flush()


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
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _plain(value: object) -> object:
    """Numbers of NumPy, mappings and paths as JSON has them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
