"""The map of drugs: scikit-learn's components, one place a drug, kept by build."""

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA

from lgr_core.errors import UsageError
from lgr_core.retrieval.drug_map import drug_map, kept_drug_map, principal_components
from lgr_core.retrieval.specific_change import specific_changes
from tests.support.factor_atlas import build_world
from tests.support.plated_atlas import plated_atlas


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two lines, 24 drugs on two plates."""
    return plated_atlas(tmp_path_factory.mktemp("map") / "plated", lines=2, drugs=24)


def test_components_are_those_of_scikit_learn():
    """Coordinates with their signs, and shares of variance."""
    rows = np.random.default_rng(0).standard_normal((12, 30)).astype(np.float32)
    reference = PCA(2, svd_solver="full").fit(rows.astype(float))
    found, explained = principal_components(rows)
    np.testing.assert_allclose(found, reference.transform(rows.astype(float)), atol=1e-6)
    assert explained == pytest.approx(reference.explained_variance_ratio_)


def test_a_single_row_stands_at_the_origin():
    """Nothing varies."""
    found, explained = principal_components(np.ones((1, 4)))
    assert found.tolist() == [[0, 0]]
    assert explained == (0, 0)


def test_a_drug_stands_where_the_mean_of_its_unit_changes_does(store):
    """Each line's specific change, centred and of norm 1, averaged over the lines."""
    found = drug_map(store)
    changes = specific_changes(store).of(np.arange(48)).astype(float)
    changes -= changes.mean(axis=1, keepdims=True)
    changes /= np.linalg.norm(changes, axis=1, keepdims=True)
    xy, explained = principal_components((changes[:24] + changes[24:]) / 2)
    assert found.drugs["drug"].tolist() == [f"D{b:02}" for b in range(24)]
    np.testing.assert_allclose(found.drugs[["x", "y"]], xy, atol=1e-5)
    assert found.explained == pytest.approx(explained, abs=1e-5)
    assert (found.drugs["n_lines"] == 2).all()
    assert found.left_out == ()


def test_a_map_is_computed_once_for_a_build(store, tmp_path, monkeypatch):
    """The second time it is read; a damaged file is written again."""
    first = kept_drug_map(store, tmp_path / "maps")
    path = next((tmp_path / "maps").iterdir())
    path.write_text("{", encoding="utf-8")
    kept_drug_map(store, tmp_path / "maps")
    monkeypatch.setattr("lgr_core.retrieval.drug_map.drug_map", None)
    again = kept_drug_map(store, tmp_path / "maps")
    pd.testing.assert_frame_equal(again.drugs, first.drugs)
    assert (again.explained, again.left_out) == (first.explained, first.left_out)


def test_drugs_that_cannot_be_separated_are_left_out_by_name(tmp_path):
    """Eleven drugs on one plate have ten others each, ten on the other nine."""
    found = drug_map(plated_atlas(tmp_path / "few", lines=1, drugs=21))
    assert found.drugs["drug"].tolist() == [f"D{b:02}" for b in range(0, 21, 2)]
    assert found.left_out == tuple(f"D{b:02}" for b in range(1, 21, 2))


def test_without_plates_there_is_no_map(tmp_path):
    """The atlas names none."""
    with pytest.raises(UsageError, match="plate"):
        drug_map(build_world(tmp_path / "world"))
