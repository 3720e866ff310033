"""Deltas that are computed when they are read are those of plain arithmetic, to the bit."""

import numpy as np
import pytest
from h5ads import Counts, observed

from lgr_core.atlas import lazy_deltas as profiles
from lgr_core.atlas.pseudobulk import pseudobulk

RNG = np.random.default_rng(5)
X = RNG.poisson(1.0, (60, 11)).astype(float)
NAMES = [("A", "B"), ("DMSO", "Talc", "Zinc"), (1.0, 5.0), ("p", "q")]
OBS = observed([tuple(RNG.choice(values) for values in NAMES) for _ in X])


@pytest.fixture(params=["cells", "pseudobulk"])
def tables(request, tmp_path):
    """The same table, computed at once and left to be read."""
    options = {"order": request.param}
    return pseudobulk(Counts(X, OBS), **options), pseudobulk(
        Counts(X, OBS), **options, folder=tmp_path
    )


@pytest.mark.parametrize("at_once", [1, 40, 10**6])
def test_rows_are_the_same_however_many_are_read(tables, monkeypatch, at_once):
    """One by one, backwards, by slices, all; with room for the sums of one row or of all."""
    now, lazy = tables
    monkeypatch.setattr(profiles, "SUMS_AT_ONCE", at_once)
    for name in ("deltas", "plate_deltas", "control_profiles"):
        expected, rows = getattr(now, name), getattr(lazy, name)
        assert isinstance(expected, np.ndarray)
        assert (len(rows), rows.shape, rows.dtype) == (len(expected), expected.shape, np.float32)
        back = np.arange(len(rows))[::-1]
        for place in (back, back[:1], slice(1, 4), slice(None)):
            assert rows[place].tobytes() == expected[place].tobytes()
        assert np.asarray(rows).tobytes() == expected.tobytes()


def test_no_more_sums_are_held_than_there_is_room_for(tables, monkeypatch):
    """A row of one group and its vehicle needs two; more than is needed is never asked for."""
    rows, asked = tables[1].plate_deltas, []
    monkeypatch.setattr(profiles, "SUMS_AT_ONCE", 4 * X.shape[1])
    sums = type(rows.sums).sums
    monkeypatch.setattr(
        type(rows.sums),
        "sums",
        lambda self, groups: asked.append(len(groups)) or sums(self, groups),
    )
    assert np.isfinite(np.asarray(rows)).all()
    assert (min(asked), max(asked)) >= (2, 3)
    assert max(asked) <= 4
