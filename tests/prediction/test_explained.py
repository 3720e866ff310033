"""One question, answered with the weight of every condition it stands on."""

import numpy as np
import pytest

from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.prediction.explained import METHODS, predict_with, trust_with
from lgr_core.prediction.trust import FEATURES, Calibration, Light
from lgr_core.retrieval.selectors import make_selector

QUERY = Condition("A549", "Trametinib", 5.0)


def ask(store, method="best_evidence", query=QUERY):
    """Predict with the atlas's own selectors."""
    return predict_with(store, method, query, selectors=lambda name: make_selector(name, store))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("drug", ["Trametinib", "Tofacitinib", "Mystery compound"])
def test_the_prediction_is_the_sum_of_its_terms(toy, method, drug):
    """Every weight stands on a condition by name, none of them the query's own unit."""
    query = Condition("LoVo", drug, 5.0)
    found = ask(toy, method, query)
    total = np.zeros(toy.n_panel)
    for term in found.provenance["terms"]:
        for condition, weight in term["conditions"]:
            twins = {drug, *toy.drug_catalog.twins(drug)}
            assert condition.cell_line != "LoVo" or condition.drug not in twins
            total += weight * toy.deltas(np.array([toy.row(condition)]))[0]
    np.testing.assert_allclose(found.delta, total, rtol=1e-3, atol=0.05)
    assert sum(term["share"] for term in found.provenance["terms"]) == pytest.approx(1)


def test_it_says_on_what_it_stands(toy):
    """The drug elsewhere where it was measured; kriging says so of itself."""
    found = ask(toy)
    assert found.provenance["route"] == "two_way"
    assert "in other lines" in found.provenance["why"]
    assert ask(toy, "kriging").provenance["route"] == "kriging"
    assert found.fallback is None


def test_a_condition_that_was_not_measured_can_be_asked_for(toy):
    """A drug without a row at that dose: the line's others answer."""
    found = ask(toy, query=Condition("A549", "Cobimetinib", 0.5))
    assert found.provenance["route"] == "kriging"
    assert np.isfinite(found.delta).all()


def test_what_is_unknown_is_refused(toy):
    """A method without weights, a line or dose that the atlas lacks."""
    with pytest.raises(UsageError, match="declares no weights"):
        ask(toy, "pca_ridge")
    with pytest.raises(NotFoundError, match="HeLa"):
        ask(toy, query=Condition("HeLa", "Trametinib", 5.0))
    with pytest.raises(NotFoundError, match="7 uM"):
        ask(toy, query=Condition("A549", "Trametinib", 7.0))


def test_trust_comes_from_a_calibration(toy):
    """Expected 0.8 whatever is known: green, with reasons and an interval for each gene."""
    n = len(FEATURES)
    flat = Calibration(
        ((-99.0,) * n, (99.0,) * n),
        (0.0,) * n,
        (0.0,) * n,
        (0.0,),
        (0.8,),
        (-0.1,),
        (0.1,),
        (0.0,) * n,
        1.5,
    )
    selectors = {"selectors": lambda name: make_selector(name, toy)}
    found = trust_with(toy, ask(toy), flat, **selectors)
    assert (found.expected, found.low, found.high) == pytest.approx((0.8, 0.7, 0.9))
    assert found.light is Light.GREEN
    others = [d for d in toy.measured_drugs("A549", 5.0) if d != "Trametinib"]
    spread = toy.deltas(toy.rows("A549", others, 5.0)).std(axis=0)
    np.testing.assert_allclose(found.half_width, 1.5 * spread, rtol=1e-4)
    assert "2 other lines" in found.reasons[0]
    assert "6 other drugs" in found.reasons[1]
