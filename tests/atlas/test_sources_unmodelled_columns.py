"""Columns that nobody reads."""

import pandas as pd
import pytest

from lgr_core.atlas.sources.columns import guess_columns
from lgr_core.atlas.sources.metadata import read_observations
from lgr_core.atlas.sources.unmodelled_columns import check_design, unread_columns
from lgr_core.errors import InputError


def check(overrides=None, **obs):
    """What the rows of a frame are averaged over."""
    frame = pd.DataFrame({"cell_line": "A", **obs})
    columns = guess_columns(frame, {} if overrides is None else overrides)
    seen = read_observations(frame, columns)
    return check_design(unread_columns(frame, columns), columns, seen)


def test_a_column_that_follows_the_condition_is_harmless():
    """A drug's class, a dose written twice, what differs among vehicles or is a number."""
    averaged = check(
        drug=["DMSO", "DMSO", "Talc", "Zinc", "Zinc"],
        dose_um=[0, 0, 1, 2, 2],
        drug_class=["x", "y", "mineral", "metal", "metal"],
        dose_label=["-", "?", "low", "high", "high"],
        n_reads=[1, 2, 3, 4, 5],
    )
    assert averaged == {}


def test_a_dose_that_tells_rows_apart_is_asked_about():
    """Though another column is read as the dose; unless the caller has settled it."""
    obs = {"drug": ["Talc", "Talc"], "dose_um": [1, 1], "dose_level": ["low", "high"]}
    with pytest.raises(InputError, match=r"'dose_level'.*\(low, high\).*would be averaged"):
        check(**obs)
    assert check({"dose": "dose_um"}, **obs) == {"dose_level": 2}


def test_a_dose_that_is_the_only_one_is_asked_about():
    """Even where it merges nothing, it would be lost."""
    with pytest.raises(InputError, match="'dose_mg_kg'"):
        check(drug=["Talc", "Zinc"], dose_mg_kg=[1, 1])


def test_a_time_that_never_changes_may_pass():
    """One that does, even among vehicles alone, may not."""
    obs = {"drug": ["DMSO", "DMSO", "Talc"]}
    assert check(**obs, harvest_time=["1d", "1d", "1d"]) == {}
    with pytest.raises(InputError, match="'harvest_time': it looks like a time"):
        check(**obs, harvest_time=["1d", "2d", "1d"])


def test_replicates_are_counted_without_a_warning(caplog):
    """To average over them is what is asked."""
    assert check(drug=["Talc", "Talc"], donor_id=["d1", "d2"]) == {"donor_id": 2}
    assert caplog.text == ""
