"""Columns that play no role, but tell apart rows that would be averaged."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.column_names import REPLICATE_NAME, is_covariate_name, likeness, plain
from lgr_core.atlas.sources.columns import ColumnMap
from lgr_core.atlas.sources.doses import LOGARITHMS, is_logarithm
from lgr_core.atlas.sources.metadata import Observations
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)

_CONDITION = ["cell_line", "drug", "dose_um"]


def unread_columns(obs: pd.DataFrame, columns: ColumnMap) -> Iterator[tuple[str, pd.Series]]:
    """The columns of ``obs`` that play no role and may tell treatments apart, one at a time.

    Those named like a dose, a time or a circumstance, and all that hold no numbers.
    """
    read = set(columns.columns.values())
    for name in obs.columns:
        values = obs[name]
        telling = likeness(name) or is_covariate_name(name) or not _is_number(values)
        if name not in read and telling:
            yield name, values


def check_design(
    unread: Iterable[tuple[str, pd.Series]], columns: ColumnMap, seen: Observations
) -> dict[str, int]:
    """Refuse what looks like a dose or time and is not read as one; count what is averaged over.

    Returns
    -------
    dict
        Column -> its values, for each other column that differs between treated rows of one line,
        drug and dose. Unless it is named like a replicate's number, it is warned of.

    Raises
    ------
    InputError
        A column named like a dose or a time plays no role, the caller has not settled that role,
        and either nothing else plays it (a time that never changes may pass), or the column
        differs between rows of one condition.
    """
    treated = ~seen.frame["is_control"].to_numpy()
    frame = seen.frame[treated]
    groups = frame.groupby(_CONDITION, dropna=False, observed=True).ngroup().to_numpy()
    first = np.zeros(groups.max(initial=-1) + 1, dtype=np.int64)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    played = {"dose": frame["dose_um"].notna().any(), "time": seen.time is not None}
    averaged: dict[str, int] = {}
    for name, values in unread:
        codes, levels = pd.factorize(values.iloc[seen.kept], use_na_sentinel=False)
        own = codes[treated]
        differs = bool((own != own[first][groups]).any())
        role = likeness(name)
        if all(is_missing(str(level)) for level in levels[~pd.isna(levels)]):
            continue
        if role is not None and role not in columns.settled:
            untold = not played[role] and (role == "dose" or len(levels) > 1)
            if untold or differs:
                _ask(name, role, levels, differs=differs)
        elif differs:
            averaged[name] = len(levels)
    telling = [name for name in averaged if not REPLICATE_NAME.search(plain(name))]
    if telling:
        said = ", ".join(f"{name} ({averaged[name]:,} values)" for name in telling)
        log.warning("rows of one line, drug and dose are averaged although they differ in %s", said)
    return averaged


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)


def _ask(name: str, role: str, levels: Iterable[object], *, differs: bool) -> None:
    said = ", ".join(str(level) for level in list(levels)[:5])
    if role == "dose" and is_logarithm(plain(name)):
        raise InputError(f"column {name!r}", f"it says logarithms of doses ({said})", LOGARITHMS)
    merged = "; rows that differ in it would be averaged" if differs else ""
    raise InputError(
        f"column {name!r}",
        f"it looks like a {role} ({said}), but is not read as one{merged}",
        Remedy(Fix.COLUMN_OR_NONE, role, (name,)),
    )
