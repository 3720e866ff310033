"""Shrunken and hybrid LGR: hand-worked shares, labelled fallbacks, thresholds from validation."""

from dataclasses import replace

import numpy as np
import pytest

from lgr_core.domain import Proposal, Selection
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, MethodContext
from lgr_core.prediction.hybrid import STRENGTHS, THRESHOLDS, Hybrid, Shrunken
from lgr_core.prediction.mean_baselines import PoolMeans
from lgr_core.prediction.retrieved import Retrieved
from lgr_core.retrieval.candidate_pool import TrainingView
from lgr_core.retrieval.evidence_guard import VectorBasis
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector


class Names:
    """A selector that proposes these names, or fails for a drug."""

    evidence = frozenset()

    def __init__(self, *names, name="llm", fails=()):
        self.names, self.name, self.fails = names, name, fails
        self.asked = []

    def select(self, pool, k, view):
        """The names."""
        self.asked.append((pool.query, k))
        if pool.query.drug in self.fails:
            raise NotFoundError(pool.query.drug, "no answer", "Ask.")
        return Selection(tuple(Proposal(name) for name in self.names))


def lgr(store, *names, k=2, in_line=True, **options):
    """LGR with these neighbours."""
    return Retrieved(Names(*names, **options), store.drug_catalog, k, in_line=in_line)


def block_of(store):
    """Two queries of one line."""
    return EvidenceReader(store).block("A549", 5.0, ["Trametinib", "Mystery compound"])


def test_shrunken_is_a_share_of_both(toy):
    """A quarter of the pool mean, three of the neighbours'."""
    method = Shrunken(lgr(toy, "Cobimetinib", "Vorinostat"))
    method.strength = 0.25
    rows = toy.rows("A549", ["Cobimetinib", "Vorinostat"], 5.0)
    expected = 0.75 * toy.deltas(rows).mean(axis=0)
    expected = expected + 0.25 * PoolMeans().predict(block_of(toy)).delta
    np.testing.assert_allclose(method.predict(block_of(toy)).delta, expected, rtol=1e-5)
    assert method.name == "lgr_llm_shrunken"


@pytest.mark.parametrize("regime", ["unseen_drug", "unseen_cell_line_strict"])
def test_shrunken_chooses_on_validation(toy, regime):
    """K not above the run's own, and one of the strengths."""
    fold = make_folds(toy, regime, 3)[0]
    method = Shrunken(
        Retrieved(make_selector("mechanism", toy), toy.drug_catalog, 2, in_line=fold.in_line)
    )
    method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
    assert method.chosen["k"] == 2
    assert method.chosen["strength"] in STRENGTHS


def test_confidence_is_coverage_times_agreement(toy):
    """Two of four stand; how alike they are, by hand; nobody is no confidence."""
    method = Hybrid(lgr(toy, "Cobimetinib", "Vorinostat", k=4), lgr(toy, "Tofacitinib"))
    block = block_of(toy)
    deltas = toy.deltas(toy.rows("A549", ["Cobimetinib", "Vorinostat"], 5.0)).astype(float)
    alike = np.square(deltas.mean(axis=0)).mean() / np.square(deltas).mean()
    found = method.confidence(block, method.lgr.retrieve(block, 4))
    np.testing.assert_allclose(found, alike / 2)
    nobody = Hybrid(lgr(toy, "Nonsense"), lgr(toy, "Tofacitinib"))
    assert not nobody.confidence(block, nobody.lgr.retrieve(block, 2)).any()


@pytest.mark.parametrize(("threshold", "falls_back"), [(0.0, False), (1.1, True)])
def test_below_the_threshold_the_other_answers_and_is_named(toy, threshold, falls_back):
    """And above it the first, without a label."""
    first, other = lgr(toy, "Vorinostat"), lgr(toy, "Cobimetinib", name="chemistry")
    method = Hybrid(first, other)
    method.threshold = threshold
    block = block_of(toy).some([1])
    found = method.predict(block)
    answers = other if falls_back else first
    np.testing.assert_array_equal(found.delta, answers.predict(block).delta)
    np.testing.assert_array_equal(found.used, answers.predict(block).used)
    assert found.fallback == (["lgr_chemistry"] if falls_back else [None])


def test_where_the_first_has_no_answer_the_other_has(toy):
    """A failure is covered, whatever the threshold."""
    method = Hybrid(lgr(toy, "Vorinostat", fails={"Trametinib"}), lgr(toy, "Cobimetinib"))
    method.threshold = 0.0
    found = method.predict(block_of(toy))
    assert found.ok.all()
    assert found.fallback[0] is not None
    assert found.fallback[1] is None


def test_where_both_name_nobody_the_mean_is_called_a_mean(toy):
    """Not chemistry's answer, though chemistry was asked last."""
    method = Hybrid(lgr(toy, "Nonsense"), lgr(toy, "Nonsense", name="chemistry"))
    assert set(method.predict(block_of(toy)).fallback) == {"pool_mean"}


def test_the_threshold_is_chosen_on_validation(toy):
    """One of those tried."""
    fold = make_folds(toy, "unseen_drug", 3)[0]
    names = ("mechanism", "chemistry")
    both = [Retrieved(make_selector(n, toy), toy.drug_catalog, 2, in_line=True) for n in names]
    method = Hybrid(*both)
    method.fit(TrainingView(toy, fold, validation=True, evidence=method.evidence))
    assert method.chosen in THRESHOLDS


def test_a_query_is_put_to_a_selector_once_for_all_methods(toy):
    """LGR, shrunken and hybrid stand on the same neighbours; another block or k is asked anew."""
    both = {name: Names("Cobimetinib", "Vorinostat", name=name) for name in ("llm", "chemistry")}
    reader = EvidenceReader(toy)
    setting = MethodContext(reader.labels, both.__getitem__, Regime.OPEN_WORLD, k=2)
    names = ("lgr_llm", "lgr_chemistry", "lgr_llm_shrunken", "hybrid")
    methods = [method for name in names for method in REGISTRY[name].make(setting)]
    blocks = [block_of(toy), block_of(toy).some([1])]
    for block in blocks:
        for method in methods:
            method.predict(block)
    expected = [(query, 2) for block in blocks for query in block.queries]
    assert [selector.asked for selector in both.values()] == [expected, expected]
    setting.retrieved(both["llm"]).retrieve(blocks[-1], 1)
    assert both["llm"].asked[-1] == (blocks[-1].queries[0], 1)


def test_what_one_regime_made_another_does_not_use(toy):
    """In the strict regime neighbours are means over training lines."""
    setting = MethodContext(EvidenceReader(toy).labels, lambda name: Names(), Regime.OPEN_WORLD)
    selector = Names("Cobimetinib")
    strict = replace(setting, regime=Regime.UNSEEN_CELL_LINE_STRICT)
    bases = [made.retrieved(selector).basis for made in (setting, strict)]
    assert bases == [VectorBasis.LINE, VectorBasis.DRUG_MEANS]
