"""A drug in a line without measurements: planted slopes are found, and nothing there is read."""

from copy import copy

import numpy as np
import pytest

from lgr_core.atlas.control_profiles import ControlProfiles
from lgr_core.domain import Evidence
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.line_features import (
    LineFacts,
    LineKernel,
    facts_kernel,
    profile_kernel,
    standardised,
)
from lgr_core.prediction.mean_baselines import DrugMean
from lgr_core.prediction.method import Status
from lgr_core.prediction.profile_ridge import LineBasis, NewLine, ProfileRidge
from lgr_core.prediction.rhaister_o import RhaisterO
from lgr_core.retrieval.line_slopes import line_slopes
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.sums import MeanOver
from tests.support.factor_atlas import GENES, build_world, world_of
from tests.support.plated_atlas import with_noise

LINES, DRUGS = 30, 12
STRICT = Regime.UNSEEN_CELL_LINE_STRICT


def planted(folder, *, lines=LINES, size=1.0, seed=0):
    """Changes ``mean + (shared + own) z``, z each gene's untreated expression, and little noise.

    A twentieth of the conditions is missing.
    """
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((lines, GENES))
    mean, own = rng.standard_normal((2, DRUGS, GENES))
    slopes = size * (rng.standard_normal(GENES) + own)
    deltas = mean + slopes * z[:, None, :] + 0.3 * rng.standard_normal((lines, DRUGS, GENES))
    kept = rng.random((lines, DRUGS)) >= 0.05
    return world_of(folder, deltas, kept, (5 + 2 * z).astype(np.float32))


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Thirty lines with planted slopes on their vehicle profiles."""
    return planted(tmp_path_factory.mktemp("world") / "planted")


def with_table(store, genes=GENES, lines=None):
    """The atlas with some genes and lines of its vehicle profiles as a table."""
    of = store.vehicle_profiles
    some = slice(0, len(of.cell_lines) if lines is None else lines)
    other = copy(store)
    other.__dict__["line_profiles"] = ControlProfiles(
        of.cell_lines[some], of.genes[:genes], of.expression[some, :genes], "log", "table", {}
    )
    return other


def held_out(store, method, *, folds=6):
    """Mean Pearson r of a method and of the drug mean over held-out lines, and what it said."""
    found, means, said = [], [], []
    for fold in make_folds(store, STRICT, folds):
        reader = EvidenceReader(store, fold)
        asked = method()
        asked.fit(reader.training_view(asked.evidence))
        for block in reader.blocks(np.flatnonzero(fold.test)):
            with reader.restricted_to(asked.evidence):
                answer = asked.predict(block)
            truth = block.guard({Evidence.TRUTH}).truth()
            found += pearson_delta(answer.delta, truth).tolist()
            means += pearson_delta(DrugMean().predict(block).delta, truth).tolist()
            said += answer.detail
    return np.mean(found), np.mean(means), set(said)


@pytest.mark.parametrize("method", [ProfileRidge, RhaisterO])
def test_planted_slopes_are_recovered(world, method):
    """Far above the drug's mean, which knows nothing of the line; permuted profiles add nothing."""
    r, of_mean, said = held_out(world, method)
    assert of_mean < 0.65
    assert r > 0.9
    dealt = copy(world)
    dealt.__dict__["line_profiles"] = world.line_profiles.permuted(0)
    permuted, _, _ = held_out(dealt, method)
    assert permuted < of_mean + 0.01
    if method is ProfileRidge:
        assert said == {LineBasis.GENES.label}
        assert permuted > of_mean - 0.02


def test_few_genes_are_read_as_components(world, tmp_path):
    """Where effects follow two factors of the lines, a third of the genes tells both."""
    of_factors = build_world(tmp_path / "factors", lines=20, vehicles=True, noise=0.5)
    r, of_mean, said = held_out(with_table(of_factors, genes=20), ProfileRidge)
    assert said == {LineBasis.COMPONENTS.label}
    assert r > of_mean + 0.1


def test_rhaister_o_needs_most_genes(world):
    """With a tenth of them it is not applicable, and says what it reads."""
    store = with_table(world, genes=6)
    fold = make_folds(store, STRICT, 3)[0]
    reader = EvidenceReader(store, fold)
    asked = RhaisterO()
    asked.fit(reader.training_view(asked.evidence))
    answer = asked.predict(next(iter(reader.blocks(np.flatnonzero(fold.test)))))
    assert set(answer.status) == {Status.NOT_APPLICABLE}
    assert "half of the genes" in answer.detail[0]


def test_too_few_lines_are_the_drug_mean_and_said(world):
    """Seven lines with a profile teach nothing: the drug's mean to the digit, labelled."""
    store = with_table(world, lines=7)
    fold = make_folds(store, STRICT, 3)[0]
    reader = EvidenceReader(store, fold)
    block = next(iter(reader.blocks(np.flatnonzero(fold.test))))
    answer = ProfileRidge().predict(block)
    np.testing.assert_array_equal(answer.delta, DrugMean().predict(block).delta)
    assert set(answer.fallback) == {"drug_mean"}
    assert set(answer.detail) == {LineBasis.NOTHING.label}


