"""LGR averages the realised neighbours and nothing else; its fallback has a name."""

import numpy as np
import pytest

from lgr_core.domain import Condition, Evidence, Proposal, Selection
from lgr_core.errors import EmptyPoolError, LeakageError, UsageError
from lgr_core.prediction.predictors import LGR, PoolMean
from lgr_core.retrieval.candidate_pool import QueryView, candidate_pool
from lgr_core.retrieval.selectors import make_selector

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


def run(store, method, query=QUERY):
    """Predict with just the evidence that the method declares."""
    return method.predict(candidate_pool(store, query), QueryView(store, query, method.evidence))


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
    wide = run(toy, LGR(Names("Cobimetinib"), toy.drug_catalog, all_genes=True))
    np.testing.assert_array_equal(wide.delta, measured(toy, "Cobimetinib", all_genes=True)[0])
    assert len(wide.delta) == 8


def test_nobody_found_is_a_labelled_fallback(toy):
    """The pool mean answers, and says so; the retrieval shows why."""
    found = run(toy, LGR(Names("Aspirin"), toy.drug_catalog))
    assert (found.fallback, found.weights, found.retrieval.k_used) == ("pool_mean", (), 0)
    pool = candidate_pool(toy, QUERY)
    np.testing.assert_allclose(found.delta, measured(toy, *pool.drugs).mean(axis=0), rtol=1e-6)


def test_a_fallback_can_be_refused(toy):
    """With "none" the caller gets an error instead of a stand-in."""
    with pytest.raises(EmptyPoolError, match="named none of the 6"):
        run(toy, LGR(Names(), toy.drug_catalog, fallback="none"))
    with pytest.raises(UsageError, match="fallback 'guess'"):
        LGR(Names(), toy.drug_catalog, fallback="guess")


def test_pool_mean_reads_the_pool_only(toy):
    """The query's twins take no part in it."""
    query = Condition("A549", "Tofacitinib", 5.0)
    pool = candidate_pool(toy, query)
    assert "Tofacitinib (citrate)" not in pool.drugs
    expected = measured(toy, *pool.drugs).mean(axis=0)
    np.testing.assert_allclose(run(toy, PoolMean(), query).delta, expected, rtol=1e-6)


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
    method = LGR(make_selector(name, toy), toy.drug_catalog, k=3)
    pool = candidate_pool(toy, QUERY)
    blind = QueryView(toy, QUERY, {Evidence.TARGET_POOL})
    if name == "oracle":
        with pytest.raises(LeakageError):
            method.predict(pool, blind)
    else:
        np.testing.assert_array_equal(method.predict(pool, blind).delta, run(toy, method).delta)
