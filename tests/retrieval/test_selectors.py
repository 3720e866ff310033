"""Each offline selector ranks by what it says, reads what it declares, and breaks ties by name."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from lgr_core.domain import Condition, Evidence
from lgr_core.errors import LeakageError, NotFoundError, UsageError
from lgr_core.retrieval.candidate_pool import QueryView, candidate_pool
from lgr_core.retrieval.selectors import SELECTORS, RandomSelector, make_selector

TRAMETINIB = Condition("A549", "Trametinib", 5.0)


def select(store, name, query=TRAMETINIB, k=3, evidence=None):
    """Proposals of a selector, with just the evidence it declares."""
    selector = make_selector(name, store)
    pool = candidate_pool(store, query)
    allowed = selector.evidence if evidence is None else evidence
    return selector.select(pool, k, QueryView(store, query, allowed))


def test_mechanism_finds_the_other_mek_inhibitor(toy):
    """Cobimetinib shares trametinib's mechanism; the reason says so; strangers are left out."""
    proposals = select(toy, "mechanism", k=6).proposals
    assert proposals[0].text == "Cobimetinib"
    assert "MEK" in proposals[0].rationale
    assert all(p.score > 0 for p in proposals)
    assert "Mystery compound" not in [p.text for p in proposals]


def test_mechanism_says_nothing_of_an_unknown_drug(toy):
    """A drug without any annotation has no mechanistic neighbour."""
    query = Condition("A549", "Mystery compound", 5.0)
    assert select(toy, "mechanism", query).proposals == ()


def test_chemistry_ranks_by_cosine_and_leaves_out_who_has_no_structure(toy):
    """Scores are cosines of Morgan bits, best first; the drug without structure is counted."""
    selection = select(toy, "chemistry", k=6)
    names = [p.text for p in selection.proposals]
    assert "Mystery compound" not in names
    assert selection.provenance["without_structure"] == 1
    bits = dict(zip(toy.drugs["drug"], toy.fingerprints.astype(float), strict=True))
    query = bits["Trametinib"]
    for p in selection.proposals:
        cosine = query @ bits[p.text] / np.linalg.norm(query) / np.linalg.norm(bits[p.text])
        assert p.score == pytest.approx(cosine)
    scores = [p.score for p in selection.proposals]
    assert scores == sorted(scores, reverse=True)
    twins = [n for n in names if n.startswith("Tofacitinib")]
    assert twins == ["Tofacitinib", "Tofacitinib (citrate)"], "an exact tie is broken by name"


def test_chemistry_says_nothing_of_a_query_without_structure(toy):
    """No fingerprint, no similarity."""
    selection = select(toy, "chemistry", Condition("A549", "Mystery compound", 5.0))
    assert selection.proposals == ()
    assert selection.provenance["query_has_structure"] is False


def test_random_is_seeded_by_query_and_seed(toy):
    """The same draw for the same question, another for another seed; never twice the same drug."""
    pool = candidate_pool(toy, TRAMETINIB)
    view = QueryView(toy, TRAMETINIB, [])
    draws = [
        tuple(p.text for p in RandomSelector(seed).select(pool, 4, view).proposals)
        for seed in (0, 0, 1, 2, 3)
    ]
    assert draws[0] == draws[1]
    assert len(set(draws)) > 1
    assert all(len(set(draw)) == 4 for draw in draws)


def test_random_takes_the_whole_of_a_small_pool(toy):
    """K beyond the pool is no error."""
    assert len(select(toy, "random", k=50).proposals) == 6


def test_random_refuses_a_negative_seed():
    """One clear error at its birth."""
    with pytest.raises(UsageError, match="0 or more"):
        RandomSelector(-1)


def test_oracle_ranks_by_pearson_with_the_truth(toy):
    """Its scores are the correlations of measured deltas."""
    selection = select(toy, "oracle", k=6)
    truth = toy.deltas(toy.rows("A549", ["Trametinib"], 5.0))[0]
    for p in selection.proposals:
        other = toy.deltas(toy.rows("A549", [p.text], 5.0))[0]
        assert p.score == pytest.approx(pearsonr(truth, other).statistic, abs=1e-6)


def test_oracle_without_leave_to_read_the_truth_leaks(toy):
    """It cannot work on the pool alone: the view refuses."""
    with pytest.raises(LeakageError):
        select(toy, "oracle", evidence=[Evidence.TARGET_POOL])


def test_oracle_needs_a_measured_query(toy):
    """At a dose where the query was not measured there is no truth to read."""
    with pytest.raises(NotFoundError):
        select(toy, "oracle", Condition("A549", "Cobimetinib", 0.5))


def test_offline_selectors_read_no_delta(toy):
    """Names, structures and annotations are no evidence: they work with a view of nothing."""
    for name in set(SELECTORS) - {"oracle", "llm"}:
        assert select(toy, name, evidence=[]).proposals


def test_llm_replays_the_shipped_answers(toy):
    """Without a key the recorded reasons are there; drugs outside this pool are not its fault."""
    proposals = select(toy, "llm").proposals
    assert proposals[0].text == "Binimetinib"
    assert proposals[0].rationale


def test_an_unknown_selector_lists_the_known(toy):
    """One clear error."""
    with pytest.raises(UsageError, match="llm, mechanism, chemistry, random, oracle"):
        make_selector("magic", toy)
