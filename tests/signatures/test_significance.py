"""Tails and shares, by hand."""

import numpy as np

from lgr_core.signatures.significance import SMALLEST, other_drugs_p_value, permuted_gene_p_value


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
