"""What predict and retrieve are called with: a list of drugs, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from lgr_core import NamedSelector, predict, retrieve
from lgr_core.domain import Reason
from lgr_core.errors import AmbiguousError, NotFoundError, UsageError

QUESTION = {"cell_line": "A549", "drug": "Trametinib", "dose_um": 5.0}
NAMES = ["vorinostat", "Cobimetinib"]


def test_a_list_of_drugs_is_averaged(toy):
    """Both names count, in any case, in their order, with equal weights."""
    answer = predict(toy, **QUESTION, selector=NAMES)
    assert answer.retrieval.drugs == ("Vorinostat", "Cobimetinib")
    assert answer.retrieval.selector == "named"
    assert answer.prediction.weights == (0.5, 0.5)
    # Drugs 5 and 1 in line 0: 10 d + 100 g - 300 for the genes 1 to 6 of the panel.
    expected = 30 + 100 * np.arange(1, 7) - 300
    np.testing.assert_allclose(answer.prediction.delta, expected, rtol=1e-6)


def test_the_aggregate_weighs_a_list(toy):
    """By rank, the first of the list weighs more."""
    weights = predict(toy, **QUESTION, selector=NAMES, aggregate="rank_weighted").prediction.weights
    assert weights[0] > weights[1] > 0


def test_without_k_the_whole_list_counts(toy):
    """With k, as many as it says; a tuple is a list, too."""
    every = [drug for drug in toy.drug_catalog.names if drug != "Trametinib"]
    assert len(every) == 6
    assert set(retrieve(toy, **QUESTION, selector=every).drugs) == set(every)
    found = retrieve(toy, **QUESTION, selector=tuple(every), k=np.int64(2))
    assert list(found.drugs) == every[:2]
    assert [rejected.reason for rejected in found.rejected] == [Reason.BEYOND_K] * 4


def test_a_listed_drug_that_may_not_stand_is_rejected_with_its_reason(toy):
    """The query itself; the others are averaged."""
    found = retrieve(toy, **QUESTION, selector=["Trametinib", *NAMES])
    assert found.k_used == 2
    assert [(r.text, r.reason) for r in found.rejected] == [("Trametinib", Reason.SELF)]


def test_a_listed_drug_that_the_atlas_does_not_know_is_not_found(toy):
    """A misspelt name is not left out in silence."""
    with pytest.raises(NotFoundError, match="Nearest: Vorinostat"):
        predict(toy, **QUESTION, selector=["Vorinostatt"])


def test_a_listed_name_that_reads_as_two_drugs_is_ambiguous(toy):
    """Both are named in the message."""
    with pytest.raises(AmbiguousError, match="citrate"):
        predict(toy, **QUESTION, selector=["Tofacitinib (tartrate)"])


WRONG = {
    "selector": [3, None, pd.DataFrame({"drug": NAMES}), [], [3], {"Vorinostat"}, NamedSelector],
    "method": [None, 3, ["lgr"], pd.DataFrame()],
    "k": ["x", 2.5, True, [3], 0],
    "drug": [None, 3, ["Trametinib"], pd.DataFrame()],
    "cell_line": [None, b"A549"],
    "dose_um": ["5", True, [5.0]],
    "aggregate": [None, 3],
    "fallback": [None, 3],
    "one_per_parent": [None, "no"],
    "all_genes": ["yes"],
    "reader": ["A549"],
    "selectors": ["llm"],
}


@pytest.mark.parametrize(
    ("argument", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_an_argument_of_the_wrong_type_is_wrong_use(toy, argument, value):
    """One error of our tree, whatever it is."""
    with pytest.raises(UsageError):
        predict(toy, **{**QUESTION, argument: value})


@pytest.mark.parametrize("argument", ["selector", "k", "drug", "cell_line", "one_per_parent"])
def test_retrieve_refuses_the_same(toy, argument):
    """As predict does."""
    with pytest.raises(UsageError):
        retrieve(toy, **{**QUESTION, argument: WRONG[argument][0]})


def test_the_rest_is_checked_as_well(toy):
    """The seed of the random selector, the atlas, the names of a NamedSelector."""
    with pytest.raises(UsageError):
        predict(toy, **QUESTION, selector="random", seed="x")
    with pytest.raises(UsageError, match="open_atlas"):
        predict("toy", **QUESTION)
    for drugs in ("Vorinostat", [3], None):
        with pytest.raises(UsageError):
            NamedSelector(drugs)
