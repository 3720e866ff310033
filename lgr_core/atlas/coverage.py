"""Coverage of an atlas: which lines, drugs and doses are measured, with cells and plates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import FloatArray

MOST_DRUGS = 400
"""Drugs of a grid: more columns than a screen has room for tell nothing."""

_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Grid:
    """Lines x drugs, both the best covered first.

    ``values`` (n_lines, n_drugs) are the ``doses`` or the ``cells`` of each, as ``counts`` says, or
    1 where a condition is measured with cells unknown (``conditions``); NaN where it is not.
    ``drugs_left_out`` are further drugs, at least as well covered as those shown.
    """

    lines: tuple[str, ...]
    drugs: tuple[str, ...]
    values: FloatArray
    counts: str
    measured: int
    possible: int
    drugs_left_out: int


def grid(conditions: pd.DataFrame, dose_um: float | None, *, every_dose: bool) -> Grid:
    """The grid of one dose (None: pooled doses), or of every dose.

    ``possible`` counts all lines x drugs (x doses, of every dose) of the atlas, ``measured`` those
    of them that are. Where there are more drugs than ``MOST_DRUGS``, the least covered are shown.
    """
    lines, drugs = conditions["cell_line"].unique(), conditions["drug"].unique()
    rows = conditions if every_dose else conditions[_at(conditions, dose_um)]
    known = not every_dose and rows["n_cells"].notna().all()
    wide = rows.pivot_table(
        index="cell_line",
        columns="drug",
        values="n_cells",
        aggfunc="first" if known else "size",
        observed=True,
    )
    wide = wide.reindex(index=lines, columns=drugs)
    there = wide.notna() if not every_dose else wide.fillna(0)
    wide = wide.loc[_best_first(there.sum(axis=1)), _best_first(there.sum(axis=0))]
    n_doses = conditions["dose_um"].nunique(dropna=False) if every_dose else 1
    shown = wide.iloc[:, -MOST_DRUGS:]
    return Grid(
        tuple(shown.index),
        tuple(shown.columns),
        shown.to_numpy(dtype=float),
        "cells" if known else "doses" if every_dose else "conditions",
        len(rows),
        len(lines) * len(drugs) * n_doses,
        wide.shape[1] - shown.shape[1],
    )


def gaps(
    conditions: pd.DataFrame, dose_um: float | None, *, every_dose: bool, by: str
) -> pd.DataFrame:
    """What is not measured, by name: one row a line or drug, as ``by`` says; most gaps first.

    Of every dose, what is measured at one of them counts.

    Returns
    -------
    DataFrame
        ``by`` (``cell_line`` or ``drug``), ``measured``, ``missing`` and ``names`` of the missing
        (drugs of a line, lines of a drug), with commas between.
    """
    other = {"cell_line": "drug", "drug": "cell_line"}[by]
    rows = conditions if every_dose else conditions[_at(conditions, dose_um)]
    names = sorted(conditions[other].astype(str).unique())
    there = rows.groupby(by, observed=True)[other].agg(lambda values: set(map(str, values)))
    found = []
    for name in sorted(conditions[by].astype(str).unique()):
        own = there.get(name, set())
        missing = [each for each in names if each not in own]
        found.append((name, len(own), len(missing), ", ".join(missing)))
    table = pd.DataFrame(found, columns=[by, "measured", "missing", "names"])
    return table.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def under(conditions: pd.DataFrame, min_cells: int) -> pd.DataFrame:
    """Per line how many conditions have fewer cells, of those whose cells are known.

    Returns
    -------
    DataFrame
        ``cell_line``, ``known``, ``under`` and ``share``, the most affected line first.
    """
    known = conditions[conditions["n_cells"].notna()]
    few = known["n_cells"] < min_cells
    table = few.groupby(known["cell_line"], observed=True).agg(known="size", under="sum")
    table["share"] = table["under"] / table["known"]
    table = table.reset_index().sort_values(["share", "cell_line"], ascending=[False, True])
    return table.reset_index(drop=True)


def thresholds(n_cells: pd.Series) -> tuple[int, ...]:
    """Round numbers of cells, 1, 2, 5, 10, ..., up to the first that half of the conditions miss.

    Without known cells there is none.
    """
    if n_cells.isna().all():
        return ()
    middle, found = n_cells.median(), [1]
    while found[-1] <= middle:
        power, step = divmod(len(found), len(_STEPS))
        found.append(_STEPS[step] * 10**power)
    return tuple(found)


def cells_histogram(
    n_cells: pd.Series, min_cells: int, bins: int = 40
) -> tuple[FloatArray, FloatArray]:
    """Edges (n + 1,) and conditions (n,) of bins of cells, as equally wide in log10 as can be.

    Edges are whole numbers, the last one above all cells, and ``min_cells`` is one of them where it
    lies among them: no bin holds conditions of both its sides.
    """
    cells = n_cells.dropna().to_numpy(dtype=float)
    low, high = max(np.floor(cells.min()), 1.0), np.floor(cells.max()) + 1
    edges = np.unique(np.logspace(np.log10(low), np.log10(max(high, low + 1)), bins + 1).round())
    if low < min_cells < high:
        nearest = np.abs(edges[1:-1] - min_cells).argmin() + 1 if len(edges) > 2 else None  # noqa: PLR2004
        edges = np.unique([*(edges if nearest is None else np.delete(edges, nearest)), min_cells])
    return edges, np.histogram(cells, edges)[0]


def plate_table(store: AtlasStore) -> pd.DataFrame:
    """The conditions, drugs and cells of each plate.

    Returns
    -------
    DataFrame
        ``plate``, ``conditions``, ``cell_lines``, ``drugs``, ``doses`` (as text), ``main_dose``
        (micromolar, NaN where none is known), ``at_main_dose`` (share of the conditions) and
        ``own_vehicle`` (share compared with the vehicle of this plate; NaN: the publisher's).
    """
    rows = _on_plates(store)
    groups = rows.groupby("plate", observed=True, sort=False)
    table = groups.agg(
        conditions=("drug", "size"),
        cell_lines=("cell_line", "nunique"),
        drugs=("drug", "nunique"),
        doses=(
            "dose_um",
            lambda doses: ", ".join(f"{d:g}" for d in sorted(doses.dropna().unique())),
        ),
        main_dose=("dose_um", lambda doses: next(iter(doses.mode()), np.nan)),
        own_vehicle=("control", _share_own_plate),
    )
    main = rows["plate"].map(table["main_dose"])
    at_main = (rows["dose_um"] == main).groupby(rows["plate"], observed=True).mean()
    table["at_main_dose"] = at_main.where(table["main_dose"].notna())
    return table.reset_index().sort_values("plate", key=lambda names: names.map(_natural))


def drug_spread(store: AtlasStore) -> Mapping[str, Any]:
    """How many plates each drug is on: with one plate, drug and plate effects are confounded.

    ``drugs`` and ``on_one_plate`` count drugs; ``conditions`` and ``repeated`` count conditions and
    those of them that stand on several plates.
    """
    rows = _on_plates(store)
    plates = rows.groupby("drug", observed=True)["plate"].nunique()
    repeats = store.named_plates.groupby("condition")["plate"].nunique()
    return {
        "drugs": len(plates),
        "on_one_plate": int((plates == 1).sum()),
        "conditions": len(repeats),
        "repeated": int((repeats > 1).sum()),
    }


def _on_plates(store: AtlasStore) -> pd.DataFrame:
    """One row a condition and plate that has a name."""
    plates = store.named_plates
    keys = store.conditions[["cell_line", "drug", "dose_um"]]
    rows = keys.iloc[plates["condition"].to_numpy(dtype=int)].reset_index(drop=True)
    return rows.assign(
        plate=plates["plate"].astype(str).to_numpy(),
        control=plates["control"].astype(str).to_numpy(),
    )


def _share_own_plate(controls: pd.Series) -> float:
    matched = controls != "publisher"
    return float((controls[matched] == "plate").mean()) if matched.any() else np.nan


def _natural(name: str) -> tuple[int, str]:
    """Plate 2 before plate 10."""
    digits = "".join(letter for letter in name if letter.isdigit())
    return int(digits or 0), name


def _at(conditions: pd.DataFrame, dose_um: float | None) -> pd.Series:
    doses = conditions["dose_um"]
    return doses.isna() if dose_um is None else doses == dose_um


def _best_first(counts: pd.Series) -> list[str]:
    ordered = counts.rename_axis("name").reset_index(name="n")
    return ordered.sort_values(["n", "name"], ascending=[False, True])["name"].tolist()
