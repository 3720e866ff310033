"""Control profiles: the untreated expression of cell lines, one row a line, in logarithms.

They come from the vehicle cells of an atlas of counts, or from a table of one's own. How a table's
values become logarithms is decided here, for the lines of an atlas and for a line of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.domain import FloatArray
from lgr_core.errors import InputError

COUNTS_SUM = 10_000
"""What counts of a profile are scaled to, as those of cells are."""

_LARGEST_LOG = 40.0
"""No logarithm of expression is as large; linear values of some gene always are."""


class ProfileUnits(StrEnum):
    """What the values of a table of untreated expression are."""

    COUNTS = "counts"
    TPM = "tpm"
    LOG = "log"

    @property
    def label(self) -> str:
        """In words, with what is done to them."""
        return _LABELS[self]


_LABELS = {
    ProfileUnits.COUNTS: "counts, scaled to 10,000 and log1p",
    ProfileUnits.TPM: "linear expression such as TPM, log1p",
    ProfileUnits.LOG: "logarithms, as they stand",
}


@dataclass(frozen=True, eq=False)
class ControlProfiles:
    """Untreated expression of cell lines as logarithms, ``expression`` (n_lines, n_genes) float32.

    ``genes``, (n_genes,), are named as in the atlas where it has them. ``units`` says what the
    values were, ``source`` where they are from, ``notes`` what was matched and left out.
    """

    cell_lines: tuple[str, ...]
    genes: NDArray[np.object_]
    expression: FloatArray
    units: str
    source: str
    notes: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.expression.shape != (len(self.cell_lines), len(self.genes)):
            found = f"{self.expression.shape} values for {len(self.cell_lines)} lines"
            raise InputError("control profiles", found, "Give a row a line, a column a gene.")

    def of(self, cell_line: str) -> FloatArray | None:
        """The profile of a line, (n_genes,); None if it has none."""
        try:
            return self.expression[self.cell_lines.index(cell_line)]
        except ValueError:
            return None

    def over(self, genes: Sequence[str] | NDArray[np.object_]) -> FloatArray:
        """The profiles over these genes, (n_lines, n_genes), NaN where a gene has no value."""
        places = pd.Index(self.genes).get_indexer(genes)
        return np.where(places >= 0, self.expression[:, np.maximum(places, 0)], np.nan)

    def permuted(self, seed: int) -> ControlProfiles:
        """The same profiles, dealt to the lines anew: a control, of which nothing can be learned.

        No line keeps its own.
        """
        order = np.random.default_rng(seed).permutation(len(self.cell_lines))
        other = np.empty_like(order)
        other[order] = np.roll(order, 1)
        return replace(
            self, expression=self.expression[other], notes={**self.notes, "permuted": seed}
        )

    def to_dict(self) -> dict[str, Any]:
        """All but the expression, as JSON types."""
        return {
            "cell_lines": list(self.cell_lines),
            "genes": list(self.genes),
            "units": self.units,
            "source": self.source,
            "notes": dict(self.notes),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any], expression: FloatArray) -> ControlProfiles:
        """The profiles of :meth:`to_dict` with their expression."""
        return cls(
            tuple(stored["cell_lines"]),
            np.array(stored["genes"], dtype=object),
            expression,
            stored["units"],
            stored["source"],
            stored["notes"],
        )


def vehicle_profiles(
    controls: pd.DataFrame, profiles: FloatArray, genes: NDArray[np.object_]
) -> ControlProfiles:
    """The mean vehicle profile of each line, weighted by cells or wells.

    ``controls`` has one row a vehicle profile (cell line, plate), beside ``profiles``
    (n_controls, n_genes).
    """
    weights = controls["n_cells"].fillna(controls["n_replicates"]).to_numpy(float)
    of_line = controls["cell_line"].to_numpy()
    lines = sorted(set(of_line))
    rows = [np.flatnonzero(of_line == line) for line in lines]
    means = [np.average(profiles[r], axis=0, weights=weights[r]).astype(np.float32) for r in rows]
    values = np.array(means, dtype=np.float32).reshape(len(lines), len(genes))
    return ControlProfiles(tuple(lines), genes, values, "lognorm", "vehicle cells of the atlas", {})


def units_of(values: FloatArray) -> ProfileUnits:
    """What untreated expression is given as, by its values (n_lines, n_genes).

    Whole numbers are counts, values below zero or none above 40 logarithms, the rest linear.
    """
    if values.min() >= 0 and (values == np.rint(values)).all():
        return ProfileUnits.COUNTS
    if values.min() < 0 or values.max() <= _LARGEST_LOG:
        return ProfileUnits.LOG
    return ProfileUnits.TPM


def as_logarithms(values: FloatArray, units: ProfileUnits) -> FloatArray:
    """Expression (n_lines, n_genes) as logarithms, float32.

    Raises
    ------
    InputError
        If counts or linear values are below zero, or a line has no count at all.
    """
    if units is ProfileUnits.LOG:
        return values.astype(np.float32)
    if values.min() < 0:
        found = f"they hold {values.min():g}"
        do = "Say --profile-units log, if these are logarithms."
        raise InputError(f"control profiles as {units}", found, do)
    if units is ProfileUnits.TPM:
        return np.log1p(values).astype(np.float32)
    totals = values.sum(axis=1, keepdims=True)
    if not totals.all():
        found = f"{int((totals == 0).sum())} line(s) have no count"
        raise InputError("control profiles as counts", found, "Remove them.")
    return np.log1p(values * (COUNTS_SUM / totals)).astype(np.float32)
