"""The time at which a treatment was measured: one for a whole atlas, never averaged over."""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.column_names import plain
from lgr_core.atlas.sources.columns import ColumnMap
from lgr_core.domain import BoolArray
from lgr_core.drugs.normalise import is_missing
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Option, Remedy

NO_TIME = "none given"
"""What a row without a time is called."""

_HOURS = {
    word: hours
    for hours, words in (
        (1 / 60, "m min mins minute minutes"),
        (1.0, "h hr hrs hour hours"),
        (24.0, "d day days"),
        (168.0, "w wk wks week weeks"),
    )
    for word in words.split()
}
_TIME = re.compile(r"([-+]?\d+(?:[.,]\d+)?(?:e[-+]?\d+)?)[\s_-]*\(?([a-z]*)\.?\)?")

Time = float | str
"""A time in hours, or a text that is none."""


class OneTime(NamedTuple):
    """The time that is taken, as the file writes it, and the rows (n,) of all others.

    ``vehicles_at`` are the other times of vehicles, where none was measured at this one.
    """

    value: str
    others: BoolArray
    vehicles_at: tuple[str, ...] = ()


def pick_time(
    frame: pd.DataFrame,
    columns: ColumnMap,
    wanted: str | None,
    unused: BoolArray,
    is_control: BoolArray | None = None,
) -> OneTime | None:
    """The one time of a file, or the one of several that is asked for; None where it says none.

    Parameters
    ----------
    frame, columns
        The metadata, and its column that plays ``time``.
    wanted
        The time asked for. ``24``, ``24.0``, ``24h``, ``24 hours`` and ``1d`` are one: a number
        alone has the unit that the column's name ends in, else hours.
    unused
        Rows (n,) that are left out anyway; their times do not count.
    is_control
        Vehicles (n,): one without a time belongs to its treatments'.

    Raises
    ------
    InputError
        The rows are of several times and none is asked for, or none is of the one asked for.
    """
    column = columns.get("time")
    if column is None:
        if wanted is None:
            return None
        remedy = Remedy(Fix.COLUMN, "time")
        raise InputError(Option("time", wanted), "no column holds times", remedy)
    unit = _HOURS.get(plain(column).rsplit("_", 1)[-1], 1.0)
    codes, values = pd.factorize(frame[column], use_na_sentinel=False)
    number, times = _numbered([_hours(value, unit) for value in values])
    rows = number[codes]
    control = np.zeros(len(rows), dtype=bool) if is_control is None else is_control
    timeless = control & (rows == times.index(NO_TIME)) if NO_TIME in times else control & False
    counts = Counter(codes[~unused & ~timeless].tolist())
    written = _spellings(counts, number, values)
    found = sorted(written, key=lambda time: _rank(times[time]))
    if wanted is None and [times[time] for time in found] in ([], [NO_TIME]):
        return None
    said = ", ".join(written[time] for time in found[:10])
    if wanted is None and len(found) > 1:
        most = next(text for time, text in written.items() if times[time] != NO_TIME)
        raise InputError(
            f"the time in column {column!r}",
            f"rows of {len(found)} times, which are never averaged: {said}",
            Remedy(Fix.TIME, "time", (most,)),
        )
    asked = None if wanted is None else _hours(wanted, unit)
    taken = next((time for time in found if asked in {None, times[time]}), None)
    if taken is None:
        found_text = f"times found in column {column!r}: {said or 'none'}"
        raise InputError(Option("time", wanted), found_text, "Name one of these.")
    others = (rows != taken) & ~timeless
    used = control & ~unused
    at = sorted(set(rows[used & others].tolist())) if (others | ~used).all() else []
    return OneTime(written[taken], others, tuple(written[time] for time in at))


def _numbered(times: list[Time]) -> tuple[np.ndarray, list[Time]]:
    """Each value's number, and the different times that they number."""
    known = list(dict.fromkeys(times))
    return np.array([known.index(time) for time in times], dtype=np.intp), known


def _spellings(counts: Counter[int], number: np.ndarray, values: pd.Index) -> dict[int, str]:
    """Time, by number -> how most rows write it."""
    best: dict[int, str] = {}
    for code, _ in counts.most_common():
        best.setdefault(int(number[code]), _written(values[code]))
    return best


def _rank(time: Time) -> tuple[bool, bool, float, str]:
    """Hours in order, then other texts, rows without a time last."""
    is_text = isinstance(time, str)
    return time == NO_TIME, is_text, 0.0 if is_text else time, str(time)


def _hours(value: object, unit: float) -> Time:
    """A time in hours, to six digits; ``unit`` is that of a number alone, in hours."""
    text = _written(value)
    match = _TIME.fullmatch(text.casefold())
    if match is None or (match[2] and match[2] not in _HOURS):
        return text
    number = float(match[1].replace(",", "."))
    return float(f"{number * (_HOURS[match[2]] if match[2] else unit):.6g}")


def _written(value: object) -> str:
    """A time as text: a number in its shortest form, else the text itself."""
    text = "" if pd.isna(value) else str(value).strip()
    if is_missing(text):
        return NO_TIME
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
