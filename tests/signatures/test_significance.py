"""Tails and shares, by hand."""

import numpy as np
import pytest

from lgr_core.signatures.significance import (
    SMALLEST,
    compound_percentiles,
    other_drugs_p_value,
    permuted_gene_p_value,
)


def test_the_tail_of_genes_is_students():
    """Of 12 genes r = 0.5 is t = 1.826 with 10 degrees; r = 0 is p = 1/2; r = 1 is clipped."""
    np.testing.assert_allclose(
        permuted_gene_p_value(np.array([0.0, 0.5, -0.5]), 12), [0.5, 0.04893, 0.95107], atol=2e-5
    )
    assert permuted_gene_p_value(np.array([1.0]), 12)[0] == SMALLEST


def test_the_tail_of_others_is_a_share_of_pairs():
    """Of four pairs 1, 3, 4 and 0 reach the scores 3, 2, 0.5 and 4; each counts itself."""
    others = np.array([2.0, 1.0, 3.0, 2.0])
    p = other_drugs_p_value(np.array([3.0, 2.0, 0.5, 4.0]), others)
    np.testing.assert_allclose(p, [2 / 5, 4 / 5, 1, 1 / 5])
    assert other_drugs_p_value(np.array([1.0]), np.array([])).tolist() == [1.0]


def test_a_percentile_counts_the_weaker_scores_of_the_same_drug():
    """Of 20 others at 0.05, 0.10, ..., 1.00 nine are weaker than 0.5, whatever their sign."""
    others = np.tile(np.arange(1, 21) / 20 * np.resize([1, -1], 20), (3, 1))
    counted = np.ones(others.shape, dtype=bool)
    counted[2, 0] = False
    found = compound_percentiles(np.array([0.5, -0.5, 0.5]), others, counted)
    assert found[:2] == pytest.approx([45, -45])
    assert np.isnan(found[2])
