"""Atlases and benchmark runs by name, from the home of this installation."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from lgr_core.api.notebook_atlas import Atlas
from lgr_core.atlas.store import atlas_names
from lgr_core.config import Settings
from lgr_core.errors import LgrError
from lgr_core.evaluation import run_catalog
from lgr_core.evaluation.run_store import Run

_COLUMNS = ("name", "simulated", "n_conditions", "n_genes", "n_cell_lines", "n_drugs", "value_kind")


def open_atlas(name: str, home: Path | str | None = None) -> Atlas:
    """Open a built atlas by name, from ``home`` or else from ``LGR_HOME``.

    Raises
    ------
    NotFoundError
        If there is no such atlas; the nearest names are offered.
    """
    return Atlas.open(name, _settings(home).atlases)


def atlases(home: Path | str | None = None) -> pd.DataFrame:
    """The atlases that are built, one row each: its size, its kind, and whether it is simulated.

    One that cannot be opened has a row, too: ``problem`` says why, else it is empty.
    """
    folder = _settings(home).atlases
    rows = [_row(name, folder) for name in atlas_names(folder)]
    return pd.DataFrame(rows, columns=[*_COLUMNS, "problem"])


def open_run(name: str, home: Path | str | None = None) -> Run:
    """Open a benchmark run by name: one of ``home``, or a shipped one, which needs no atlas.

    >>> summary = open_run("tahoe").summary

    Raises
    ------
    NotFoundError
        If there is no such run; the nearest names are offered.
    InputError
        If it is not finished, or cannot be read.
    """
    return run_catalog.open_run(name, _settings(home))


def _row(name: str, folder: Path) -> dict[str, object]:
    try:
        info = Atlas.open(name, folder).info()
    except LgrError as err:
        return {"name": name, "problem": str(err)}
    counts = {f"n_{what}": len(info[what]) for what in ("cell_lines", "drugs")}
    return {**{key: info[key] for key in _COLUMNS if key in info}, **counts, "problem": ""}


def _settings(home: Path | str | None) -> Settings:
    return Settings.from_environment() if home is None else Settings(home=Path(home))
