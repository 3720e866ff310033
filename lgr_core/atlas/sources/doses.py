"""Doses as files write them, read as micromolar."""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

UNITS: Mapping[str, float] = MappingProxyType(
    {"M": 1e6, "mM": 1e3, "uM": 1.0, "µM": 1.0, "μM": 1.0, "nM": 1e-3, "pM": 1e-6}
)
"""Unit -> micromolar in one of it; both Unicode forms of micro are in use."""

_FACTORS = {unicodedata.normalize("NFKC", unit).casefold(): f for unit, f in UNITS.items()}
_WRITTEN: Mapping[str, str] = MappingProxyType(
    {
        written: unit
        for unit, word, amount in (
            ("pM", "picomolar", "pmol"),
            ("nM", "nanomolar", "nmol"),
            ("uM", "micromolar", "umol"),
            ("mM", "millimolar", "mmol"),
            ("M", "molar", "mol"),
        )
        for written in (unit.casefold(), word, f"{amount}_l")
    }
)
"""Unit as it ends a plain column name -> unit."""

_ENDING = re.compile(rf"(?:_in)?_({'|'.join(_WRITTEN)})\Z")
_NUMBER = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(\D*)\Z", re.IGNORECASE)
_SIGNIFICANT = 6


class DrugDose(NamedTuple):
    """A drug and, where it is known, its dose in micromolar."""

    drug: str
    dose_um: float


def to_um(value: float, unit: str) -> float:
    """``value`` in micromolar, to six digits, so that float32 and float64 files agree.

    Raises
    ------
    InputError
        The unit is none of M, mM, uM, nM, pM.
    """
    factor = _FACTORS.get(unicodedata.normalize("NFKC", str(unit)).strip().casefold())
    if factor is None:
        found = f"{unit!r} is no unit of concentration known here"
        raise InputError("dose unit", found, Remedy(Fix.DOSE_UNIT, "dose_unit"))
    scaled = float(value) * factor
    return float(f"{scaled:.{_SIGNIFICANT}g}") if math.isfinite(scaled) else math.nan


def parse_dose(value: object, unit: str | None) -> float:
    """A dose in micromolar from a number or a text such as ``"10 nM"``; NaN if it is neither.

    A unit in the text wins over ``unit``; where both are missing, the dose cannot be read.

    Raises
    ------
    InputError
        No unit is given, or an unknown one.
    """
    match = _NUMBER.match(str(value))
    if match is None:
        return math.nan
    written = match[2].strip()
    if not written and unit is None:
        if float(match[1]) == 0:
            return 0.0
        found = f"'{value}' has no unit, and no column holds one"
        raise InputError("dose", found, Remedy(Fix.DOSE_UNIT, "dose_unit"))
    return to_um(float(match[1]), written or str(unit))


def parse_literal(text: str) -> DrugDose | None:
    """Drug and dose of Tahoe's ``"[('Infigratinib', 0.05, 'uM')]"``; None if it is no such text.

    The name is stripped: the source writes ``'Erdafitinib '``. A combination of several drugs is
    named with `` + `` between them and has no single dose.
    """
    if not str(text).lstrip().startswith("[("):
        return None
    try:
        said = ast.literal_eval(text.strip())
        parts = [DrugDose(str(drug).strip(), to_um(dose, unit)) for drug, dose, unit in said]
    except (ValueError, SyntaxError, TypeError, InputError):
        return None
    if len(parts) == 1:
        return parts[0]
    return DrugDose(" + ".join(part.drug for part in parts), math.nan)


def split_unit(name: str) -> tuple[str, str | None]:
    """A plain column name and the unit it ends in: ``dose_um`` -> ``("dose", "uM")``."""
    match = _ENDING.search(name)
    if match is None:
        return name, None
    return name[: match.start()], _WRITTEN[match[1]]
