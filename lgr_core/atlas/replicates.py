"""Averaging of replicates, plates and doses into conditions, under a dose policy.

Everything here is linear, so a plan is made of sparse matrices; :func:`mix` applies them to
profiles a slice of genes at a time.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.delta_table import PLATE_SEPARATOR
from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import UsageError

DosePolicy = Literal["per_dose", "pool", "max"]
DOSE_POLICIES: tuple[DosePolicy, ...] = ("per_dose", "pool", "max")

AT_ONCE = 32_000_000
"""Numbers held in float64 at a time, 256 MB: bounds what an average costs in memory."""

_CONDITION = ["cell_line", "dose_um", "drug"]
_CONDITION_COLUMNS = [*_CONDITION, "n_cells", "n_replicates", "doses_um", "underpowered"]


class AveragingPlan(NamedTuple):
    """Conditions and plates, and the matrices that average the rows into them.

    ``to_conditions`` is (n_conditions, n_rows), ``to_plates`` (n_plates, n_rows); each row of
    them sums to one. ``to_plates`` is None where a row is an average over several plates: its
    condition stands on all of them, and its change on each is not known. ``counts`` says how much
    was averaged or left out.
    """

    conditions: pd.DataFrame
    to_conditions: sparse.csr_array
    plates: pd.DataFrame
    to_plates: sparse.csr_array | None
    counts: dict[str, int]


class _Grouping(NamedTuple):
    """Groups of rows, and the matrix (n_groups, n_rows) that averages them."""

    frame: pd.DataFrame
    weights: sparse.csr_array


def plan_averages(rows: pd.DataFrame, *, dose: DosePolicy, min_cells: int) -> AveragingPlan:
    """Plan one delta per condition: rows of a plate are averaged, then plates, then doses.

    Rows, plates and doses are weighted by ``weight`` where all of a condition's are known, else
    equally. Doses are kept (``per_dose``), averaged (``pool``), or only the highest of each line
    and drug is kept (``max``); the last two leave ``dose_um`` NaN. The doses used stand in
    ``doses_um``. Conditions are sorted by line, dose and drug.

    Parameters
    ----------
    rows
        One row a measured delta: ``cell_line``, ``drug``, ``dose_um``, ``plate`` (several joined
        by ``;``), ``n_cells``, ``n_replicates`` and ``weight`` (NaN where unknown), and
        ``control``; ``doses_um`` where rows are of pooled or grouped doses already.
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
    rows = rows.reset_index(drop=True)
    if "doses_um" not in rows:
        rows = rows.assign(doses_um=[dose_text(each) for each in rows["dose_um"]])
    kept = _is_highest(rows) if dose == "max" else np.ones(len(rows), dtype=bool)
    plates = _group(rows[kept].reset_index(drop=True), [*_CONDITION, "plate"])
    conditions = _group(plates.frame, _CONDITION)
    counts = {
        "rows": len(rows),
        "rows_of_lower_doses_left_out": int((~kept).sum()),
        "replicates_averaged": int(kept.sum()) - len(plates.frame),
        "plates_averaged": len(plates.frame) - len(conditions.frame),
    }
    to_plates = plates.weights @ _selection(kept)
    to_conditions = conditions.weights @ to_plates
    if dose != "per_dose":
        plates = _pool_doses(plates.frame, [*_CONDITION, "plate"])
        conditions = _pool_doses(conditions.frame, _CONDITION)
        counts |= _count_doses(conditions.frame)
        to_plates = plates.weights @ to_plates
        to_conditions = conditions.weights @ to_conditions
    frame = conditions.frame.assign(underpowered=conditions.frame["n_cells"] < min_cells)
    numbered = _number(plates.frame, frame)
    if numbered["plate"].str.contains(PLATE_SEPARATOR, regex=False).any():
        numbered, to_plates = _split_plates(numbered), None
    return AveragingPlan(frame[_CONDITION_COLUMNS], to_conditions, numbered, to_plates, counts)


