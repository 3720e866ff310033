"""One question, answered with the weight of every condition it stands on."""

import numpy as np
import pytest

from lgr_core.atlas.unseen_drug import UnseenDrug, with_unseen_drug
from lgr_core.domain import Condition
from lgr_core.errors import NotFoundError, UsageError
from lgr_core.prediction.attribution import METHODS, attribute, attribute_block, make_method
from lgr_core.prediction.best_evidence import Route
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector

QUERY = Condition("A549", "Trametinib", 5.0)


def ask(store, method="best_evidence", query=QUERY, **options):
    """Predict with the atlas's own selectors."""
    reader = EvidenceReader(store)
    made = make_method(method, reader, selectors=lambda name: make_selector(name, store))
    return attribute(reader, made, query, **options)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("drug", ["Trametinib", "Tofacitinib", "Mystery compound"])
@pytest.mark.parametrize("all_genes", [False, True])
def test_the_prediction_is_the_sum_of_its_terms(toy, method, drug, all_genes):
    """Every weight stands on a condition by name, none of them the query's own unit."""
    query = Condition("LoVo", drug, 5.0)
    found = ask(toy, method, query, all_genes=all_genes)
    total = np.zeros(8 if all_genes else toy.n_panel)
    for term in found.terms:
        assert len(term.conditions) == term.n
        for condition, weight in term.conditions:
            twins = {drug, *toy.drug_catalog.twins(drug)}
            assert condition.cell_line != "LoVo" or condition.drug not in twins
            row = np.array([toy.row(condition)])
            total += weight * toy.deltas(row, all_genes=all_genes)[0]
        sizes = [abs(weight) for _, weight in term.conditions]
        assert sizes == sorted(sizes, reverse=True)
    np.testing.assert_allclose(found.prediction.delta, total, rtol=1e-3, atol=0.05)
    assert sum(term.share for term in found.terms) == pytest.approx(1)


@pytest.mark.parametrize("method", METHODS)
def test_it_is_what_the_benchmark_scores(toy, method):
    """The same numbers as the method, suited to the drug, gives for a block of queries."""
    reader = EvidenceReader(toy)
    made = make_method(method, reader, selectors=lambda name: make_selector(name, toy))
    block = reader.block("A549", 5.0, ["Vorinostat", "Trametinib"])
    delta = made.specialised_for("Trametinib").predict(block).delta[1]
    found = attribute(reader, made, QUERY).prediction
    np.testing.assert_allclose(found.delta, delta, rtol=1e-3, atol=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_a_block_is_answered_as_its_queries_are_one_by_one(toy, method):
    """In their order, whatever route each takes; of each term the heaviest, and how many."""
    wider = with_unseen_drug(toy, UnseenDrug("A new one", "CCO"))
    reader = EvidenceReader(wider)
    made = make_method(method, reader, selectors=lambda name: make_selector(name, wider))
    drugs = ["Vorinostat", "A new one", "Tofacitinib", "Mystery compound"]
    together = attribute_block(reader.block("A549", 5.0, drugs), made, most=2)
    for drug, found in zip(drugs, together, strict=True):
        alone = attribute(reader, made, Condition("A549", drug, 5.0))
        assert found.prediction.provenance == alone.prediction.provenance
        assert found.prediction.fallback == alone.prediction.fallback
        np.testing.assert_allclose(found.prediction.delta, alone.prediction.delta, rtol=1e-3)
        for few, every in zip(found.terms, alone.terms, strict=True):
            assert (few.term, few.n) == (every.term, every.n)
            assert few.share == pytest.approx(every.share)
            assert [one for one, _ in few.conditions] == [one for one, _ in every.conditions[:2]]


def test_it_says_on_what_it_stands(toy):
    """The drug elsewhere where it was measured; kriging says so of itself."""
    found = ask(toy).prediction
    assert found.provenance["route"] == Route.TWO_WAY
    assert "in other lines" in found.provenance["why"]
    assert ask(toy, "kriging").prediction.provenance["route"] == Route.KRIGING
    assert found.fallback is None


def test_a_condition_that_was_not_measured_can_be_asked_for(toy):
    """A drug without a row at that dose: the line's others answer; two_way says that it cannot."""
    query = Condition("A549", "Cobimetinib", 0.5)
    found = ask(toy, query=query).prediction
    assert found.provenance["route"] == Route.KRIGING
    assert np.isfinite(found.delta).all()
    lost = ask(toy, "two_way", query)
    assert (lost.prediction.fallback, lost.terms) == ("global_mean", ())
    rows = toy.rows("A549", ["Trametinib", "Vorinostat"], 0.5)
    np.testing.assert_allclose(lost.prediction.delta, toy.deltas(rows).mean(axis=0), rtol=1e-5)


def test_a_drug_beyond_the_atlas_leans_on_those_it_resembles(toy):
    """By its structure alone, where nothing else is known of it: its twin weighs most."""
    twin = "CC1CCN(CC1N(C)C2=NC=NC3=C2C=CN3)C(=O)CC"
    wider = with_unseen_drug(toy, UnseenDrug("A new one", twin))
    found = ask(wider, query=Condition("A549", "A new one", 5.0))
    assert found.prediction.provenance["route"] == Route.KRIGING
    assert "chemistry" in found.prediction.provenance["settings"]
    heaviest, _ = found.terms[0].conditions[0]
    assert heaviest.drug.startswith("Tofacitinib")


def test_what_is_unknown_is_refused(toy):
    """A method without weights, a line or dose that the atlas lacks."""
    with pytest.raises(UsageError, match="declares no weights"):
        ask(toy, "pca_ridge")
    with pytest.raises(NotFoundError, match="HeLa"):
        ask(toy, query=Condition("HeLa", "Trametinib", 5.0))
    with pytest.raises(NotFoundError, match="7 uM"):
        ask(toy, query=Condition("A549", "Trametinib", 7.0))
