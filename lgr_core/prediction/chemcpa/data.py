"""What chemCPA (re-implementation) is trained on, checked at the door. NumPy only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError, UsageError
from lgr_core.prediction.chemcpa.options import LABEL

VEHICLE = -1
"""The number in ``drug`` that says: no drug."""


@dataclass(frozen=True, slots=True, eq=False)
class Conditions:
    """Line, drug and dose in uM of some rows, (n,) each; a dose of NaN is pooled over doses."""

    line: IntArray
    drug: IntArray
    dose_um: FloatArray

    @classmethod
    def of(cls, line: ArrayLike, drug: ArrayLike, dose_um: ArrayLike) -> Conditions:
        """The columns as they are handed in; None among the doses is pooled, too."""
        dose = np.asarray(dose_um, dtype=float)
        return cls(np.asarray(line, dtype=np.int64), np.asarray(drug, dtype=np.int64), dose)

    def take(self, rows: BoolArray) -> Conditions:
        """Some of the rows."""
        return Conditions(self.line[rows], self.drug[rows], self.dose_um[rows])

    def with_vehicle(self, lines: IntArray) -> Conditions:
        """The same rows and one of vehicle for each of these lines."""
        n = len(lines)
        return Conditions(
            np.concatenate([self.line, lines]),
            np.concatenate([self.drug, np.full(n, VEHICLE)]),
            np.concatenate([self.dose_um, np.full(n, np.nan)]),
        )

    def check(self, n_lines: int, n_drugs: int) -> None:
        """Raise UsageError unless columns fit each other and every number is in range."""
        if not self.line.shape == self.drug.shape == self.dose_um.shape == (len(self.line),):
            shapes = f"{self.line.shape}, {self.drug.shape} and {self.dose_um.shape}"
            raise UsageError(f"{LABEL}: line, drug, dose", shapes, "Give one of each a row.")
        for name, numbers, least, n in (
            ("line", self.line, 0, n_lines),
            ("drug", self.drug, VEHICLE, n_drugs),
        ):
            outside = (numbers < least) | (numbers >= n)
            if outside.any():
                found = f"{numbers[outside][0]} where there are {n:,}"
                raise UsageError(f"{LABEL}: {name}", found, f"Number them from {least}.")
        wrong = (self.drug != VEHICLE) & ~np.isnan(self.dose_um) & ~(self.dose_um > 0)
        if wrong.any():
            found = f"{self.dose_um[wrong][0]:g} uM of a drug"
            raise UsageError(f"{LABEL}: dose", found, "Give a positive dose, or NaN if pooled.")


@dataclass(frozen=True, slots=True, eq=False)
class TrainingSet:
    """Profiles (n, n_genes), their conditions, and which of them (n,) are for validation.

    ``controls`` (n_lines, n_genes) are the lines' vehicle profiles; without them profiles are
    deltas and vehicle is zero. Lines without a row may have NaN there.
    """

    profiles: FloatArray
    conditions: Conditions
    validation: BoolArray
    controls: FloatArray | None

    @property
    def mode(self) -> Literal["profiles", "deltas"]:
        """What the profiles are."""
        return "deltas" if self.controls is None else "profiles"

    @property
    def treated(self) -> BoolArray:
        """(n,) the rows that are not of vehicle."""
        return self.conditions.drug != VEHICLE

    def known(self, known_structure: BoolArray) -> BoolArray:
        """(n,) the rows of vehicle or of a drug whose structure is known, (n_drugs,) flags."""
        return ~self.treated | known_structure[self.conditions.drug]

    def fitted(self, known_structure: BoolArray) -> BoolArray:
        """(n,) the rows to train on.

        Raises
        ------
        InputError
            If fewer than two treated ones are left: batch normalisation needs two.
        """
        fitted = ~self.validation & self.known(known_structure)
        left = int((fitted & self.treated).sum())
        if left < 2:  # noqa: PLR2004 - said above
            found = f"{left} treated rows are left to train on"
            raise InputError(LABEL, found, "Give more conditions of drugs with a structure.")
        return fitted

    def treated_lines(self, rows: BoolArray) -> IntArray:
        """The lines with a treated row among these, ascending."""
        return np.unique(self.conditions.line[rows & self.treated])

    def key(self, model: str) -> str:
        """SHA-256 of all of it and of a model's key."""
        where = self.conditions
        columns = (where.line, where.drug, where.dose_um)
        return digest(self.profiles, *columns, self.validation, self.controls, text=model)

    def vehicle(self, n_lines: int) -> FloatArray:
        """One vehicle profile a line, (n_lines, n_genes): zero where profiles are deltas."""
        if self.controls is not None:
            return self.controls
        return np.zeros((n_lines, self.profiles.shape[1]), dtype=np.float32)

    def check(self, shape: tuple[int, int, int], *, relu: bool) -> None:
        """Raise unless all of it fits (n_lines, n_drugs, n_genes) and can be trained on."""
        n_lines, n_drugs, n_genes = shape
        n = len(self.validation)
        if self.profiles.shape != (n, n_genes) or self.conditions.line.shape != (n,):
            found = f"{self.profiles.shape} beside {self.conditions.line.shape} and {n} flags"
            raise UsageError(f"{LABEL}: profiles", found, f"Give (n, {n_genes:,}) and n of each.")
        self.conditions.check(n_lines, n_drugs)
        if (self.validation & (self.conditions.drug == VEHICLE)).any():
            raise UsageError(
                f"{LABEL}: validation", "vehicle rows in it", "Validate on drugs only."
            )
        self._check_controls(n_lines, n_genes)
        if not np.isfinite(self.profiles).all():
            raise InputError(f"{LABEL}: profiles", "a value is not finite", "Leave the row out.")
        if relu and (self.profiles < 0).any():
            found = "negative values, which its ReLU decoder cannot rebuild"
            raise UsageError(f"{LABEL}: profiles", found, 'Use decoder="linear".')

    def _check_controls(self, n_lines: int, n_genes: int) -> None:
        if self.controls is None:
            return
        if self.controls.shape != (n_lines, n_genes):
            found = f"shape {self.controls.shape}"
            raise UsageError(f"{LABEL}: controls", found, f"Give ({n_lines:,}, {n_genes:,}).")
        if not np.isfinite(self.controls[self.conditions.line]).all():
            found = "a line with rows has a value that is not finite"
            raise InputError(f"{LABEL}: controls", found, "Leave the line out.")


def digest(*arrays: np.ndarray | None, text: str = "") -> str:
    """SHA-256 of arrays, their shapes and types, and a text."""
    sha = hashlib.sha256(text.encode())
    for array in arrays:
        sha.update(b"none" if array is None else f"{array.dtype}{array.shape}".encode())
        if array is not None:
            sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()
