"""The doses of a file's rows, from its columns of doses and units."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.clean_names import blank, clean_text
from lgr_core.atlas.sources.column_names import plain
from lgr_core.atlas.sources.columns import ColumnMap
from lgr_core.atlas.sources.doses import (
    LOGARITHMS,
    has_decimal_comma,
    is_inexact,
    is_logarithm,
    parse_dose,
)
from lgr_core.domain import EMPTY, BoolArray, FloatArray, IntArray
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError

log = logging.getLogger(__name__)

GROUP_RATIO = 1.1
"""Measured doses of which each is at most this many times the one below it are one dose."""

_MOST_SAID = 5
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Doses:
    """Doses in micromolar ``um`` (n,), NaN where unknown; what treatments have ``unreadable``."""

    um: FloatArray
    unreadable: tuple[str, ...] = ()


def read_doses(frame: pd.DataFrame, columns: ColumnMap, is_control: BoolArray) -> Doses | None:
    """The doses that the file's dose column has; None where it has no column, or an empty one.

    Vehicles have none: neither their numbers nor their units are read.

    Raises
    ------
    InputError
        The doses are logarithms, or one has no unit or an unknown one.
    """
    column = columns.get("dose")
    if column is None:
        return None
    if is_logarithm(plain(column)):
        raise InputError(f"doses in column {column!r}", "its name says logarithms", LOGARITHMS)
    codes, values = pd.factorize(frame[column])
    used = np.unique(codes[~is_control])
    given = [i for i in used if i >= 0 and not is_missing(str(values[i]))]
    if not given:
        log.warning("column %r is empty: no doses are read", column)
        return None
    table = _read(frame, columns, np.where(is_control, -1, codes), values)
    unreadable = [i for i in given if np.isnan(table[(codes == i) & ~is_control]).any()]
    _check_no_logarithms(column, table)
    _warn_of_readings(column, [str(values[i]) for i in given])
    return Doses(table, tuple(str(values[i]) for i in unreadable))


@dataclass(frozen=True, slots=True)
class DoseGroups:
    """Doses ``um`` (n,) by the name of their group; ``members`` of those of several values.

    ``measured`` different doses became ``groups``; ``members`` maps a group's dose to its values,
    both as text.
    """

    um: FloatArray
    measured: int = 0
    groups: int = 0
    members: Mapping[str, str] = field(default_factory=lambda: EMPTY)

    def record(self) -> dict[str, object]:
        """What was grouped, for the provenance; empty where nothing was."""
        if not self.members:
            return {}
        counted = {"measured": self.measured, "groups": self.groups}
        return {"doses_grouped": counted, "dose_groups": dict(self.members)}


def group_doses(um: FloatArray) -> DoseGroups:
    """Measured doses within 10 % of each other as one, named by the median over rows.

    Doses are chained: in ascending order, each within 10 % of the one below belongs to its group.
    Of an even number of rows the lower median is taken, so that a group's name was measured. Where
    no two doses are that near, ``um`` (n,) comes back as it is.
    """
    values = np.sort(pd.unique(um[np.isfinite(um)]))
    apart = values[1:] > values[:-1] * GROUP_RATIO * (1 + _ROUNDING)
    group = np.concatenate([[0], np.cumsum(apart)]).astype(np.intp)
    if len(values) == 0 or apart.all():
        return DoseGroups(um, len(values), len(values))
    counts = pd.Series(um).value_counts()[values].to_numpy()
    names, members = np.full(len(values) + 1, np.nan), {}
    for number in range(group[-1] + 1):
        inside = np.flatnonzero(group == number)
        rows = np.cumsum(counts[inside])
        names[inside] = values[inside[np.searchsorted(rows, (rows[-1] + 1) // 2)]]
        if len(inside) > 1:
            members[f"{names[inside[0]]:g}"] = ";".join(f"{value:g}" for value in values[inside])
    codes = np.searchsorted(values, um)  # NaN comes after all values, where the name is NaN too
    return DoseGroups(names[codes], len(values), int(group[-1]) + 1, members)


def quoted(texts: Iterable[str]) -> str:
    """Up to five texts in quotes."""
    each = [repr(text) for text in texts]
    return ", ".join(each[:_MOST_SAID]) + (", ..." if len(each) > _MOST_SAID else "")


def _read(frame: pd.DataFrame, columns: ColumnMap, codes: IntArray, values: pd.Index) -> FloatArray:
    """Dose in micromolar (n,): each pair of a text and a unit is read once."""
    unit_column = columns.get("dose_unit")
    units = blank(len(frame)) if unit_column is None else clean_text(frame[unit_column])
    known = [columns.dose_unit if unit_column is None else name for name in units.categories]
    n_units = len(known) + 1  # the last stands for a missing unit, code -1
    pairs, inverse = np.unique(codes * n_units + units.codes % n_units, return_inverse=True)
    comma = has_decimal_comma(values)
    table = [
        np.nan if dose < 0 else parse_dose(values[dose], [*known, None][unit], decimal_comma=comma)
        for dose, unit in (divmod(int(pair), n_units) for pair in pairs)
    ]
    return np.array(table, dtype=float)[inverse]


def _check_no_logarithms(column: str, doses: FloatArray) -> None:
    """Refuse doses of which none is positive and one is below zero."""
    known = doses[np.isfinite(doses)]
    if len(known) and (known <= 0).all() and (known < 0).any():
        found = f"none is positive and the lowest is {known.min():g} uM, as of logarithms"
        raise InputError(f"doses in column {column!r}", found, LOGARITHMS)


def _warn_of_readings(column: str, values: Sequence[str]) -> None:
    """Warn of signs that are passed over, and of commas that could be read in two ways."""
    inexact = [value for value in values if is_inexact(value)]
    if inexact:
        log.warning("column %r: signs before doses are passed over: %s", column, quoted(inexact))
    commas = [value for value in values if "," in value]
    if commas and not has_decimal_comma(values):
        log.warning("column %r: commas are read as thousands: %s", column, quoted(commas))
