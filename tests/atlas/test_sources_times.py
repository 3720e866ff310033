"""One time an atlas."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.times import pick_time
from lgr_core.errors import InputError


def pick(values, wanted=None, unused=()):
    """The time picked from a column of them."""
    frame = pd.DataFrame({"cell_line": "A", "drug": "T", "time": values})
    dropped = np.isin(np.arange(len(frame)), unused)
    return pick_time(frame, guess_columns(frame), wanted, dropped)


def test_a_single_time_is_taken():
    """24 and 24.0 are one, and a row that is left out anyway has no say."""
    assert pick([24, 24.0]).value == "24"
    assert pick(pd.Categorical(["24h", "72h"]), unused=[1]).value == "24h"


def test_no_time_is_none():
    """Neither without a column nor with an empty one."""
    frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"]})
    assert pick_time(frame, guess_columns(frame), None, np.array([False])) is None
    assert pick([None, None]) is None


def test_several_times_are_refused_with_the_way_out():
    """A row without a time is another."""
    with pytest.raises(InputError, match="rows of 2 times.*24, 72. Say --time 24"):
        pick([24, 72])
    with pytest.raises(InputError, match="24, none given"):
        pick([24, None])


def test_one_of_several_can_be_asked_for():
    """The other rows are marked."""
    found = pick([24.0, 72.0, 24.0], "24")
    assert found.value == "24"
    assert found.others.tolist() == [False, True, False]


def test_a_time_that_is_not_there_is_refused():
    """With those that are; and where no column holds times."""
    with pytest.raises(InputError, match="--time 48: times found in column 'time': 24, 72"):
        pick([24, 72], "48")
    frame = pd.DataFrame({"cell_line": ["A"], "drug": ["T"]})
    with pytest.raises(InputError, match="--time 48: no column holds times"):
        pick_time(frame, guess_columns(frame), "48", np.array([False]))
