"""Where an h5ad holds its raw counts, and which of its layers can be read."""

from __future__ import annotations

import logging

import h5py

from lgr_core.atlas.sources.count_matrix import Matrix, check_counts, open_matrix
from lgr_core.errors import InputError, NotCountsError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

_ROWS_READ = 200
"""Rows read to see whether a matrix holds counts."""

PLACES = ("layers/counts", "X", "raw/X", "raw.X")
"""Where raw counts are looked for, in this order; ``raw.X`` is of anndata 0.6 and older."""


def find_counts(file: h5py.File, layer: str | None = None) -> Matrix:
    """The matrix of raw counts: ``layer``, else the first of :data:`PLACES` that has them.

    Raises
    ------
    InputError
        The layer is missing, or the only matrix that may hold counts cannot be read by row.
    NotCountsError
        No matrix holds counts.
    """
    if layer is not None:
        if layer not in file.get("layers", {}):
            found = f"layers found: {', '.join(file.get('layers', {})) or 'none'}"
            raise InputError(f"layer {layer!r}", found, Remedy(Fix.LAYER))
        names = [f"layers/{layer}"]
    else:
        names = [name for name in PLACES if name in file]
    refused: list[InputError] = []
    for name in names:
        found = _counts_at(file, name)
        if not isinstance(found, InputError):
            log.info("counts are read from %s", name)
            return found
        refused.append(found)
    if refused:
        raise _with_layers(refused[0], file, names)
    found = f"it has no X, raw/X or layers/counts; found: {', '.join(file)}"
    raise InputError(f"counts in {file.filename}", found, "Give an h5ad of raw counts.")


def usable_layers(file: h5py.File, *, counts: bool = False) -> list[str]:
    """The layers that can be read, or only those whose first rows hold counts."""
    layers = file.get("layers", {})
    readable = _counts_at if counts else _opened
    return [name for name in layers if not isinstance(readable(file, f"layers/{name}"), InputError)]


def _opened(file: h5py.File, name: str) -> Matrix | InputError:
    try:
        return open_matrix(file, name)
    except InputError as err:
        return err


def _counts_at(file: h5py.File, name: str) -> Matrix | InputError:
    """The matrix at ``name``, or why its first rows are no counts."""
    try:
        matrix = open_matrix(file, name)
        check_counts(matrix.read(0, min(_ROWS_READ, matrix.shape[0])), name)
    except InputError as err:
        return err
    return matrix


def _with_layers(err: InputError, file: h5py.File, tried: list[str]) -> InputError:
    """The error with the layers that do hold counts, where values are no counts."""
    if not isinstance(err, NotCountsError):
        return err
    layers = [name for name in usable_layers(file, counts=True) if f"layers/{name}" not in tried]
    if not layers:
        return err
    return NotCountsError(err.asked, err.found, Remedy(Fix.COUNTS_LAYERS, values=tuple(layers)))
