"""A prediction held against blind draws and rivals: numbers by hand, or by the slow way."""

import numpy as np
import pytest

from lgr_core import metrics
from lgr_core.answer import predict
from lgr_core.answer.baselines import (
    STRIPS,
    agreement,
    compare,
    correlations,
    draw,
    draw_means,
    pool_deltas,
    score_rows,
    share_below,
    top_agreement,
    verdict,
)
from lgr_core.retrieval.selectors import make_selector


@pytest.fixture
def answer(toy):
    """Trametinib in A549 by two random neighbours of six."""
    return predict(toy, cell_line="A549", drug="Trametinib", selector="random", k=2)


def test_draws_are_picks_without_replacement():
    """Every row holds k different places, and over many rows each place alike."""
    picks = draw(7, 3, n_draws=4_000)
    assert picks.shape == (4_000, 3)
    assert all(len(set(row)) == 3 for row in picks.tolist())
    assert np.bincount(picks.ravel()) / 4_000 == pytest.approx(np.full(7, 3 / 7), abs=0.04)
    np.testing.assert_array_equal(picks, draw(7, 3, n_draws=4_000))


def test_more_picks_than_drugs_are_all_of_them():
    """K of 9 in a pool of 4 takes the four."""
    assert np.sort(draw(4, 9, n_draws=2), axis=1).tolist() == [[0, 1, 2, 3]] * 2


def test_a_draw_is_the_mean_of_its_picks():
    """Rows 0 and 2 of (1, 2), (9, 9), (3, 6) have the mean (2, 4)."""
    deltas = np.array([[1, 2], [9, 9], [3, 6]], dtype=np.float32)
    assert draw_means(deltas, np.array([[0, 2], [1, 1]])).tolist() == [[2, 4], [9, 9]]


def test_scores_of_many_are_those_of_each():
    """The short way over the top genes alone is the table's own metric."""
    rng = np.random.default_rng(3)
    predicted = rng.normal(size=(5, 130)).astype(np.float32)
    measured, mean = rng.normal(size=(2, 130)).astype(np.float32)
    measured[:20] = measured[20]  # ties at the edge of the top
    ours = score_rows(predicted, measured, mean)
    truth = np.broadcast_to(measured, predicted.shape)
    slow = metrics.score(predicted, truth, line_mean=mean, metrics=STRIPS)
    assert list(ours) == list(STRIPS)
    for name in STRIPS:
        np.testing.assert_allclose(ours[name], slow[name], rtol=1e-9)


def test_agreement_is_the_mean_over_pairs():
    """Two alike and one contrary: r of 1, -1 and -1; none of one row, or of a constant one."""
    rows = np.array([[1.0, 2, 3], [2, 4, 6], [3, 2, 1], [1, 1, 1]])
    assert agreement(rows, np.array([[0, 1, 2]])) == pytest.approx(-1 / 3)
    assert np.isnan(agreement(rows, np.array([[0], [1]]))).all()
    assert np.isnan(agreement(rows, np.array([[0, 3]]))).all()


def test_agreement_of_draws_is_that_of_their_pairs():
    """Every draw, pair by pair."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(30, 40)) + rng.normal(size=40)
    picks = draw(len(rows), 5, n_draws=20)
    alike = correlations(rows)
    pairs = [alike[np.ix_(row, row)][np.triu_indices(5, 1)].mean() for row in picks]
    np.testing.assert_allclose(agreement(rows, picks), pairs, rtol=1e-6)


def test_shares_count_ties_half():
    """Of 1, 2, 2, 3 and one undefined, 2 is above one and level with two."""
    assert share_below(np.array([1, 2, 2, 3, np.nan]), 2) == 0.5
    assert np.isnan(share_below(np.array([np.nan]), 2))
    assert np.isnan(share_below(np.array([1.0]), np.nan))


def test_the_verdict_is_the_share_of_draws_below(toy, answer):
    """Counted anew, draw by draw."""
    found = verdict(toy, answer, n_draws=200, seed=4)
    deltas = pool_deltas(toy, answer.pool)
    ours = np.corrcoef(answer.prediction.delta, answer.measured)[0, 1]
    blind = [
        np.corrcoef(deltas[row].mean(axis=0), answer.measured)[0, 1]
        for row in draw(len(deltas), 2, n_draws=200, seed=4)
    ]
    assert found.beats == pytest.approx(share_below(np.array(blind), ours), abs=0.01)
    pair = np.corrcoef(answer.neighbor_deltas)[0, 1]
    assert found.agreement == pytest.approx(pair, abs=1e-5)
    assert found.n_draws == 200


def test_without_a_truth_nothing_is_beaten(toy):
    """Agreement stands, the rest is None."""
    answer = predict(toy, cell_line="A549", drug="Cobimetinib", dose_um=0.5, selector="random")
    found = verdict(toy, answer)
    assert found.beats is None
    assert np.isfinite(found.agreement)
    assert compare(toy, answer, lambda name: make_selector(name, toy)) is None


def test_rivals_are_the_methods_of_the_benchmark(toy, answer):
    """Pool mean and drug mean by hand; who has no answer says why."""
    found = compare(toy, answer, lambda name: make_selector(name, toy), n_draws=20)
    np.testing.assert_allclose(found.baselines["pool_mean"].delta, answer.pool_mean, rtol=1e-5)
    others = [toy.deltas(toy.rows(line, ["Trametinib"], 5.0))[0] for line in ("HepG2/C3A", "LoVo")]
    np.testing.assert_allclose(
        found.baselines["drug_mean"].delta, np.mean(others, axis=0), rtol=1e-5
    )
    assert {len(found.random[name]) for name in STRIPS} == {20}
    scores = found.baselines["oracle_k"].scores
    assert all(
        scores["pearson_delta"] >= rival.scores["pearson_delta"] - 1e-6
        for name, rival in found.baselines.items()
        if name.startswith("lgr_") and rival.scores
    )


def test_a_rival_without_an_answer_says_why(toy):
    """Nothing is known of the drug: no structure, and no language model was asked about it."""
    answer = predict(toy, cell_line="LoVo", drug="Mystery compound", selector="random", k=2)
    baselines = compare(toy, answer, lambda name: make_selector(name, toy), n_draws=20).baselines
    for name, words in (("lgr_llm", "Mystery compound"), ("chem_knn", "no structure is known")):
        assert baselines[name].delta is None
        assert baselines[name].scores == {}
        assert words in baselines[name].why
    assert baselines["lgr_chemistry"].fallback == "pool_mean"


def test_twins_of_the_query_are_in_no_draw(toy):
    """Tofacitinib's citrate is measured, but not among what is drawn from."""
    answer = predict(toy, cell_line="A549", drug="Tofacitinib", selector="random", k=2)
    assert "Tofacitinib (citrate)" not in answer.pool.drugs
    assert len(pool_deltas(toy, answer.pool)) == len(answer.pool.drugs) == 5


def test_top_genes_are_right_wrong_or_missed():
    """Of the three largest, one is found, one found the wrong way round, one not."""
    measured = np.array([5.0, -4, 3, 0.1, 0.2])
    predicted = np.array([2.0, 9, 0.1, 3, 0.2])
    found = top_agreement(predicted, measured, 3)
    assert [found.right.tolist(), found.wrong.tolist(), found.missed.tolist()] == [[0], [1], [2]]


def test_a_gene_that_did_not_change_is_no_top_gene():
    """Two changed; the third place is nobody's."""
    found = top_agreement(np.array([1.0, 1, 1]), np.array([1.0, 0, -1]), 3)
    assert sorted([*found.right, *found.wrong, *found.missed]) == [0, 2]
