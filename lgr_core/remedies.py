"""What mends an error, as a typed value: a flag in the shell, a field of a form on a page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Fix(Enum):
    """The ways to mend a request; the value is the shell's sentence."""

    COLUMN = "Say --column {role}=NAME."
    ONE_COLUMN = "Say {flags}."
    COLUMN_OR_NONE = "Say --column {role}={first!r}, or --column {role}= if it is none."
    DOSE_UNIT = "Say --column dose_unit=uM (or nM, mM, M)."
    TIME = "Say --time {first} or another of them, or --column time= if it is no treatment time."
    VALUE_KIND = "For ready deltas say --value-kind (lognorm_delta, log2fc, zscore or rank_score)."
    COUNTS_LAYER = (
        "Name the layer of raw counts with --layer, or say --value-kind if these are ready deltas."
    )
    AS_COUNTS = "Leave out --value-kind to have them read as counts."
    UNSIGNED = "Take the vehicle's expression away first, or say --unsigned if these are changes."
    VEHICLE = "Name the vehicle with --control LABEL."
    COLUMNS_OR_VEHICLE = "Check the columns chosen, or name the control labels with --control."
    LAYER = "Name one of these with --layer."
    ANOTHER_LAYER = "Check the file, or name another --layer."
    NO_LAYER = "Leave out --layer."
    UNIT = "Say --unit cell or --unit well."
    NO_FLAG = "keep as drugs: --column {role}="
    LIST_NAMES = "List the names: lgr info {first} --json."


@dataclass(frozen=True, slots=True)
class Remedy:
    """One way to mend a request; as text, the shell's sentence.

    ``role`` is the role of the column concerned, ``values`` are what may be given for it.
    """

    fix: Fix
    role: str = ""
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        flags = " or ".join(f"--column {self.role}={value}" for value in self.values)
        first = self.values[0] if self.values else ""
        return self.fix.value.format(role=self.role, first=first, flags=flags)


@dataclass(frozen=True, slots=True)
class Option:
    """An option as it was given; as text, the shell's flag.

    ``name`` is the flag's (``column``, ``time``), ``role`` that of a column.
    """

    name: str
    value: str
    role: str = ""

    def __str__(self) -> str:
        said = f"{self.role}={self.value}" if self.role else self.value
        return f"--{self.name} {said}"
