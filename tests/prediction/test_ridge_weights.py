"""Ridge weights against the equations they solve, and their limits."""

import numpy as np
import pytest

from lgr_core.prediction.ridge_weights import residual_mix, ridge_weights, shared_weights


def sources(n=6, genes=40, seed=0):
    """Correlated sources (n, genes) and a target (genes,) of their kind."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, genes)) + rng.standard_normal(genes)
    return x, rng.standard_normal(n) @ x + rng.standard_normal(genes)


def by_hand(gram, cross, penalty, drawn_to):
    """Minimises w'Gw - 2 w'g + p |w - u|^2 by setting the gradient to zero."""
    n = len(cross)
    return np.linalg.solve(gram + penalty * np.eye(n), cross + penalty * np.full(n, drawn_to))


def test_two_sources_by_hand():
    """G = diag(2, 2), g = (2, 0), penalty half of the mean diagonal, p = 1; u is 0, or 1/2."""
    gram, cross = np.diag([2.0, 2.0]), np.array([[2.0, 0.0]])
    np.testing.assert_allclose(ridge_weights(gram[None], cross, 0.5), [[2 / 3, 0]])
    both = np.ones((1, 2), dtype=bool)
    np.testing.assert_allclose(shared_weights(gram, cross, both, 0.5), [[5 / 6, 1 / 6]])


def test_each_target_has_its_own_equations():
    """Two targets with unlike Gram matrices."""
    (x, y), (a, b) = sources(seed=1), sources(seed=2)
    grams, crosses = np.array([x @ x.T, a @ a.T]), np.array([x @ y, a @ b])
    found = ridge_weights(grams, crosses, 0.3)
    for gram, cross, weights in zip(grams, crosses, found, strict=True):
        p = 0.3 * np.trace(gram) / len(gram)
        np.testing.assert_allclose(weights, by_hand(gram, cross, p, 0), rtol=1e-8)


@pytest.mark.parametrize("penalty", [0.1, 2.0])
def test_sources_that_a_target_lacks_weigh_nothing(penalty):
    """As if the equations had been solved without them; with none left, zeros."""
    x, y = sources(8)
    gram, cross = x @ x.T, np.array([x @ y] * 4)
    kept = np.ones((4, 8), dtype=bool)
    kept[1, 3], kept[2, [0, 5]], kept[3] = False, False, False
    found = shared_weights(gram, cross, kept, penalty)
    p = penalty * np.trace(gram) / 8
    for own, weights in zip(kept[:3], found, strict=False):
        assert not weights[~own].any()
        expected = by_hand(gram[np.ix_(own, own)], cross[0, own], p, 1 / own.sum())
        np.testing.assert_allclose(weights[own], expected, rtol=1e-7)
    assert not found[3].any()


def test_without_evidence_the_answer_is_the_mean():
    """Sources of nothing; with a large penalty what weights are drawn to, zeros or the mean."""
    np.testing.assert_allclose(ridge_weights(np.zeros((1, 4, 4)), np.zeros((1, 4)), 1.0), 1 / 4)
    x, y = sources(4)
    np.testing.assert_allclose(ridge_weights((x @ x.T)[None], (x @ y)[None], 1e9), 0, atol=1e-6)
    every = np.ones((1, 4), dtype=bool)
    np.testing.assert_allclose(shared_weights(x @ x.T, (x @ y)[None], every, 1e9), 1 / 4, rtol=1e-6)
    kept = np.array([[True, True, False, True]])
    mean = [[1 / 3, 1 / 3, 0, 1 / 3]]
    np.testing.assert_allclose(shared_weights(np.zeros((4, 4)), np.ones((1, 4)), kept, 1.0), mean)


def test_what_remains_of_a_source_has_nothing_of_the_others():
    """With hardly a penalty, residuals are orthogonal to the other sources; alone, all remains."""
    x, _ = sources(5)
    mix = residual_mix(x @ x.T, 1e-9)
    remaining = mix @ x
    for i in range(5):
        others = np.arange(5) != i
        np.testing.assert_allclose(x[others] @ remaining[i], 0, atol=1e-5)
    np.testing.assert_allclose(np.diag(mix), 1)
    np.testing.assert_array_equal(residual_mix(np.ones((1, 1)), 1.0), [[1.0]])
