"""How an atlas on disk is read: its DuckDB index and its matrices, both read-only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from lgr_core.atlas.build import SCHEMA_VERSION
from lgr_core.domain import FloatArray
from lgr_core.errors import InputError, SchemaError

_HARDENED = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "lock_configuration": "true",
}

_EAGER = ("conditions", "genes", "drugs", "cell_lines")
AGAIN = "Ingest the atlas again with --overwrite."


def read_matrix(path: Path) -> FloatArray:
    """A matrix as a read-only map; InputError if it is missing or damaged."""
    try:
        return np.asarray(np.load(path, mmap_mode="r"))
    except (OSError, ValueError) as err:
        raise InputError(f"{path.parent.name}/{path.name}", str(err), AGAIN) from err


def _connect(path: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=True, config=_HARDENED)
    except duckdb.Error as err:
        found = f"it cannot be opened ({str(err).splitlines()[0]})"
        raise InputError(f"index of atlas {path.parent.name!r}", found, AGAIN) from err


def read_index(folder: Path) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """The meta data and the tables that every reader needs, through one connection."""
    with _connect(folder / "index.duckdb") as connection:
        try:
            rows = connection.execute("SELECT key, value FROM meta").fetchall()
            meta = {key: json.loads(value) for key, value in rows}
            _check_schema(folder.name, meta.get("schema_version"))
            return meta, {name: connection.sql(f"FROM {name}").df() for name in _EAGER}
        except duckdb.Error as err:
            found = str(err).splitlines()[0]
            raise InputError(f"index of atlas {folder.name!r}", found, AGAIN) from err


def read_table(folder: Path, name: str) -> pd.DataFrame:
    """One more table of the index."""
    with _connect(folder / "index.duckdb") as connection:
        return connection.sql(f"FROM {name}").df()


def _check_schema(name: str, found: object) -> None:
    if found != SCHEMA_VERSION:
        said = f"it has schema {found}, this version reads {SCHEMA_VERSION}"
        do = f"Build it again: lgr ingest PATH --name {name} --overwrite (or lgr demo)."
        raise SchemaError(f"atlas {name!r}", said, do)
