"""Rhaister: its published formula spelt out, and what it may not read."""

import numpy as np
import pytest

from lgr_core.domain import Condition, Evidence
from lgr_core.evaluation.folds import make_folds
from lgr_core.prediction.additive import additive_weights
from lgr_core.prediction.method import Status
from lgr_core.prediction.rhaister import Rhaister
from lgr_core.retrieval.query_block import EvidenceReader
from tests.support.factor_atlas import GENES, build_world, world_of
from tests.support.linear_method_cases import asked_in


def spelt_out(x, line, drug):
    """The authors' formula, from all effects, (n_lines, n_drugs, genes): one query left out."""
    others, panel = np.delete(x, line, axis=0), np.delete(np.arange(x.shape[1]), drug)
    means = others.mean(axis=0)
    apart = others - means
    sources = apart[:, panel].transpose(1, 0, 2).reshape(len(panel), -1)
    gram = sources @ sources.T + np.eye(len(panel))
    v = np.linalg.solve(gram, sources @ apart[:, drug].ravel())
    ridge = means[drug] + v @ (x[line, panel] - means[panel])
    measured = np.ones(x.shape[:2], dtype=bool)
    measured[line, drug] = False
    additive = np.einsum("ld,ldg->g", additive_weights(measured, line, drug), x)
    return 0.95 * ridge + 0.05 * additive


def test_two_drugs_by_hand(tmp_path):
    """One panel drug: v = s / (s + 1) for twice the same change, and the additive share."""
    x = np.zeros((3, 2, GENES))
    x[:, 0, 0], x[:, 1, 0] = [1, 2, 4], [1, 2, 4]
    world = world_of(tmp_path / "w", x)
    found = Rhaister().predict(EvidenceReader(world).block("L2", 1.0, ["D00"])).delta[0]
    # Other lines: means 1.5, departures -0.5 and 0.5, s = 0.5, v = 1/3; D01 departs by 2.5 in L2.
    # Additive: the line's D01 plus the difference of both drugs in the other lines, 4 + 0.
    assert found[0] == pytest.approx(0.95 * (1.5 + 2.5 / 3) + 0.05 * 4, rel=1e-5)
    assert not found[1:].any()


def test_it_is_the_authors_formula(tmp_path):
    """In an atlas without gaps, for every condition."""
    world = build_world(tmp_path / "w", lines=6, drugs=7, noise=0.5)
    x = world.deltas(np.arange(42)).astype(float).reshape(6, 7, -1)
    for block in EvidenceReader(world).blocks(np.arange(42)):
        found = Rhaister().predict(block).delta
        line = int(block.cell_line[1:])
        for drug in range(7):
            np.testing.assert_allclose(found[drug], spelt_out(x, line, drug), atol=2e-4)


def test_a_drug_that_follows_the_panel_is_found(tmp_path):
    """D00 is the mean of two others in every line: the regression learns that, nearly exactly."""
    rng = np.random.default_rng(0)
    x = 5 * rng.standard_normal((8, 5, GENES))
    x[:, 0] = (x[:, 1] + x[:, 2]) / 2
    world = world_of(tmp_path / "w", x)
    found = Rhaister().predict(EvidenceReader(world).block("L3", 1.0, ["D00"])).delta[0]
    assert np.corrcoef(found, x[3, 0])[0, 1] > 0.99


@pytest.mark.parametrize("regime", ["unseen_drug", "unseen_cell_line_strict"])
def test_it_is_not_applicable_where_line_or_drug_is_unknown(tmp_path, regime):
    """Unseen drugs have no combination, and without a panel nothing is combined."""
    world = build_world(tmp_path / "w", lines=6, drugs=8)
    for _, block in asked_in(world, regime):
        found = Rhaister().predict(block)
        assert set(found.status) == {Status.NOT_APPLICABLE}
        assert np.isnan(found.delta).all()


def test_a_drug_without_panel_or_other_lines_is_not_applicable(tmp_path):
    """D00 in L0 stands alone in its line; D01 is measured in L1 only."""
    kept = np.ones((4, 5), dtype=bool)
    kept[0, 1:] = False
    kept[2:, 1] = False
    world = world_of(tmp_path / "w", np.random.default_rng(0).standard_normal((4, 5, GENES)), kept)
    reader = EvidenceReader(world)
    for line, drug in (("L0", "D00"), ("L1", "D01")):
        found = Rhaister().predict(reader.block(line, 1.0, [drug]))
        assert found.status == [Status.NOT_APPLICABLE]
    assert Rhaister().predict(reader.block("L1", 1.0, ["D02"])).status == [Status.OK]


@pytest.mark.parametrize("regime", ["unseen_cell_line", "open_world"])
def test_its_own_measurement_is_not_read(tmp_path, regime):
    """Another change of the query itself moves no bit of its prediction."""
    x = np.random.default_rng(0).standard_normal((5, 6, GENES))
    changed = x.copy()
    changed[2, 3] += 100
    found = []
    for name, values in (("before", x), ("after", changed)):
        world = world_of(tmp_path / name, values)
        row = world.row(Condition("L2", "D03", 1.0))
        (fold,) = (each for each in make_folds(world, regime, 3) if each.test[row])
        (block,) = EvidenceReader(world, fold).blocks(np.array([row]))
        found.append(Rhaister().predict(block).delta)
    assert Rhaister.evidence == {Evidence.TRAIN, Evidence.TARGET_POOL}
    np.testing.assert_array_equal(*found)
