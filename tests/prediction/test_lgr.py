"""LGR averages the realised neighbours and nothing else; its fallback has a name."""

import numpy as np
import pytest

from lgr_core.answer import predict
from lgr_core.answer.baselines import verdict
from lgr_core.domain import Condition, Evidence, Proposal, Selection, StructuredReason
from lgr_core.errors import EmptyPoolError, LeakageError, LgrError, UsageError
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.lgr_controls import Oracle
from lgr_core.prediction.mean_baselines import PoolMeans
from lgr_core.prediction.method import Status
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from tests.support.guarded_reads import one

QUERY = Condition("A549", "Trametinib", 5.0)


class Names:
    """A selector that proposes the names it was given."""

    name = "names"
    evidence = frozenset()

    def __init__(self, *names):
        self.names = names

    def select(self, pool, k, view):
        """The names, whatever is asked."""
        return Selection(tuple(Proposal(name) for name in self.names))


def run(store, method, query=QUERY, *, all_genes=False):
    """One question, with just the evidence that the method declares; an error is raised."""
    block = one(store, query)
    with block._reader.restricted_to(method.evidence):
        over = block.over_all_genes() if all_genes else block
        (found,) = method.explain(block, over)
    if isinstance(found, LgrError):
        raise found
    return found


def measured(store, *drugs, all_genes=False):
    """Measured deltas in A549 at 5 uM."""
    return store.deltas(store.rows("A549", list(drugs), 5.0), all_genes=all_genes)


def test_lgr_is_the_mean_of_its_neighbours(toy):
    """Rejected names take no part."""
    found = run(toy, LGR(Names("Aspirin", "Cobimetinib", "Vorinostat"), toy.drug_catalog))
    np.testing.assert_allclose(found.delta, measured(toy, "Cobimetinib", "Vorinostat").mean(axis=0))
    assert found.weights == (0.5, 0.5)
    assert found.retrieval.k_used == 2
    assert found.fallback is None


def test_lgr_predicts_every_gene_when_asked(toy):
    """The panel stands first in both."""
    wide = run(toy, LGR(Names("Cobimetinib"), toy.drug_catalog), all_genes=True)
    np.testing.assert_array_equal(wide.delta, measured(toy, "Cobimetinib", all_genes=True)[0])
    assert len(wide.delta) == 8


def test_nobody_found_is_a_labelled_fallback(toy):
    """The pool mean answers, and says so; the retrieval shows why."""
    found = run(toy, LGR(Names("Aspirin"), toy.drug_catalog))
    assert (found.fallback, found.weights, found.retrieval.k_used) == ("pool_mean", (), 0)
    (pool,) = one(toy, QUERY).pools
    np.testing.assert_allclose(found.delta, measured(toy, *pool.drugs).mean(axis=0), rtol=1e-6)
    assert [weight for _, weight in found.terms[0].conditions] == [1 / 6] * 6


def test_a_fallback_can_be_refused(toy):
    """With "none" the caller gets an error instead of a stand-in."""
    with pytest.raises(EmptyPoolError, match="named none of the 6"):
        run(toy, LGR(Names(), toy.drug_catalog, fallback="none"))
    with pytest.raises(UsageError, match="fallback 'guess'"):
        LGR(Names(), toy.drug_catalog, fallback="guess")
    refused = LGR(Names(), toy.drug_catalog, fallback="none").predict(one(toy, QUERY))
    assert (list(refused.status), refused.fallback) == ([Status.EMPTY_POOL], [None])
    assert np.isnan(refused.delta).all()


def test_unknown_or_empty_is_refused(toy):
    """No such aggregation, no neighbour asked for: no number, and nobody is asked."""
    with pytest.raises(UsageError, match="Choose one of: mean"):
        LGR(Names(), toy.drug_catalog, how="magic")
    asked = []
    selector = Names()
    selector.select = lambda *_: asked.append(1)
    with pytest.raises(UsageError, match="k = 0"):
        run(toy, LGR(selector, toy.drug_catalog, 0))
    assert not asked


def test_pool_mean_reads_the_pool_only(toy):
    """The query's twins take no part in it."""
    block = one(toy, Condition("A549", "Tofacitinib", 5.0))
    (pool,) = block.pools
    assert "Tofacitinib (citrate)" not in pool.drugs
    expected = measured(toy, *pool.drugs).mean(axis=0)
    np.testing.assert_allclose(PoolMeans().predict(block).delta[0], expected, rtol=1e-6)


def test_methods_declare_what_their_selector_reads(toy):
    """Mechanism needs the pool; the oracle the truth as well; controls keep their own ids."""
    mechanism = LGR(make_selector("mechanism", toy), toy.drug_catalog)
    oracle = LGR(make_selector("oracle", toy), toy.drug_catalog)
    assert mechanism.evidence == {Evidence.TARGET_POOL}
    assert oracle.evidence == {Evidence.TARGET_POOL, Evidence.TRUTH}
    assert (mechanism.name, oracle.name) == ("lgr_mechanism", "oracle_k")


