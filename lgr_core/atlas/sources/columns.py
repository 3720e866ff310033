"""Which column of a file plays which role, guessed from the conventions in use.

An earlier tier of names wins, and two columns of one tier that say different things are refused.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.column_names import (
    GENE_ROLES,
    ROLES,
    VALUE_ROLE,
    Roles,
    name_in_tiers,
    plain,
)
from lgr_core.atlas.sources.doses import read_unit, split_unit
from lgr_core.domain import EMPTY
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import AmbiguousError, InputError, UsageError
from lgr_core.remedies import Fix, Option, Remedy

log = logging.getLogger(__name__)

_CELLOSAURUS = re.compile(r"CVCL_\w{4}\Z")
_MAY_BE_EMPTY = frozenset({"dose", "dose_unit", "time"})
_FLAG_TEXT = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """Role -> column, which of them were guessed, and the dose unit where no column holds it.

    ``settled`` are the roles that the caller has spoken of, those left unplayed among them.
    """

    columns: Mapping[str, str]
    guessed: frozenset[str] = frozenset()
    dose_unit: str | None = None
    settled: frozenset[str] = frozenset()

    def get(self, role: str, default: str | None = None) -> str | None:
        """The column that plays ``role``, or ``default``."""
        return self.columns.get(role, default)

    def record(self) -> dict[str, str]:
        """Role -> column for provenance; a guess says so."""
        said = {r: f"{c} (guessed)" if r in self.guessed else c for r, c in self.columns.items()}
        return said if self.dose_unit is None else said | {"dose_unit": f"all {self.dose_unit}"}


def guess_columns(
    frame: pd.DataFrame,
    overrides: Mapping[str, str] = EMPTY,
    *,
    roles: Roles = ROLES,
    required: Sequence[str] = ("cell_line", "drug"),
    unread: Sequence[str] = (),
) -> ColumnMap:
    """Say which column of ``frame`` plays which role.

    Parameters
    ----------
    frame
        The metadata, one row an observation; its values settle what names cannot.
    overrides
        Role -> column, believed without a guess. An empty column leaves the role unplayed, and
        ``dose_unit`` may name a unit (nM, uM, mM, M) instead of a column.
    roles
        The table of names to guess from.
    required
        Roles that must be played; ``drug`` may be read from ``drugname_drugconc``.
    unread
        Columns that the file has besides those of ``frame``, to be named if a role is unplayed.

    Raises
    ------
    UsageError
        An override names a role that does not exist.
    AmbiguousError
        Two columns are equally plausible for a role, or the dose's name and its unit column speak
        of different units.
    InputError
        An override names a missing column, or a required role is unplayed.
    """
    given, unit = _believe(frame, overrides, roles)
    columns = {role: column for role, column in given.items() if column}
    guessed = set()
    for role in roles:
        column = None if role in given else _guess(frame, role, roles[role])
        if column is not None:
            columns[role] = column
            guessed.add(role)
    _require(columns, required, [*frame.columns, *unread])
    if unit is None and "dose" in columns and not given.get("dose_unit"):
        unit = _unit_in_name(frame, columns)
    return ColumnMap(MappingProxyType(columns), frozenset(guessed), unit, frozenset(given))


def read_flag(values: pd.Series) -> np.ndarray | None:
    """A control flag as booleans (n,), or None where the values are not yes or no."""
    codes, texts = pd.factorize(values)
    known = [_FLAG_TEXT.get(str(text).strip().casefold()) for text in texts]
    if any(flag is None for flag in known):
        return None
    table = np.array([*known, False], dtype=bool)
    return table[codes]


def _unit_in_name(frame: pd.DataFrame, columns: Mapping[str, str]) -> str | None:
    """The unit that ends the dose column's name, unless a column says the unit row by row."""
    _, unit = split_unit(plain(columns["dose"]))
    said = columns.get("dose_unit")
    if unit is None or said is None:
        return unit
    # A unit that is none known here may be that of vehicles (%), and is refused row by row.
    units = {text for text in map(str, frame[said].dropna().unique()) if read_unit(text)}
    if any(read_unit(text) != unit for text in units):
        what = f"{columns['dose']!r} says {unit}, {said!r} says {', '.join(sorted(units))}"
        remedy = Remedy(Fix.ONE_COLUMN, "dose_unit", (unit, said))
        raise AmbiguousError("the dose unit", what, remedy, candidates=(unit, said))
    return None


def _believe(
    frame: pd.DataFrame, overrides: Mapping[str, str], roles: Roles
) -> tuple[dict[str, str], str | None]:
    """The overrides that name columns, and the dose unit that one of them may name."""
    given, unit = dict(overrides), None
    known = [*ROLES, *GENE_ROLES, VALUE_ROLE]
    strange = sorted(set(given) - set(known))
    if strange:
        do = f"Roles: {', '.join(known)}."
        raise UsageError("--column", f"there is no role {', '.join(strange)}", do)
    asked = given.get("dose_unit")
    if asked not in {None, *frame.columns} and (unit := read_unit(asked)):
        given["dose_unit"] = ""
    given = {role: column for role, column in given.items() if role in roles}
    for role, column in given.items():
        if column and column not in frame.columns:
            found = f"there is no column {column!r}; columns found: {_listed(list(frame.columns))}"
            raise InputError(Option("column", column, role), found, "Name one of these.")
    return given, unit


def _guess(frame: pd.DataFrame, role: str, tiers: tuple[tuple[str, ...], ...]) -> str | None:
    """The best column for a role, or None."""
    names = {column: name_in_tiers(column, role) for column in frame.columns}
    for tier in tiers:
        named = [c for c, name in names.items() if name in tier and not _is_empty(frame[c], role)]
        found = [c for c in named if _fits(frame[c], role, best=tier == tiers[0])]
        if len(found) > 1 and not _agree(frame, found):
            what = f"{' and '.join(map(repr, found))} are equally plausible"
            remedy = Remedy(Fix.ONE_COLUMN, role, tuple(map(str, found)))
            raise AmbiguousError(f"the column for {role}", what, remedy, candidates=found)
        if found:
            return found[0]
    return None


def _fits(values: pd.Series, role: str, *, best: bool) -> bool:
    """Whether the values can play the role that the column's name promises."""
    if role == "is_control":
        return read_flag(values) is not None
    if role == "cell_line" and best:
        return not _are_cellosaurus(values)
    if role == "cellosaurus":
        return _are_cellosaurus(values)
    if role == "plate" and plain(str(values.name)) == "plates":
        return not pd.api.types.is_numeric_dtype(values)  # else it says how many there were
    return True


def _is_empty(values: pd.Series, role: str) -> bool:
    """Whether a column of doses or times holds nothing, so that a later one may play the role."""
    return role in _MAY_BE_EMPTY and all(is_missing(str(text)) for text in values.dropna().unique())


def _are_cellosaurus(values: pd.Series) -> bool:
    texts = values.dropna().unique()
    return len(texts) > 0 and all(_CELLOSAURUS.match(str(text).strip()) for text in texts)


def _agree(frame: pd.DataFrame, columns: list[str]) -> bool:
    first = frame[columns[0]].astype(str)
    return all((first == frame[column].astype(str)).all() for column in columns[1:])


def _require(columns: Mapping[str, str], required: Sequence[str], names: Sequence[object]) -> None:
    for role in required:
        if role in columns or (role == "drug" and "drug_dose" in columns):
            continue
        found = f"no column is named like one; columns found: {_listed(names)}"
        raise InputError(f"the column for {role}", found, Remedy(Fix.COLUMN, role))


def _listed(names: Sequence[object], most: int = 40) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more if len(names) else "none"
