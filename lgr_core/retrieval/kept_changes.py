"""Views of every measured change, computed once a build and kept on disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray, IntArray
from lgr_core.files import atomic_write, remove
from lgr_core.retrieval.specific_change import View, changes_of


def kept_changes(store: AtlasStore, view: View, folder: Path) -> Callable[[IntArray], FloatArray]:
    """What reads a view of measured changes: rows to (n_rows, n_panel), NaN where undefined.

    Total changes are the atlas's own. Of another view every row is computed when it is first asked
    for, and written to ``folder``, in the place of what was kept of an earlier build. Where nothing
    can be written, rows are computed whenever they are read.

    Raises
    ------
    UsageError
        If specific changes are asked for of an atlas that does not name plates.
    """
    compute = changes_of(store, view)
    if view is View.TOTAL:
        return compute
    path = folder / store.name / f"{store.build_id}-{view}.npy"
    try:
        kept = _opened(path, store)
        if kept is None:
            _write(store, compute, path)
            kept = _opened(path, store)
    except OSError:
        return compute
    return compute if kept is None else kept.__getitem__


def _opened(path: Path, store: AtlasStore) -> FloatArray | None:
    """The kept matrix as a map of the file; None where there is none that is whole."""
    try:
        kept = np.load(path, mmap_mode="r")
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return kept if kept.shape == (len(store.conditions), store.n_panel) else None


def _write(store: AtlasStore, compute: Callable[[IntArray], FloatArray], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (len(store.conditions), store.n_panel)
    with atomic_write(path) as aside:
        kept = np.lib.format.open_memmap(aside, mode="w+", dtype=np.float32, shape=shape)
        for rows in store.conditions.groupby("cell_line", observed=True).indices.values():
            kept[rows] = compute(rows)  # of one line at a time: its plates are read once
        kept.flush()
    for old in path.parent.glob(f"*-{path.stem.rpartition('-')[2]}.npy"):
        if old != path:
            remove(old)