@pytest.mark.parametrize("genes", [GENES, 6])
@pytest.mark.parametrize("method", [ProfileRidge, RhaisterO])
def test_the_held_out_lines_changes_move_nothing(world, method, genes):
    """With other numbers in every row of the tested lines, predictions stay to the bit."""
    store = with_table(world, genes=genes)
    fold = make_folds(store, STRICT, 3)[0]
    found = []
    for one in (store, with_noise(store, fold.test)):
        reader = EvidenceReader(one, fold)
        asked = method()
        asked.fit(reader.training_view(asked.evidence))
        blocks = reader.blocks(np.flatnonzero(fold.test))
        found.append(np.concatenate([asked.predict(block).delta for block in blocks]))
    np.testing.assert_array_equal(*found)


def test_profiles_are_evidence_that_must_be_declared(world):
    """Who declares no controls is handed none."""
    fold = make_folds(world, STRICT, 3)[0]
    reader = EvidenceReader(world, fold)
    block = next(iter(reader.blocks(np.flatnonzero(fold.test))))
    with pytest.raises(Exception, match="control profiles|Declare"):
        block.view(0, {Evidence.TRAIN}).control_profiles()


def test_weights_over_all_lines_make_the_shift(world):
    """On components the sum of named conditions is the prediction, by hand."""
    store = with_table(world, genes=6)
    reader = EvidenceReader(store)
    line = NewLine("mine", store.line_profiles.expression[3])
    block = reader.block("mine", 1.0, ["D00", "D01"])
    method = ProfileRidge(line)
    shift = method.shift(block, block.guard(method.evidence))
    assert shift.basis is LineBasis.COMPONENTS
    assert set(shift.lines) == set(store.line_profiles.cell_lines)
    assert max(shift.lines, key=lambda name: shift.lines[name]) == store.line_profiles.cell_lines[3]
    assert abs(sum(shift.lines.values())) < 1e-6
    means, _ = block.guard(method.evidence).mean(MeanOver.DRUG)
    np.testing.assert_allclose(method.predict(block).delta, means + shift.delta, rtol=1e-5)


def test_a_line_of_no_atlas_is_answered(world):
    """By the profile it brings: as close to the line that has it as slopes are."""
    names = world.line_profiles.cell_lines
    reader = EvidenceReader(world)
    profile = world.line_profiles.of(names[0])
    block = reader.block("my own", 1.0, ["D02", "D05"])
    answer = ProfileRidge(NewLine("my own", profile)).predict(block)
    rows = world.rows(names[0], ["D02", "D05"], 1.0)
    assert set(answer.status) == {Status.OK}
    assert pearson_delta(answer.delta, world.deltas(rows)).min() > 0.9


def test_slopes_by_hand():
    """One gene, five lines: x = 2 z for one drug, and 4 z for the other; shared 3, own -1 and 1."""
    z = np.array([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
    x = np.stack([2 * z, 4 * z + 7], axis=1)
    found = line_slopes(x, np.ones((5, 2), dtype=bool), z)
    np.testing.assert_allclose(found.shared, [3])
    np.testing.assert_allclose(found.own, [[-1], [1]], atol=1e-12)
    np.testing.assert_allclose(found.shared_noise, 0, atol=1e-12)
    of_shared, of_own = found.shrunken()
    np.testing.assert_allclose(of_shared, 1)
    np.testing.assert_allclose(of_own, 1)
    without = line_slopes(x, np.ones((5, 2), dtype=bool), np.full((5, 1), np.nan))
    assert not without.own.any()


def test_kernels_by_hand():
    """Two lines: centred they are opposite; a new line as the first leans on the first."""
    kernel = LineKernel.centred(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([1.0, 0.0]))
    np.testing.assert_allclose(kernel.among, [[1, -1], [-1, 1]])
    np.testing.assert_allclose(kernel.own, [1, -1])
    # k (K + I)^-1 = (1, -1) / (2 + 1)
    np.testing.assert_allclose(kernel.weights(1.0), [1 / 3, -1 / 3])
    assert not kernel.weights(0.0).any()
    noise = LineKernel.centred(np.eye(4), np.eye(4)[0])
    assert noise.scale_of(np.zeros((4, 4))) == 0
    a, b = LineFacts.parse("Lung", "KRAS;STK11"), LineFacts.parse(" lung ", "kras, TP53")
    found = facts_kernel(a, [a, b, LineFacts.parse("Skin", "BRAF")])
    assert found.own[0] > found.own[1] > found.own[2]
    assert LineFacts.parse("", "").known is False


def test_signal_is_told_from_noise():
    """Departures along the kernel are believed, those beside it are not."""
    rng = np.random.default_rng(0)
    features = rng.standard_normal((12, 3))
    kernel = profile_kernel(features[0], features)
    centred = features - features.mean(axis=0)
    signal = centred @ rng.standard_normal((3, 400))
    noise = rng.standard_normal((12, 400))
    noise -= noise.mean(axis=0)
    assert kernel.scale_of((signal + noise) @ (signal + noise).T / 400) > 0.2
    assert kernel.scale_of(noise @ noise.T / 400) < 0.1


def test_standardising_leaves_gaps_out():
    """A gene that does not vary, or has no value in the new line, says nothing."""
    others = np.array([[1.0, 5.0, 1.0], [3.0, 5.0, 3.0]])
    z, own = standardised(np.array([4.0, 9.0, np.nan]), others)
    np.testing.assert_allclose(z, [[-1, 0, 0], [1, 0, 0]])
    np.testing.assert_allclose(own, [2, 0, 0])
