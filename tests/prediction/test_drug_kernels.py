"""Kernels over drugs: hand-worked, and blind to every measurement."""

import numpy as np
import pytest

from lgr_core.domain import Proposal, Selection
from lgr_core.errors import LeakageError, NotFoundError
from lgr_core.prediction.drug_kernels import (
    CHEMISTRY,
    LLM,
    MECHANISM,
    DrugKernels,
    UnmeasuredDrug,
    cosine,
    diffused,
)
from lgr_core.retrieval.query_block import ConditionIndex


class Listing:
    """A selector with a list for some drugs; it looks at its view if told to."""

    name = "llm"
    evidence = frozenset()

    def __init__(self, lists, *, look=None):
        self.lists, self.look, self.pools = lists, look, []

    def select(self, pool, k, view):
        """The drug's list, or the error of one that was never asked about."""
        self.pools.append(pool)
        if self.look == "rows":
            view.rows("A549", ["Trametinib"], 5.0)
        if self.look == "deltas":
            view.deltas(np.array([0]))
        if pool.query.drug not in self.lists:
            raise NotFoundError(pool.query.drug, "no answer", "Ask.")
        return Selection(tuple(Proposal(name) for name in self.lists[pool.query.drug]))


def kernels_of(store, selector):
    """Kernels with that selector for the language model."""
    return DrugKernels(ConditionIndex(store), lambda name: {LLM: selector}[name])


def test_cosine_by_hand():
    """A row of zeros is like itself alone."""
    found = cosine(np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]]))
    np.testing.assert_allclose(found, [[1, 0.5**0.5, 0], [0.5**0.5, 1, 0], [0, 0, 1]])


def test_diffusion_over_one_edge_by_hand():
    """(I - s W)^-1 of two drugs that name each other is [[1, s], [s, 1]] / (1 - s^2)."""
    lists = np.array([[0, 1.0, 0], [0, 0, 0], [0, 0, 0]])
    expected = [[1, 0.8, 0], [0.8, 1, 0], [0, 0, 1]]
    np.testing.assert_allclose(diffused(lists, 0.8), expected, atol=1e-12)


def test_lists_make_drugs_alike_and_their_common_neighbours_too(toy):
    """Two drugs that name a third are alike; who is named by nobody is alone."""
    lists = {"Trametinib": ["Cobimetinib"], "Vorinostat": ["Cobimetinib", "Nonsense"]}
    kernel = kernels_of(toy, Listing(lists)).of(LLM)
    place = {drug: i for i, drug in enumerate(ConditionIndex(toy).drugs)}
    assert kernel[place["Trametinib"], place["Vorinostat"]] > 0.1
    assert kernel[place["Trametinib"], place["Cobimetinib"]] > 0.1
    alone = np.delete(kernel[place["Mystery compound"]], place["Mystery compound"])
    assert not alone.any()
    assert np.linalg.eigvalsh(kernel).min() > 0


def test_lists_are_of_candidates_without_twins(toy):
    """As retrieval has it: no drug is offered a form of itself."""
    selector = Listing({})
    assert not kernels_of(toy, selector).says(LLM)
    own = next(pool for pool in selector.pools if pool.query.drug == "Tofacitinib")
    assert "Tofacitinib (citrate)" not in own.drugs


@pytest.mark.parametrize("look", ["rows", "deltas"])
def test_lists_read_no_measurement(toy, look):
    """A selector that looks finds the door shut, loudly."""
    with pytest.raises(LeakageError, match="no measurement"):
        kernels_of(toy, Listing({}, look=look)).of(LLM)


def test_structures_and_mechanisms_liken_the_two_mek_inhibitors(toy):
    """A mixture is the weighted sum, and likens every drug to itself by 1."""
    kernels = kernels_of(toy, Listing({}))
    drugs = list(ConditionIndex(toy).drugs)
    pair = drugs.index("Trametinib"), drugs.index("Cobimetinib")
    assert kernels.says(MECHANISM)
    assert kernels.of(MECHANISM)[pair] >= 0.7
    mixed = kernels.mixed({MECHANISM: 0.5, CHEMISTRY: 0.25})
    expected = 0.5 * kernels.of(MECHANISM)[pair] + 0.25 * kernels.of(CHEMISTRY)[pair]
    assert mixed[pair] == pytest.approx(expected)
    np.testing.assert_array_equal(np.diag(mixed), 1)


def test_a_newcomer_stands_behind_the_measured_drugs(toy):
    """Its structure and mechanism liken it to others; no list does, and none are asked for it."""
    place = toy.drugs["drug"].tolist().index("Tofacitinib")
    new = UnmeasuredDrug("New", toy.fingerprints[place], {"moa": "MEK inhibitor"})
    selector = Listing({"Trametinib": ["Cobimetinib"]})
    kernels = DrugKernels(ConditionIndex(toy), lambda name: {LLM: selector}[name], [new])
    n = len(toy.drugs)
    assert kernels.numbers(["New", "Trametinib", "nobody"]).tolist() == [n, 5, -1]
    twin = int(kernels.numbers(["Tofacitinib"])[0])
    assert kernels.of(CHEMISTRY)[n, twin] == pytest.approx(1)
    assert kernels.of(MECHANISM)[n, 5] > 0
    assert kernels.mixed({LLM: 0.5, CHEMISTRY: 0.5}).shape == (n + 1, n + 1)
    assert not kernels.knows(LLM, "New")
    assert kernels.knows(LLM, "Trametinib")
    assert kernels.knows(CHEMISTRY, "New")
    assert not kernels.knows(CHEMISTRY, "nobody")
    assert "New" not in {pool.query.drug for pool in selector.pools}
