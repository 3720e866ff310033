"""Deltas with their tables, in the one form that every source produces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.lazy_deltas import LazyRows
from lgr_core.domain import EMPTY, FloatArray, ValueKind
from lgr_core.errors import InputError

PLATE_COLUMNS = ("condition", "plate", "n_cells", "n_replicates", "control")
PLATE_SEPARATOR = ";"
"""Between the names of the plates that one delta stands on."""

CONTROL_COLUMNS = ("cell_line", "plate", "label", "n_cells", "n_replicates")


@dataclass(frozen=True, slots=True)
class DeltaTable:
    """Deltas of measured conditions, before they are stored.

    ``conditions`` has one row a condition: ``cell_line``, ``drug``, ``dose_um`` (NaN: pooled over
    doses, or none known), ``doses_um`` (the doses used, ``"0.05;0.5"``, as text), ``n_cells`` (NaN:
    unknown, or wells), ``n_replicates`` (wells, plates or ready deltas averaged; NaN: unknown) and
    ``underpowered``; ``deltas`` is (n_conditions, n_genes) float32 beside it. ``genes`` has
    ``gene`` (unique), ``ensembl_id`` (``""``: unknown), ``in_panel``, ``variability`` (what the
    panel was chosen by), and from counts ``within_variance``. ``plates`` says on which plates a
    condition stands (``condition`` is its row number; ``plate`` ``""`` where its name is not known;
    ``control`` whose vehicle it was compared with: "plate", "cell_line", or "publisher" where the
    deltas came ready), and ``plate_deltas`` has its delta there: (n_plates, n_genes); None where
    only averages over plates are known. ``controls`` and ``control_profiles`` are the vehicle
    means per line and plate. ``drugs`` and ``cell_lines`` hold what the file says of each, one row
    a name. ``provenance`` records every choice and counts all that was dropped or averaged.
    """

    conditions: pd.DataFrame
    deltas: FloatArray | LazyRows
    genes: pd.DataFrame
    value_kind: ValueKind
    plates: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=PLATE_COLUMNS))
    plate_deltas: FloatArray | LazyRows | None = None
    controls: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=CONTROL_COLUMNS))
    control_profiles: FloatArray | LazyRows | None = None
    drugs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["drug"]))
    cell_lines: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["cell_line"]))
    provenance: Mapping[str, Any] = field(default_factory=lambda: EMPTY)

    def __post_init__(self) -> None:
        n, g = len(self.conditions), len(self.genes)
        if n == 0:
            raise InputError(
                "deltas", "no condition is left", "Check the control label and filters."
            )
        for name, array, rows in (
            ("deltas", self.deltas, n),
            ("plate_deltas", self.plate_deltas, len(self.plates)),
            ("control_profiles", self.control_profiles, len(self.controls)),
        ):
            if array is not None and array.shape != (rows, g):
                found = f"{name} is {array.shape}, its labels say {(rows, g)}"
                raise InputError("delta table", found, "One row a label, one column a gene.")
        if self.conditions.duplicated(["cell_line", "drug", "dose_um"]).any():
            raise InputError("delta table", "a condition stands twice", "Average replicates first.")
        if self.genes["gene"].duplicated().any():
            raise InputError("delta table", "a gene stands twice", "Make gene names unique first.")
        if not np.isfinite(self.deltas[:1]).all():
            raise InputError("delta table", "a delta is not finite", "Remove or impute it first.")


def count_plates(plates: pd.DataFrame) -> int:
    """How many plates are known by name."""
    return int(plates.loc[plates["plate"] != "", "plate"].nunique())
