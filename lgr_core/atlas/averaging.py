"""From deltas per plate and replicate to one delta a condition, under a dose policy."""

from __future__ import annotations

import logging
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.domain import FloatArray, IntArray
from lgr_core.errors import UsageError

log = logging.getLogger(__name__)

DosePolicy = Literal["per_dose", "pool", "max"]
DOSE_POLICIES: tuple[DosePolicy, ...] = ("per_dose", "pool", "max")

_GENES_AT_ONCE = 4096
_CONDITION = ["cell_line", "dose_um", "drug"]


class Averaged(NamedTuple):
    """Conditions and plates with their deltas, in the form of a ``DeltaTable``."""

    conditions: pd.DataFrame
    deltas: FloatArray
    plates: pd.DataFrame
    plate_deltas: FloatArray
    counts: dict[str, int]


class _Grouping(NamedTuple):
    """Groups of rows, and the matrix (n_groups, n_rows) that averages them."""

    frame: pd.DataFrame
    weights: sparse.csr_array


def average(
    rows: pd.DataFrame, deltas: FloatArray, *, dose: DosePolicy, min_cells: int
) -> Averaged:
    """One delta a condition: rows of one plate are averaged, then plates, then doses.

    Rows and plates are weighted by their cells where all of a condition's are known, else equally.
    Doses are kept (``per_dose``), averaged with equal weights (``pool``), or only the highest of
    each line and drug is kept (``max``); the last two leave ``dose_um`` NaN and name the doses in
    ``doses_um``. Conditions are sorted by line, dose and drug.

    Parameters
    ----------
    rows
        ``cell_line``, ``drug``, ``dose_um``, ``plate``, ``n_cells`` and ``n_replicates`` (NaN
        where unknown) and ``control``, one row a measured delta.
    deltas
        (n_rows, n_genes).
    dose
        The dose policy.
    min_cells
        Conditions of fewer cells are flagged ``underpowered``, where cells are counted.

    Raises
    ------
    UsageError
        The dose policy is unknown.
    """
    if dose not in DOSE_POLICIES:
        raise UsageError("dose", f"{dose!r} is unknown", f"One of {', '.join(DOSE_POLICIES)}.")
    counts = {"delta_rows": len(rows)}
    rows = rows.reset_index(drop=True).assign(doses_um=rows["dose_um"].map(_dose_text).to_numpy())
    if dose == "max":
        top = _is_highest(rows)
        counts["rows_of_lower_doses_left_out"] = int((~top).sum())
        rows, deltas = rows[top].reset_index(drop=True), deltas[top]
    on_plate = _group(rows, [*_CONDITION, "plate"], by_cells=True)
    per_dose = _group(on_plate.frame, _CONDITION, by_cells=True)
    to_plates, to_doses = on_plate.weights, per_dose.weights @ on_plate.weights
    counts["replicates_averaged"] = len(rows) - len(on_plate.frame)
    counts["plates_averaged"] = len(on_plate.frame) - len(per_dose.frame)
    plates, conditions = on_plate.frame, per_dose.frame
    if dose != "per_dose":
        pooled = _group(conditions.assign(dose_um=np.nan), _CONDITION, by_cells=False)
        pooled_plates = _group(plates.assign(dose_um=np.nan), [*_CONDITION, "plate"], by_cells=False)
        counts["doses_averaged"] = len(conditions) - len(pooled.frame)
        conditions, to_doses = pooled.frame, pooled.weights @ to_doses
        plates, to_plates = pooled_plates.frame, pooled_plates.weights @ to_plates
    plates = _number(plates, conditions)
    conditions["underpowered"] = conditions["n_cells"] < min_cells
    return Averaged(
        conditions.drop(columns=["plate", "control"]),
        mix(to_doses, deltas),
        plates[["condition", "plate", "n_cells", "control"]],
        mix(to_plates, deltas),
        counts,
    )


def mix(weights: sparse.csr_array, profiles: FloatArray) -> FloatArray:
    """``weights`` (n_out, n_in) times ``profiles`` (n_in, n_genes) in float64, kept as float32."""
    out = np.empty((weights.shape[0], profiles.shape[1]), dtype=np.float32)
    for start in range(0, profiles.shape[1], _GENES_AT_ONCE):
        genes = slice(start, start + _GENES_AT_ONCE)
        out[:, genes] = weights @ profiles[:, genes].astype(np.float64)
    return out


def _group(rows: pd.DataFrame, keys: list[str], *, by_cells: bool) -> _Grouping:
    """Rows of equal ``keys`` as one; known cells and replicates add up, unknown stays unknown."""
    codes = rows.groupby(keys, dropna=False, observed=True, sort=True).ngroup().to_numpy()
    order = np.argsort(codes, kind="stable")
    first = order[np.searchsorted(codes[order], np.arange(codes.max() + 1))]
    frame = rows.iloc[first].reset_index(drop=True)
    for column in ("n_cells", "n_replicates"):
        frame[column] = np.bincount(codes, weights=rows[column].to_numpy(dtype=float))
    if (np.bincount(codes) > 1).any():
        frame["doses_um"] = rows.groupby(codes)["doses_um"].agg(_join_doses).to_numpy()
    cells = rows["n_cells"].to_numpy(dtype=float) if by_cells else np.ones(len(rows))
    return _Grouping(frame, _averaging_matrix(codes, cells))


def _averaging_matrix(codes: IntArray, cells: FloatArray) -> sparse.csr_array:
    """Row g averages the rows of group g by their cells, or equally if a count is unknown."""
    n_rows, n_groups = len(codes), int(codes.max()) + 1
    total = np.bincount(codes, weights=cells)
    usable = np.isfinite(total) & (total > 0)
    size = np.bincount(codes).astype(float)
    weight = np.where(usable[codes], cells, 1.0) / np.where(usable, total, size)[codes]
    return sparse.csr_array((weight, (codes, np.arange(n_rows))), shape=(n_groups, n_rows))


def _is_highest(rows: pd.DataFrame) -> FloatArray:
    """Whether a row has the highest dose of its line and drug; all do where no dose is known."""
    best = rows.groupby(["cell_line", "drug"], observed=True)["dose_um"].transform("max")
    return ((rows["dose_um"] == best) | best.isna()).to_numpy()


def _number(plates: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Plates with the row number of their condition."""
    numbered = conditions[_CONDITION].assign(condition=np.arange(len(conditions)))
    return plates.merge(numbered, on=_CONDITION, how="left", sort=False)


def _dose_text(dose: float) -> str:
    return "" if np.isnan(dose) else f"{dose:g}"


def _join_doses(texts: pd.Series) -> str:
    parts = {part for text in texts for part in text.split(";") if part}
    return ";".join(sorted(parts, key=float))
