"""The additive model: exact where effects add up, by hand on four cells, blind to its own unit."""

import numpy as np
import pytest

from lgr_core.domain import Condition, Evidence
from lgr_core.evaluation.folds import make_folds
from lgr_core.prediction.additive import Additive, additive_weights
from lgr_core.prediction.mean_baselines import GlobalMean
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.factor_atlas import GENES, world_of
from tests.support.linear_method_cases import asked_in


def planted(lines=5, drugs=6, seed=0):
    """Sums of effects of lines and of drugs, (n_lines, n_drugs, GENES)."""
    rng = np.random.default_rng(seed)
    of_line, of_drug = rng.standard_normal((lines, GENES)), rng.standard_normal((drugs, GENES))
    return of_line[:, None] + of_drug


def alternated(x, measured, sweeps=2_000):
    """Mean, line and drug effects by alternating least squares: drugs first, from zeros."""
    mu = x[measured].mean()
    alpha, beta = np.zeros(len(measured)), np.zeros(measured.shape[1])
    lines, drugs = measured.any(axis=1), measured.any(axis=0)
    for _ in range(sweeps):
        rest = np.where(measured, x - mu - alpha[:, None], 0)
        beta[drugs] = (rest.sum(axis=0) / np.maximum(measured.sum(axis=0), 1))[drugs]
        rest = np.where(measured, x - mu - beta, 0)
        alpha[lines] = (rest.sum(axis=1) / np.maximum(measured.sum(axis=1), 1))[lines]
    return mu, alpha, np.append(beta, 0.0)


def test_four_cells_by_hand():
    """The missing one is its line's neighbour plus the difference of drugs in the other line."""
    measured = np.array([[False, True], [True, True]])
    np.testing.assert_allclose(additive_weights(measured, 0, 0), [[0, 1], [1, -1]], atol=1e-12)


def test_what_is_unseen_has_no_effect():
    """By hand on a full square: the line's mean, the drug's mean, the mean of all."""
    measured = np.array([[True, True], [True, True], [False, False]])
    half, quarter = [[0.5, 0.5], [0, 0], [0, 0]], [[0.25, 0.25], [0.25, 0.25], [0, 0]]
    np.testing.assert_allclose(additive_weights(measured, 0, -1), half, atol=1e-12)
    column = [[0.5, 0], [0.5, 0], [0, 0]]
    np.testing.assert_allclose(additive_weights(measured, 2, 0), column, atol=1e-12)
    np.testing.assert_allclose(additive_weights(measured, 2, -1), quarter, atol=1e-12)
    assert not additive_weights(np.zeros((2, 2), dtype=bool), 0, 0).any()


@pytest.mark.parametrize("seed", range(6))
def test_weights_are_where_alternating_least_squares_ends(seed):
    """With gaps, with lines or drugs unseen, and in parts that share nothing."""
    rng = np.random.default_rng(seed)
    measured = rng.random((6, 7)) < 0.5
    if seed % 2:  # two parts: the first three lines and drugs, and the rest
        measured[:3, 3:] = measured[3:, :3] = False
        measured[0, 0] = measured[5, 6] = True
    measured[4] = False
    x = rng.standard_normal(measured.shape)
    mu, alpha, beta = alternated(x, measured)
    for line in range(6):
        for drug in range(-1, 7):
            weights = additive_weights(measured, line, drug)
            expected = mu + alpha[line] + beta[drug]  # of drug -1, the zero at the end
            assert (weights * x).sum() == pytest.approx(expected, abs=1e-8)
            assert weights.sum() == pytest.approx(1)
            assert not weights[~measured].any()


def test_planted_effects_are_recovered(tmp_path):
    """Each left-out condition is the sum of its line's and its drug's effect, gaps or not."""
    effects = planted()
    kept = np.random.default_rng(1).random(effects.shape[:2]) < 0.8
    kept[0, 0] = True
    world = world_of(tmp_path / "w", effects, kept)
    (block,) = EvidenceReader(world).blocks(np.array([world.row(Condition("L0", "D00", 1.0))]))
    found = Additive().predict(block)
    np.testing.assert_allclose(found.delta[0], effects[0, 0], atol=1e-5)
    assert found.fallback == [None]


def test_in_folds_an_unseen_line_or_drug_adds_nothing(tmp_path):
    """Full tables of training rows: means of drugs, and means of lines."""
    effects = planted()
    world = world_of(tmp_path / "w", effects)
    for regime, axis in (("unseen_drug", "cell_line"), ("unseen_cell_line", "drug")):
        for reader, block in asked_in(world, regime):
            for query, delta in zip(block.queries, Additive().predict(block).delta, strict=True):
                same = (world.conditions[axis] == getattr(query, axis)).to_numpy()
                rows = np.flatnonzero(same & reader.fold.train)
                np.testing.assert_allclose(delta, world.deltas(rows).mean(axis=0), atol=1e-5)


def test_neither_seen_is_the_global_mean_marked(tmp_path):
    """A drug measured nowhere else, in a line without another drug."""
    effects = planted()
    kept = np.ones(effects.shape[:2], dtype=bool)
    kept[0, 1:], kept[1:, 0] = False, False
    world = world_of(tmp_path / "w", effects, kept)
    block = EvidenceReader(world).block("L0", 1.0, ["D00"])
    found = Additive().predict(block)
    assert found.fallback == [GlobalMean.name]
    np.testing.assert_allclose(found.delta, GlobalMean().predict(block).delta, atol=1e-5)


@pytest.mark.parametrize("regime", ["unseen_drug", "unseen_cell_line", "open_world"])
def test_its_own_measurement_is_not_read(tmp_path, regime):
    """Another change of the query itself moves no bit of its prediction."""
    effects = planted()
    changed = effects.copy()
    changed[2, 3] += 100
    found = []
    for name, values in (("before", effects), ("after", changed)):
        world = world_of(tmp_path / name, values)
        row = world.row(Condition("L2", "D03", 1.0))
        (fold,) = (each for each in make_folds(world, regime, 3) if each.test[row])
        (block,) = EvidenceReader(world, fold).blocks(np.array([row]))
        assert Additive.evidence == {Evidence.TRAIN}
        found.append(Additive().predict(block).delta)
    np.testing.assert_array_equal(*found)
