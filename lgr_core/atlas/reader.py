"""Read an atlas folder: its DuckDB index and its memory-mapped matrices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from lgr_core.atlas.atomic_folder import INDEX, SCHEMA_VERSION
from lgr_core.atlas.npy_matrix import AGAIN, read_matrix
from lgr_core.errors import InputError, SchemaError

_HARDENED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}

_TABLES = ("conditions", "genes", "drugs", "cell_lines", "controls", "plates")

_HOLDER = re.compile(r"\S+ \(PID \d+\)")
"""How DuckDB names the program that holds a lock."""

_ALONE = Lock()
"""DuckDB hands a second reader of a path the file that the first opened: one reads at a time."""


@dataclass(frozen=True, slots=True)
class AtlasFiles:
    """The content of an atlas folder: metadata, tables and read-only maps of matrices, by name."""

    meta: Mapping[str, Any]
    tables: Mapping[str, pd.DataFrame]
    matrices: Mapping[str, np.ndarray]


def read_files(folder: Path) -> AtlasFiles:
    """Read the index and map every matrix that it lists.

    Raises
    ------
    InputError
        If a file is missing, damaged, or not the one that the index describes.
    SchemaError
        If the atlas was written by another schema version.
    """
    meta, tables = _read_index(folder)
    matrices = {
        name: read_matrix(folder / f"{name}.npy", expected)
        for name, expected in meta["matrices"].items()
    }
    return AtlasFiles(meta, tables, matrices)


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=_HARDENED)
    except duckdb.Error as err:
        message = str(err).splitlines()[0]
        asked = f"index of atlas {path.parent.name!r}"
        if isinstance(err, duckdb.IOException) and "lock" in message.casefold():
            holder = _HOLDER.search(message)
            by = f" ({holder[0]})" if holder else ""
            do = "Close that program and try again; the atlas itself is whole."
            raise InputError(asked, f"another program has it open for writing{by}", do) from err
        raise InputError(asked, f"it cannot be opened ({message})", AGAIN) from err


def _read_index(folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """The metadata and the tables, through one connection."""
    with _ALONE, _connect(folder / INDEX) as connection:
        try:
            rows = connection.execute("SELECT key, value FROM meta").fetchall()
            meta = {key: json.loads(value) for key, value in rows}
            _check_schema(folder.name, meta.get("schema_version"))
            return meta, {name: connection.sql(f"FROM {name}").df() for name in _TABLES}
        except duckdb.Error as err:
            found = str(err).splitlines()[0]
            raise InputError(f"index of atlas {folder.name!r}", found, AGAIN) from err


def _check_schema(name: str, found: object) -> None:
    if found != SCHEMA_VERSION:
        message = f"it has schema {found}, this version reads {SCHEMA_VERSION}"
        do = f"Build it again: lgr ingest PATH --name {name} --overwrite (or lgr demo)."
        raise SchemaError(f"atlas {name!r}", message, do)
