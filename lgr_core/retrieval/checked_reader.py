"""Measured deltas behind a check of every row: what query readers and fits have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

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
        if Evidence.CONTROLS not in self.evidence:
            raise leakage_error(self._what, self.evidence, 1, f"vehicle profiles of {cell_line}")
        profiles, labels = self._store.control_profiles, self._store.controls
        if profiles is None:
            return None
        rows = np.flatnonzero((labels["cell_line"] == cell_line).to_numpy())
        if not len(rows):
            return None
        weights = labels["n_cells"].fillna(labels["n_replicates"]).to_numpy(float)[rows]
        return np.average(profiles[rows], axis=0, weights=weights).astype(np.float32)

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
