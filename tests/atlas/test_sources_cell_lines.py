"""Cell lines by id and by name."""

import pandas as pd
import pytest

from lgr_core.atlas.sources.clean_names import are_lines, name_lines
from lgr_core.errors import NotFoundError


def test_known_ids_become_names():
    """A line under its id and its name is one; unknown ids and missing ones stay."""
    lines = pd.Categorical(["CVCL_0023", "A549", "CVCL_9999", None, "NA", "CVCL_0399"])
    named = name_lines(lines)
    assert named.tolist()[:3] == ["A549", "A549", "CVCL_9999"]
    assert pd.isna(named[3])
    assert named.tolist()[4:] == ["NA", "LoVo"]
    assert list(named.categories) == ["A549", "CVCL_9999", "LoVo", "NA"]
    assert name_lines(lines[4:5]).tolist() == ["NA"]


def test_lines_are_asked_for_by_any_spelling():
    """Or by id; one that is not there is an error that names the nearest."""
    lines = pd.Categorical(["A549", "HepG2/C3A", "LoVo", None])
    assert are_lines(lines, ["hepg2-c3a", "CVCL_0399"]).tolist() == [False, True, True, False]
    with pytest.raises(NotFoundError, match="Nearest: A549"):
        are_lines(lines, ["A594"])
