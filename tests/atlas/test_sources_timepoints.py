"""One time an atlas."""

import numpy as np
import pandas as pd
import pytest

from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.timepoints import pick_time
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy


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


def pick_named(values, name, wanted=None, controls=()):
    """The time picked from a column of another name, some rows being vehicles."""
    frame = pd.DataFrame({"cell_line": "A", "drug": "T", name: values})
    rows = np.arange(len(frame))
    unused, is_control = np.zeros(len(frame), bool), np.isin(rows, controls)
    return pick_time(frame, guess_columns(frame), wanted, unused, is_control)


def test_one_time_in_several_spellings_is_one():
    """24h is 24 h, 24 hours and a day; what most rows write is what it is called."""
    found = pick(["24h", "24 h", "24 h", "1d", "24.0 hours", 24, "1440 min"])
    assert found.value == "24 h"
    assert not found.others.any()
    assert pick(["24h", "72h"], "1d").others.tolist() == [False, True]
    assert pick(["24h", "72h"], "24").others.tolist() == [False, True]


def test_a_number_alone_has_the_unit_of_its_columns_name():
    """1 in time_days is a day."""
    assert pick_named([1, 1], "time_days").value == "1"
    assert pick_named([1, 3], "time_days", "24h").others.tolist() == [False, True]
    assert pick_named([1, 3], "time_days", "1").others.tolist() == [False, True]


@pytest.mark.parametrize("missing", [None, "nan", "", "<NA>"])
def test_a_vehicle_without_a_time_is_of_its_treatments(missing):
    """It counts to the time that is taken; a treatment without one does not."""
    found = pick_named([missing, "24h", "24h"], "time", controls=[0])
    assert (found.value, found.others.any()) == ("24h", False)
    assert found.vehicles_at == ()
    with pytest.raises(InputError, match="none given"):
        pick_named([missing, "24h", "24h"], "time", controls=[1])


def test_vehicles_of_other_times_alone_are_said():
    """Treatments at 24 h, vehicles at 0 h."""
    assert pick_named([0, 24, 24], "time", "24", controls=[0]).vehicles_at == ("0",)
    assert pick_named([0, 24, 24], "time", "24", controls=[0, 1]).vehicles_at == ()


def test_the_time_of_most_rows_is_offered():
    """Quoted where it has a space, so that it can be pasted."""
    with pytest.raises(InputError, match="Say --time '72 h' or another") as refused:
        pick(["24 h", "72 h", "72 h"])
    assert refused.value.remedy == Remedy(Fix.TIME, "time", ("72 h",))
