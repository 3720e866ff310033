"""Measured deltas behind a check of every row: what query readers and fits have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lgr_core.atlas.control_profiles import ControlProfiles
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import BoolArray, Evidence, FloatArray, IntArray
from lgr_core.errors import LeakageError


class CheckedReader:
    """Reads the deltas of allowed rows, and vehicle profiles; it is a ``DeltaReader``.

    A subclass says which rows are allowed. ``what`` names the read in error messages.
    """

    def __init__(self, store: AtlasStore, evidence: Iterable[Evidence], what: str) -> None:
        self.evidence = frozenset(evidence)
        self._store = store
        self._what = what

    def rows(self, cell_line: str, drugs: Sequence[str], dose_um: float | None) -> IntArray:
        """Row numbers of these drugs in that line at that dose; a number is no evidence."""
        return self._store.rows(cell_line, drugs, dose_um)

    def deltas(self, rows: IntArray, *, all_genes: bool = False) -> FloatArray:
        """Measured deltas (n_rows, n_genes) of rows that the evidence covers.

        Raises
        ------
        LeakageError
            If a row lies outside what was declared; the message names it.
        """
        # Flags, negative numbers and slices become row numbers first: none avoids the check.
        rows = np.arange(len(self._store.conditions))[rows]
        refused = rows[~self._allows(rows)]
        if len(refused):
            example = str(self._store.condition(int(refused[0])))
            raise leakage_error(self._what, self.evidence, len(refused), example)
        return self._read(rows, all_genes=all_genes)

    def control_profile(self, cell_line: str) -> FloatArray | None:
        """Mean vehicle profile of a line, (n_genes,), weighted by cells or wells; None if unknown.

        Raises
        ------
        LeakageError
            If CONTROLS is not declared.
        """
        self._check_controls(f"vehicle profiles of {cell_line}")
        profiles = self._store.vehicle_profiles
        return None if profiles is None else profiles.of(cell_line)

    def control_profiles(self) -> ControlProfiles | None:
        """The control profiles of all lines that have one; None where no line has.

        Those of a table of untreated expression, where the atlas has one, else of its vehicle.

        Raises
        ------
        LeakageError
            If CONTROLS is not declared.
        """
        self._check_controls("control profiles")
        return self._store.line_profiles

    def _check_controls(self, example: str) -> None:
        if Evidence.CONTROLS not in self.evidence:
            raise leakage_error(self._what, self.evidence, 1, example)

    def _allows(self, rows: IntArray) -> BoolArray:
        """(n_rows,) whether each row may be read."""
        raise NotImplementedError

    def _read(self, rows: IntArray, *, all_genes: bool) -> FloatArray:
        """The changes of allowed rows, (n_rows, n_genes)."""
        return self._store.deltas(rows, all_genes=all_genes)


def leakage_error(
    what: str, evidence: Iterable[Evidence], n_rows: int, example: str
) -> LeakageError:
    """The error for a read, named by ``what``, of rows that the declared evidence does not open."""
    declared = ", ".join(sorted(evidence)) or "nothing"
    found = f"it reaches {n_rows} row(s) beyond its evidence ({declared}), e.g. {example}"
    return LeakageError(what, found, "Declare the evidence or leave it.")


class NoDeltas:
    """A ``DeltaReader`` that opens nothing, for selectors that read no measurement."""

    def rows(self, cell_line: str, drugs: Sequence[str], dose_um: float | None) -> IntArray:  # noqa: ARG002
        """Raise ``LeakageError``: nothing may be read."""
        raise LeakageError(f"rows in {cell_line}", "a list reads no measurement", "Leave them.")

    def deltas(self, rows: IntArray, *, all_genes: bool = False) -> FloatArray:  # noqa: ARG002
        """Raise ``LeakageError``: nothing may be read."""
        raise LeakageError(f"{len(rows)} deltas", "a list reads no measurement", "Leave them.")
