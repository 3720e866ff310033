"""Neighbours one by one: influence and true rank by hand."""

import numpy as np
import pytest

from lgr_core.answer import predict
from lgr_core.answer.influence import inspect_neighbors, rank_neighbors
from lgr_core.retrieval.manual_selector import NamedSelector


@pytest.fixture
def answer(toy):
    """Trametinib in A549 by three named neighbours."""
    named = NamedSelector(["Cobimetinib", "Vorinostat", "Mystery compound"])
    return predict(toy, cell_line="A549", drug="Trametinib", selector=named, k=3)


def test_influence_is_what_leaving_out_moves(toy, answer):
    """norm(x - x_without) / norm(x), with x_without averaged anew."""
    found = inspect_neighbors(toy, answer)
    for place in range(3):
        rest = np.delete(answer.neighbor_deltas, place, axis=0).mean(axis=0)
        moved = np.linalg.norm(answer.prediction.delta - rest)
        expected = moved / np.linalg.norm(answer.prediction.delta)
        assert found.shift[place] == pytest.approx(expected, rel=1e-4)
    assert np.diag(found.alike) == pytest.approx(np.ones(3), abs=1e-5)
    assert np.isfinite(found.structure[:2]).all()
    assert np.isnan(found.structure[2])


def test_the_only_neighbour_has_no_influence(toy):
    """Without it there is nothing: NaN, not zero."""
    only = NamedSelector(["Vorinostat"])
    answer = predict(toy, cell_line="A549", drug="Trametinib", selector=only, k=1)
    assert np.isnan(inspect_neighbors(toy, answer).shift).all()
    assert np.isnan(rank_neighbors(toy, answer).gain).all()


def test_true_ranks_are_places_among_all_candidates(toy, answer):
    """Ordered by Pearson with the truth, every candidate once."""
    found = rank_neighbors(toy, answer)
    rows = toy.rows("A549", answer.pool.drugs, 5.0)
    r = [np.corrcoef(delta, answer.measured)[0, 1] for delta in toy.deltas(rows)]
    assert found.n_candidates == 6
    for place, drug in enumerate(answer.retrieval.drugs):
        own = r[answer.pool.drugs.index(drug)]
        assert found.r[place] == pytest.approx(own, abs=1e-6)
    every = NamedSelector(answer.pool.drugs)
    whole = predict(toy, cell_line="A549", drug="Trametinib", selector=every, k=6)
    assert sorted(rank_neighbors(toy, whole).rank) == [1, 2, 3, 4, 5, 6]
    best = whole.retrieval.drugs[int(np.argmin(rank_neighbors(toy, whole).rank))]
    assert r[answer.pool.drugs.index(best)] == pytest.approx(max(r))


def test_the_gain_is_what_it_adds(toy, answer):
    """Pearson with it less Pearson without it."""
    gain = rank_neighbors(toy, answer).gain
    rest = answer.neighbor_deltas[1:].mean(axis=0)
    ours, without = (np.corrcoef(x, answer.measured)[0, 1] for x in (answer.prediction.delta, rest))
    assert gain[0] == pytest.approx(ours - without, abs=1e-6)


def test_without_a_truth_nothing_is_revealed(toy):
    """None, not numbers."""
    answer = predict(toy, cell_line="A549", drug="Cobimetinib", dose_um=0.5, selector="random")
    assert rank_neighbors(toy, answer) is None
