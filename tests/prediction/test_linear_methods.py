"""Kriging, two-way regression, best evidence: exact in simple worlds, gated in all."""

import numpy as np
import pytest
from toy import DRUGS
from weighing import asked_in, best_of, kriging_of, routes
from worlds import build_world

from lgr_core.domain import Evidence
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.best_evidence import Route, Settings, other_line_weights
from lgr_core.prediction.drug_kernels import MECHANISM
from lgr_core.prediction.linear_methods import Term
from lgr_core.prediction.mean_baselines import DrugMean, PoolMeans
from lgr_core.prediction.two_way_ridge import Penalties
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.query_block import EvidenceReader


def test_kriging_of_two_candidates_by_hand(toy):
    """Minimises w'Kw - 2 w'k + |w|^2 among weights that sum to 1, by the equations of a border."""
    block = EvidenceReader(toy).block("A549", 5.0, ["Trametinib"])
    method = kriging_of(EvidenceReader(toy), {MECHANISM: 1.0})
    share = method.weights_for(block, block.guard(method.evidence))[0]
    drugs = toy.conditions["drug"].to_numpy()[share.weights.rows]
    kernel = method.likeness
    names = list(block.labels.drugs)
    others = [drug for drug in drugs if drug != "Trametinib"]
    at = [names.index(drug) for drug in others]
    k, K = kernel[names.index("Trametinib"), at], kernel[np.ix_(at, at)]
    one = np.ones((len(at), 1))
    bordered = np.block([[K + np.eye(len(at)), one], [one.T, np.zeros((1, 1))]])
    expected = np.linalg.solve(bordered, [*k, 1])[:-1]
    found = dict(zip(drugs, share.weights.total[0], strict=True))
    np.testing.assert_allclose([found[drug] for drug in others], expected, rtol=1e-5)
    assert found["Trametinib"] == 0
    rows = toy.rows("A549", others, 5.0)
    delta = method.predict(block).delta[0]
    np.testing.assert_allclose(delta, expected @ toy.deltas(rows), rtol=1e-5)


def test_kriging_without_likeness_is_the_pool_mean(toy):
    """It degrades to the mean of all candidates."""
    for reader, block in asked_in(toy, "unseen_drug"):
        found = kriging_of(reader, {}, 1e9).predict(block).delta
        np.testing.assert_allclose(found, PoolMeans().predict(block).delta, rtol=1e-4)


def test_kriging_in_the_strict_regime_stands_on_training_lines(toy):
    """Its rows are of other lines, and another parent's."""
    for reader, block in asked_in(toy, "unseen_cell_line_strict"):
        method = kriging_of(reader)
        for share in method.weights_for(block, block.guard(method.evidence)):
            assert set(share.weights.terms) == {Term.NEIGHBORS_OTHER_LINES}
            lines = toy.conditions["cell_line"].to_numpy()[share.weights.rows]
            assert block.cell_line not in lines


def test_kriging_that_others_share_is_fitted_once_a_fold(toy, monkeypatch):
    """Asked again for the same fold it keeps its kernel; for another it chooses anew."""
    folds, asked = make_folds(toy, "unseen_drug", 3)[:2], []
    method = kriging_of(EvidenceReader(toy, folds[0]))
    monkeypatch.setattr(
        "lgr_core.prediction.kriging.best_of", lambda view, *_: asked.append(view.fold)
    )
    for fold in (folds[0], folds[0], folds[1]):
        method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
    assert asked == list(folds)


def test_a_drug_alone_in_its_line_stands_on_other_lines(tmp_path):
    """Its own measurement opens nothing: the answer is as if it had not been measured there."""
    world = build_world(tmp_path / "w", lines=5, drugs=9, missing=0.6, seed=4)
    block = EvidenceReader(world).block("L3", 1.0, ["D01"])
    assert world.measured_drugs("L3", 1.0) == ("D01",)
    method = kriging_of(EvidenceReader(world))
    (share,) = method.weights_for(block, block.guard(method.evidence))
    assert set(share.weights.terms) == {Term.NEIGHBORS_OTHER_LINES}
    used = world.conditions.iloc[share.weights.rows[share.weights.total[0] != 0]]
    assert len(used)
    assert "D01" not in set(used["drug"])


def test_with_large_penalties_the_pool_mean_is_left(toy):
    """Where drugs do nothing that lasts from line to line, it is what tuning can come to."""
    nothing = Settings(Penalties(lines=1e9, drugs=1e9))
    for reader, block in asked_in(toy, "unseen_cell_line"):
        method = best_of(reader, nothing)
        if routes(method, block) == {"two_way"}:
            expected = PoolMeans().predict(block).delta
            np.testing.assert_allclose(method.predict(block).delta, expected, rtol=1e-3)