@pytest.mark.parametrize("name", ["mechanism", "chemistry", "random", "oracle"])
def test_the_truth_changes_no_honest_prediction(toy, name):
    """Every method but the oracle gives the same delta with the truth out of reach."""
    method, block = LGR(make_selector(name, toy), toy.drug_catalog, k=3), one(toy, QUERY)
    with block._reader.restricted_to(frozenset({Evidence.TARGET_POOL})):
        if name == "oracle":
            with pytest.raises(LeakageError):
                method.predict(block)
        else:
            found = method.predict(block).delta[0]
            np.testing.assert_allclose(found, run(toy, method).delta, rtol=1e-6)


class Peeks:
    """A selector that reads the query itself, of which it declares nothing."""

    name = "peeks"
    evidence = frozenset({Evidence.TARGET_POOL})

    def select(self, pool, k, view):
        """Nobody: the read is refused."""
        query = pool.query
        return view.deltas(view.rows(query.cell_line, [query.drug], query.dose_um))


def test_a_selector_that_reads_beyond_its_evidence_is_a_fault(toy):
    """It is raised, not counted as a query without an answer."""
    with pytest.raises(LeakageError, match="Trametinib in A549"):
        LGR(Peeks(), toy.drug_catalog).predict(one(toy, QUERY))


SCORED = {"Cobimetinib": 0.6, "Vorinostat": 0.2, "Tofacitinib": -0.4}


class Scored(Names):
    """Names with scores."""

    def select(self, pool, k, view):
        """The names, best first."""
        stated = [StructuredReason(stated_confidence=c) for c in (0.2, 0.4, 0.6)]
        reasoned = zip(self.names, stated, strict=True)
        return Selection(
            tuple(Proposal(name, score=SCORED[name], structured=why) for name, why in reasoned)
        )


@pytest.mark.parametrize(
    ("how", "weights"),
    [
        ("mean", [1 / 3, 1 / 3, 1 / 3]),
        ("rank_weighted", [1 / 2, 1 / 3, 1 / 6]),
        ("score_weighted", [0.75, 0.25, 0.0]),
        ("confidence_weighted", [1 / 6, 1 / 3, 1 / 2]),
        ("median", None),
        ("shrunken", [1 / 6 + 1 / 12] * 3),
    ],
)
@pytest.mark.parametrize("all_genes", [False, True])
def test_each_aggregation_is_the_sum_of_its_weights(toy, how, weights, all_genes):
    """Weights by hand; the delta is their sum over named conditions, for panel and all genes."""
    method = LGR(Scored(*SCORED), toy.drug_catalog, 3, how=how)
    found = run(toy, method, all_genes=all_genes)
    if weights is not None:
        np.testing.assert_allclose(found.weights, weights)
    drugs = [condition.drug for condition, _ in found.terms[0].conditions]
    each = np.array([weight for _, weight in found.terms[0].conditions])
    total = each @ measured(toy, *drugs, all_genes=all_genes).astype(float)
    np.testing.assert_allclose(found.delta, total, rtol=1e-5, atol=1e-5)
    assert each.sum() == pytest.approx(1)


def test_without_a_stated_confidence_all_weigh_the_same(toy):
    """One neighbour that states none is enough."""
    found = run(toy, LGR(Names(*SCORED), toy.drug_catalog, 3, how="confidence_weighted"))
    np.testing.assert_allclose(found.weights, [1 / 3] * 3)


def test_the_median_of_a_block_is_that_of_each_query(toy):
    """Its vectors are read one query at a time; two queries together are as two alone."""
    drugs = ["Trametinib", "Mystery compound"]
    method = LGR(make_selector("random", toy), toy.drug_catalog, 3, how="median")
    together = method.predict(EvidenceReader(toy).block("A549", 5.0, drugs)).delta
    for drug, delta in zip(drugs, together, strict=True):
        alone = run(toy, method, Condition("A549", drug, 5.0))
        np.testing.assert_allclose(delta, alone.delta, rtol=1e-6)


def test_the_line_is_read_once_a_question(toy, monkeypatch):
    """Prediction, pool mean and neighbours' deltas are of one read; the truth is read last."""
    read, deltas = [], toy.deltas
    monkeypatch.setattr(
        toy, "deltas", lambda rows, **o: read.append(len(rows)) or deltas(rows, **o)
    )
    line = len(toy.measured_drugs("A549", 5.0))
    reader = EvidenceReader(toy)
    asked = {"cell_line": "A549", "dose_um": 5.0, "selector": "chemistry", "reader": reader}
    answer = predict(toy, drug="Trametinib", **asked)
    assert read == [line, 1]
    verdict(toy, answer, reader=reader)
    predict(toy, drug="Vorinostat", **asked)
    assert read == [line, 1, 1]


def test_the_controls_of_a_block_are_those_of_single_questions(toy):
    """The oracle's fast way ranks as its selector does, read by read."""
    found = Oracle(make_selector("oracle", toy), toy.drug_catalog, 2).predict(one(toy, QUERY))
    alone = run(toy, LGR(make_selector("oracle", toy), toy.drug_catalog, 2))
    np.testing.assert_allclose(found.delta[0], alone.delta, rtol=1e-6)
