"""Doses as files write them, read as micromolar.

Column names and values have one vocabulary of units: ``uM``, ``micromolar``, ``umol/L``,
``umol per litre``, ``umol L-1`` and the like. A number may have a decimal comma, thousands apart,
a power of ten, or a sign before it (``~10``, ``>10``), which is passed over.
"""

from __future__ import annotations

import ast
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

UNITS: Mapping[str, float] = MappingProxyType(
    {"M": 1e6, "mM": 1e3, "uM": 1.0, "µM": 1.0, "μM": 1.0, "nM": 1e-3, "pM": 1e-6}
)
"""Unit -> micromolar in one of it; both Unicode forms of micro are in use."""

LOGARITHMS = Remedy(Fix.LOGARITHMS, "dose")
"""What to do about doses that are logarithms: their base and unit are not guessed."""

_WORDS = {"pico": "p", "nano": "n", "micro": "u", "milli": "m"}
_UNIT = re.compile(
    r"(pico|nano|micro|milli|p|n|u|m|)"
    r"(?:m|molar|mol(?:es?)?(?:per)?(?:l1?|lit(?:er|re)s?|dm3))\Z"
)
_LONGEST_ENDING = 4
"""Words that the unit at the end of a column's name may have: ``dose_umol_per_litre``."""

_BEFORE = re.compile(r"(?:[~≈<>≤≥=]|ca\.?|about|approx(?:imately|\.)?)+\s*", re.IGNORECASE)
_NUMBER = re.compile(
    r"([-+]?(?:\d[\d.,'\s]*|[.,]\d+))(?:e([-+]?\d+)|\s*[x*]\s*10\s*\^?\s*([-+]?\d+))?",
    re.IGNORECASE,
)
_POWER = re.compile(r"10\s*\^\s*([-+]?\d+)")
_COMMA = re.compile(r"[-+]?(\d*),(\d+)")
_GROUPS = re.compile(r"[-+]?\d{1,3}(?:([,.'\s])\d{3})(?:\1\d{3})*(?:(?!\1)[.,]\d+)?")
_POINT = re.compile(r"[-+]?\d+\.\d+")
"""A dot alone is a decimal point: ``1.000`` is one."""

_LOGARITHM = re.compile(
    r"(?:\A|_)(?:log(?:2|10|e)?|ln)(?:_|\Z)|(?:\A|_)log(?:2|10)?(?:dose|conc|[munp]?m(?:_|\Z))"
)
_GROUP = 3
_SIGNIFICANT = 6


class DrugDose(NamedTuple):
    """A drug and, where it is known, its dose in micromolar."""

    drug: str
    dose_um: float


def read_unit(text: str) -> str | None:
    """The unit, as ``UNITS`` has it, that a text writes in any of its forms; None if it is none."""
    letters = _straight(text).casefold()
    match = _UNIT.match("".join(sign for sign in letters if sign.isalnum()))
    return None if match is None else f"{_WORDS.get(match[1], match[1])}M"


def to_um(value: float, unit: str) -> float:
    """``value`` in micromolar, to six digits, so that float32 and float64 files agree.

    Raises
    ------
    InputError
        The unit is none of M, mM, uM, nM, pM in any of their forms.
    """
    known = read_unit(unit)
    if known is None:
        found = f"{unit!r} is no unit of concentration known here"
        raise InputError("dose unit", found, Remedy(Fix.DOSE_UNIT, "dose_unit"))
    scaled = float(value) * UNITS[known]
    return float(f"{scaled:.{_SIGNIFICANT}g}") if math.isfinite(scaled) else math.nan


def parse_dose(value: object, unit: str | None, *, decimal_comma: bool = False) -> float:
    """A dose in micromolar from a number or a text such as ``"10 nM"``; NaN if it is neither.

    A unit in the text wins over ``unit``; where both are missing, the dose cannot be read. With
    ``decimal_comma`` the comma of ``1,000`` parts decimals; else it parts thousands.

    Raises
    ------
    InputError
        No unit is given, or an unknown one.
    """
    text = _BEFORE.sub("", _straight(str(value)).strip().strip("()[]"), count=1)
    power = _POWER.match(text)
    match = _NUMBER.match(text) if power is None else power
    if match is None:
        return math.nan
    written = text[match.end() :].strip(" _-()[]{}\t")
    number = 10.0 ** int(power[1]) if power else _number(match, decimal_comma=decimal_comma)
    if math.isnan(number) or (read_unit(written) is None and re.search(r"\d", written)):
        return math.nan
    if not written and unit is None:
        if number == 0:
            return 0.0
        found = f"'{value}' has no unit, and no column holds one"
        raise InputError("dose", found, Remedy(Fix.DOSE_UNIT, "dose_unit"))
    if written and read_unit(written) is None:
        found = f"the unit {written!r} of '{value}' is no unit of concentration known here"
        raise InputError("dose", found, Remedy(Fix.STRANGE_UNIT, "dose"))
    return to_um(number, written or str(unit))


def has_decimal_comma(values: Iterable[object]) -> bool:
    """Whether a comma parts decimals for sure in one of them: ``0,1``, ``2,5``, ``0,125``."""
    return any(_is_decimal(match) for value in values if (match := _COMMA.search(str(value))))


def is_inexact(value: object) -> bool:
    """Whether a sign before the number says that it is about, below or above it."""
    match = _BEFORE.match(_straight(str(value)).strip().strip("()[]"))
    return match is not None and match[0].strip() != "="


def is_logarithm(name: str) -> bool:
    """Whether a plain column name says that its values are logarithms."""
    return _LOGARITHM.search(name) is not None


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
    words = name.split("_")
    for count in range(min(_LONGEST_ENDING, len(words) - 1), 0, -1):
        unit = read_unit("".join(words[-count:]))
        if unit is not None:
            rest = words[:-count]
            return "_".join(rest[:-1] if rest[-1] == "in" and len(rest) > 1 else rest), unit
    return name, None


def _straight(text: object) -> str:
    """Text in one form of Unicode, with ``u`` for micro, ``x`` for times and plain minus signs."""
    plain = unicodedata.normalize("NFKC", str(text)).replace("\N{GREEK SMALL LETTER MU}", "u")
    return plain.replace("\N{MULTIPLICATION SIGN}", "x").replace("\N{MINUS SIGN}", "-")


def _number(match: re.Match[str], *, decimal_comma: bool) -> float:
    """The number that was matched; NaN where its commas and dots make no sense."""
    digits, exponent = match[1].strip(), match[2] or match[3] or "0"
    comma = _COMMA.fullmatch(digits)
    if comma and (decimal_comma or _is_decimal(comma)):
        digits = digits.replace(",", ".")
    elif (groups := _GROUPS.fullmatch(digits)) and not _POINT.fullmatch(digits):
        digits = digits.replace(groups[1], "").replace(",", ".")
    try:
        return float(f"{digits}e{exponent}")
    except ValueError:
        return math.nan


def _is_decimal(comma: re.Match[str]) -> bool:
    before, after = comma[1], comma[2]
    return len(after) != _GROUP or before.startswith("0") or not 0 < len(before) <= _GROUP