def test_two_way_learns_what_lines_and_drugs_share(tmp_path):
    """Effects that are products: no sum of means finds them, the two regressions do."""
    store = build_world(tmp_path / "world")
    block = EvidenceReader(store).block("L3", 1.0, list(store.measured_drugs("L3", 1.0)))
    truth = store.deltas(block.rows)
    learned = best_of(EvidenceReader(store), Settings(Penalties(0.001, 0.001))).predict(block)
    means = DrugMean().predict(block)
    r = pearson_delta(learned.delta, truth)
    assert r.min() > 0.9
    assert r.mean() > pearson_delta(means.delta, truth).mean() + 0.05


def test_two_way_is_the_formula_term_by_term(tmp_path):
    """Drug elsewhere by w, neighbours here by v, neighbours elsewhere by their product."""
    store = build_world(tmp_path / "world", lines=4, drugs=6)
    method = best_of(EvidenceReader(store))
    block = EvidenceReader(store).block("L0", 1.0, ["D00"])
    (share,) = method.weights_for(block, block.guard(method.evidence))
    line, drug = (store.conditions[c].to_numpy()[share.weights.rows] for c in ("cell_line", "drug"))
    terms = {term: weights[0] for term, weights in share.weights.terms.items()}
    w = dict(zip(line, terms[Term.DRUG_OTHER_LINES], strict=True)) | {
        name: terms[Term.DRUG_OTHER_LINES][(line == name) & (drug == "D00")][0]
        for name in ("L1", "L2", "L3")
    }
    here = line == "L0"
    v = dict(zip(drug[here], terms[Term.NEIGHBORS_HERE][here], strict=True))
    assert v["D00"] == 0
    for a, d, weight in zip(line, drug, terms[Term.NEIGHBORS_OTHER_LINES], strict=True):
        assert weight == pytest.approx(0 if a == "L0" else -w[a] * v[d])
    np.testing.assert_allclose(sum(s[0] for s in share.weights.shares().values()), 1)
    expected = share.weights.total[0] @ store.deltas(share.weights.rows)
    np.testing.assert_allclose(method.predict(block).delta[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("missing", [0.3, 0.6])
def test_gaps_are_lived_with(tmp_path, missing):
    """Where many conditions were not measured, every query is answered all the same."""
    store = build_world(tmp_path / "gaps", missing=missing)
    for regime in Regime:
        for reader, block in asked_in(store, regime):
            found = best_of(reader).predict(block)
            assert found.ok.all()
            assert np.isfinite(found.delta).all()


def test_no_line_is_left_out_for_its_gaps(tmp_path):
    """Every line that measured the drug has its weight, and the rule is found all the same."""
    store = build_world(tmp_path / "gaps", lines=10, drugs=20, missing=0.3)
    method = best_of(EvidenceReader(store))
    conditions, r = store.conditions, []
    for block in EvidenceReader(store).blocks(np.arange(len(conditions))):
        for share in method.weights_for(block, block.guard(method.evidence)):
            for place, weights in zip(
                share.places, share.weights.terms[Term.DRUG_OTHER_LINES], strict=True
            ):
                query = block.queries[place]
                used = conditions.iloc[share.weights.rows[weights != 0]]
                measured = conditions[conditions["drug"] == query.drug]
                assert set(used["drug"]) == {query.drug}
                assert set(used["cell_line"]) == set(measured["cell_line"]) - {query.cell_line}
        r.extend(pearson_delta(method.predict(block).delta, store.deltas(block.rows)))
    assert np.mean(r) > 0.9


def test_what_can_be_read_decides(toy):
    """Each regime's route, and none that the evidence does not open."""
    expected = {
        Regime.UNSEEN_DRUG: {Route.KRIGING},
        Regime.UNSEEN_CELL_LINE: {Route.TWO_WAY, Route.KRIGING},
        Regime.UNSEEN_CELL_LINE_STRICT: {Route.OTHER_LINES, Route.NOTHING},
        Regime.OPEN_WORLD: {Route.TWO_WAY, Route.KRIGING},
    }
    for regime, allowed in expected.items():
        found = set()
        for reader, block in asked_in(toy, regime):
            found |= routes(best_of(reader), block)
        assert found <= allowed, regime
        assert min(allowed) in found


def test_without_a_word_nothing_is_read_and_it_is_said(toy):
    """At a dose of one line alone, the strict regime leaves nothing to read: it is said."""
    fold = next(
        fold
        for fold in make_folds(toy, "unseen_cell_line_strict", 3)
        if fold.test[toy.rows("A549", ["Trametinib"], 0.5)].all()
    )
    block = EvidenceReader(toy, fold).block("A549", 0.5, ["Trametinib", "Vorinostat"])
    found = best_of(EvidenceReader(toy, fold)).predict(block)
    assert set(found.fallback) == {"global_mean"}
    assert set(found.status) == {"not_applicable"}
    assert set(found.detail) == {"nothing measured may be read"}


def test_in_the_strict_regime_it_is_the_drug_mean(toy):
    """Without a sharpness of vehicle profiles."""
    for reader, block in asked_in(toy, "unseen_cell_line_strict"):
        known = np.flatnonzero(
            [fallback is None for fallback in DrugMean().predict(block).fallback]
        )
        if len(known):
            part = block.some(known)
            found = best_of(reader).predict(part).delta
            np.testing.assert_allclose(found, DrugMean().predict(part).delta, rtol=1e-5)


def test_lines_with_a_like_vehicle_profile_count_more(tmp_path):
    """Their weights sum to 1, and rise with the profiles' Pearson r."""
    store = build_world(tmp_path / "vehicles", vehicles=True)
    fold = make_folds(store, "unseen_cell_line_strict", 3)[0]
    block = next(iter(EvidenceReader(store, fold).blocks(np.flatnonzero(fold.test))))
    guard = block.guard({Evidence.TRAIN, Evidence.CONTROLS})
    grid = guard.grid()
    lines = np.flatnonzero((grid >= 0).any(axis=1))
    found = other_line_weights(block, guard, Settings(sharpness=2.0)).total[0]
    own = found.reshape(len(lines), -1)[:, 0]
    view = block.view(0, {Evidence.CONTROLS})
    r = [
        np.corrcoef(view.control_profile(block.cell_line), view.control_profile(name))[0, 1]
        for name in block.labels.lines[lines]
    ]
    assert own.sum() == pytest.approx(1)
    np.testing.assert_array_equal(np.argsort(own), np.argsort(r))
    even = other_line_weights(block, guard, Settings()).total[0].reshape(len(lines), -1)[:, 0]
    np.testing.assert_allclose(even, 1 / len(lines))


def test_a_drugs_effects_elsewhere_are_drawn_to_the_mean_of_others_there(tmp_path):
    """As if two further lines had said that mean: with four lines, a third of the answer."""
    store = build_world(tmp_path / "world", lines=6, drugs=5)
    fold = make_folds(store, "unseen_cell_line_strict", 3)[0]
    method = best_of(EvidenceReader(store, fold), Settings(drawn=2.0))
    block = next(iter(EvidenceReader(store, fold).blocks(np.flatnonzero(fold.test))))
    delta, conditions = method.predict(block).delta, store.conditions
    trained = store.deltas(np.flatnonzero(fold.train)).astype(float)
    drugs = conditions["drug"].to_numpy()[fold.train]
    for query, found in zip(block.queries, delta, strict=True):
        own = drugs == query.drug
        assert own.sum() == 4
        expected = 2 / 3 * trained[own].mean(axis=0) + 1 / 3 * trained[~own].mean(axis=0)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_a_share_of_kriging_in_the_pool_is_mixed_in(tmp_path):
    """Three quarters of the two-way answer; each condition stands once, its weights added up."""
    store = build_world(tmp_path / "world", lines=4, drugs=6)
    reader = EvidenceReader(store)
    block = reader.block("L0", 1.0, ["D00", "D01"])
    mixed = best_of(reader, Settings(pooled=0.25))
    (share,) = mixed.weights_for(block, block.guard(mixed.evidence))
    rows = share.weights.rows
    assert len(set(rows)) == len(rows)
    two_way, pool = best_of(reader).predict(block).delta, kriging_of(reader).predict(block).delta
    found = mixed.predict(block).delta
    np.testing.assert_allclose(found, 0.75 * two_way + 0.25 * pool, rtol=1e-4, atol=1e-5)
    by_rows = share.weights.total @ store.deltas(rows).astype(float)
    np.testing.assert_allclose(by_rows, found, rtol=1e-3, atol=1e-4)


def test_the_querys_own_unit_is_nowhere_in_its_weights(toy):
    """In every regime: neither the drug nor its twin in that line, at any dose."""
    conditions = toy.conditions
    for regime in Regime:
        for reader, block in asked_in(toy, regime):
            method = best_of(reader)
            for share in method.weights_for(block, block.guard(method.evidence)):
                rows = share.weights.rows
                for place, weights in zip(share.places, share.weights.total, strict=True):
                    query = block.queries[place]
                    used = conditions.iloc[rows[weights != 0]]
                    twins = {query.drug, *toy.drug_catalog.twins(query.drug)}
                    here = used["cell_line"] == query.cell_line
                    assert not (here & used["drug"].isin(twins)).any()
    assert "Tofacitinib (citrate)" in DRUGS
