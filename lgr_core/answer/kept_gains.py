"""Gains of panels on disk: the slow part of a plan, computed once for a build."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from lgr_core.answer.plan import PanelGains, panel_gains
from lgr_core.atlas.store import AtlasStore
from lgr_core.files import atomic_write_text


def read_gains(
    store: AtlasStore, folder: Path, *, k: int, dose_um: float | None
) -> PanelGains | None:
    """The kept gains of panels of up to k drugs at a dose; None where none are kept."""
    try:
        kept = json.loads(_path(store, folder, k, dose_um).read_text(encoding="utf-8"))
        return PanelGains(pd.DataFrame(kept["curve"]), kept["scopes"])
    except (OSError, ValueError, KeyError):
        return None


def kept_gains(store: AtlasStore, folder: Path, *, k: int, dose_um: float | None) -> PanelGains:
    """The gains of panels of up to k drugs at a dose, kept in a folder when they are computed.

    Where nothing can be written they are computed each time.

    Raises
    ------
    NotFoundError
        If the dose is unknown.
    """
    kept = read_gains(store, folder, k=k, dose_um=dose_um)
    if kept is not None:
        return kept
    found = panel_gains(store, k=k, dose_um=dose_um)
    path = _path(store, folder, k, dose_um)
    text = json.dumps({"curve": found.curve.to_dict("records"), "scopes": found.scopes})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic_write_text(path, text)
    except OSError:
        return found
    return found


def _path(store: AtlasStore, folder: Path, k: int, dose_um: float | None) -> Path:
    dose = "pooled" if dose_um is None else f"{dose_um:g}"
    return folder / f"{store.name}-{store.build_id}-{k}-{dose}.json"
