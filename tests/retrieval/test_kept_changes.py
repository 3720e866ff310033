"""Views of measured changes on disk: the core's own values, once a build."""

import numpy as np
import pytest

from lgr_core.retrieval import kept_changes as module
from lgr_core.retrieval.kept_changes import kept_changes
from lgr_core.retrieval.specific_change import View, changes_of
from tests.support.plated_atlas import plated_atlas


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two lines, 24 drugs on two plates."""
    return plated_atlas(tmp_path_factory.mktemp("kept") / "plated", lines=2, drugs=24)


@pytest.mark.parametrize("view", [View.SPECIFIC, View.RELATIVE_TO_POOL])
def test_what_is_kept_is_what_is_computed(store, tmp_path, view):
    """Row by row, also where rows are asked for out of order."""
    rows = np.array([30, 2, 47])
    kept = kept_changes(store, view, tmp_path)(rows)
    np.testing.assert_allclose(kept, changes_of(store, view)(rows), rtol=1e-4, atol=1e-5)
    assert np.isfinite(kept).all()


def test_total_changes_are_the_atlas_s_own(store, tmp_path):
    """Nothing is written."""
    np.testing.assert_array_equal(
        kept_changes(store, View.TOTAL, tmp_path)(np.array([3])), store.deltas(np.array([3]))
    )
    assert not list(tmp_path.iterdir())


def test_a_build_is_computed_once_and_takes_the_place_of_an_earlier_one(
    store, tmp_path, monkeypatch
):
    """A damaged file is written again; the other view's file stays."""
    folder = tmp_path / "plated"
    folder.mkdir()
    (folder / "earlier-specific.npy").write_bytes(b"")
    (folder / "earlier-total.npy").write_bytes(b"")
    path = folder / f"{store.build_id}-specific.npy"
    path.write_bytes(b"damaged")
    first = kept_changes(store, View.SPECIFIC, tmp_path)(np.array([1]))
    assert sorted(p.name for p in folder.iterdir()) == sorted([path.name, "earlier-total.npy"])
    monkeypatch.setattr(module, "_write", None)
    np.testing.assert_array_equal(kept_changes(store, View.SPECIFIC, tmp_path)([1]), first)


def test_where_nothing_can_be_written_changes_are_computed(store, tmp_path):
    """A file stands where the folder should."""
    (tmp_path / "plated").write_text("in the way")
    found = kept_changes(store, View.SPECIFIC, tmp_path)(np.array([5]))
    np.testing.assert_array_equal(found, changes_of(store, View.SPECIFIC)(np.array([5])))