def mix(weights: sparse.csr_array, profiles: FloatArray) -> FloatArray:
    """``weights`` (n_out, n_in) times ``profiles`` (n_in, n_genes) in float64, kept as float32."""
    out = np.empty((weights.shape[0], profiles.shape[1]), dtype=np.float32)
    step = max(1, AT_ONCE // sum(weights.shape))
    for start in range(0, profiles.shape[1], step):
        genes = slice(start, start + step)
        out[:, genes] = weights @ profiles[:, genes].astype(np.float64)
    return out


def averaging_matrix(codes: IntArray, weight: FloatArray, n_groups: int) -> sparse.csr_array:
    """The matrix (n_groups, n_rows) whose row g averages the rows with code g by their weight.

    A group with an unknown weight is averaged equally; a negative code belongs to no group.
    """
    used = np.flatnonzero(codes >= 0)
    group, weight = codes[used], weight[used]
    total = np.bincount(group, weights=weight, minlength=n_groups)
    size = np.bincount(group, minlength=n_groups).astype(float)
    usable = np.isfinite(total) & (total > 0)
    share = np.where(usable[group], weight, 1.0) / np.where(usable, total, size)[group]
    return sparse.csr_array((share, (group, used)), shape=(n_groups, len(codes)))


def _group(rows: pd.DataFrame, keys: list[str]) -> _Grouping:
    """Group rows by ``keys``; cells and replicates add up where known, else stay unknown."""
    codes = rows.groupby(keys, dropna=False, observed=True, sort=True).ngroup().to_numpy()
    _, first = np.unique(codes, return_index=True)
    frame = rows.iloc[first].reset_index(drop=True)
    for column in ("n_cells", "n_replicates", "weight"):
        frame[column] = np.bincount(codes, weights=rows[column].to_numpy(dtype=float))
    if len(first) < len(rows):
        frame["doses_um"] = rows.groupby(codes)["doses_um"].agg(join_doses).to_numpy()
    weights = averaging_matrix(codes, rows["weight"].to_numpy(dtype=float), len(first))
    return _Grouping(frame, weights)


def _pool_doses(frame: pd.DataFrame, keys: list[str]) -> _Grouping:
    """Groups with their doses averaged, by weight where it is known."""
    return _group(frame.assign(dose_um=np.nan), keys)


def _count_doses(pooled: pd.DataFrame) -> dict[str, int]:
    """How many doses were averaged away, and in how many conditions with equal weights."""
    averaged = pooled["doses_um"].str.count(";").astype(int)
    return {
        "doses_averaged": int(averaged.sum()),
        "doses_averaged_equally": int((averaged.astype(bool) & pooled["weight"].isna()).sum()),
    }


def _selection(kept: BoolArray) -> sparse.csr_array:
    """The matrix (n_kept, n_rows) that picks the rows that are kept."""
    columns = np.flatnonzero(kept)
    entries = (np.ones(len(columns)), (np.arange(len(columns)), columns))
    return sparse.csr_array(entries, shape=(len(columns), len(kept)))


def _is_highest(rows: pd.DataFrame) -> BoolArray:
    """Whether a row has the highest dose of its line and drug; all do where no dose is known."""
    best = rows.groupby(["cell_line", "drug"], observed=True)["dose_um"].transform("max")
    return ((rows["dose_um"] == best) | best.isna()).to_numpy()


def _number(plates: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """Plates with the row number of their condition."""
    numbered = conditions[_CONDITION].assign(condition=np.arange(len(conditions)))
    merged = plates.merge(numbered, on=_CONDITION, how="left", sort=False)
    return merged[["condition", "plate", "n_cells", "n_replicates", "control"]]


def _split_plates(plates: pd.DataFrame) -> pd.DataFrame:
    """Plates with one row per name, where several were joined; their cells are not known."""
    joined = plates["plate"].str.contains(PLATE_SEPARATOR, regex=False)
    known = plates.assign(plate=plates["plate"].str.split(PLATE_SEPARATOR))
    known.loc[joined, ["n_cells", "n_replicates"]] = np.nan
    single = known.explode("plate")
    single["plate"] = single["plate"].str.strip()
    return single.drop_duplicates(["condition", "plate"]).reset_index(drop=True)


def dose_text(dose: float) -> str:
    """A dose as written in ``doses_um``; empty where unknown."""
    return "" if np.isnan(dose) else f"{dose:g}"


def join_doses(texts: pd.Series) -> str:
    """All doses of several ``doses_um``, ascending."""
    parts = {part for text in texts for part in text.split(";") if part}
    return ";".join(sorted(parts, key=float))
