"""The time at which a treatment was measured: one for a whole atlas, never averaged over."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.sources.columns import ColumnMap
from lgr_core.domain import BoolArray
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Option, Remedy

NO_TIME = "none given"
"""What a row without a time is called."""


class OneTime(NamedTuple):
    """The time that is taken, as the file writes it, and the rows (n,) of all others."""

    value: str
    others: BoolArray


def pick_time(
    frame: pd.DataFrame, columns: ColumnMap, wanted: str | None, unused: BoolArray
) -> OneTime | None:
    """The one time of a file, or the one of several that is asked for; None where it says none.

    Parameters
    ----------
    frame, columns
        The metadata, and its column that plays ``time``.
    wanted
        The time asked for: ``24`` is also 24.0; anything else is compared to the letter.
    unused
        Rows (n,) that are left out anyway; their times do not count.

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
    codes, values = pd.factorize(frame[column], use_na_sentinel=False)
    times = np.array([_written(value) for value in values], dtype=object)[codes]
    found = sorted(set(times[~unused]))
    if wanted is None and found in ([], [NO_TIME]):
        return None
    if wanted is None and len(found) > 1:
        first = next(time for time in found if time != NO_TIME)
        raise InputError(
            f"the time in column {column!r}",
            f"rows of {len(found)} times, which are never averaged: {', '.join(found[:10])}",
            Remedy(Fix.TIME, "time", (first,)),
        )
    taken = found[0] if wanted is None else _written(wanted)
    if wanted is not None and taken not in found:
        said = f"times found in column {column!r}: {', '.join(found[:10]) or 'none'}"
        raise InputError(Option("time", wanted), said, "Name one of these.")
    return OneTime(taken, times != taken)


def _written(value: object) -> str:
    """A time as text: a number in its shortest form, else the text itself."""
    text = "" if pd.isna(value) else str(value).strip()
    try:
        return f"{float(text):g}"
    except ValueError:
        return text or NO_TIME
