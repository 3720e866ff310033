"""The nouns refuse what makes no sense, at birth."""

import numpy as np
import pytest

from lgr_core.domain import CandidatePool, Condition, LLMRequest, LLMUsage, Prediction, ValueKind
from lgr_core.errors import EmptyPoolError, InputError, UsageError

QUERY = Condition("A549", "Trametinib", 5.0)


@pytest.mark.parametrize("dose", [0.0, -1.0, float("nan"), float("inf")])
def test_a_dose_is_positive_and_finite(dose):
    """No dose of zero, below it, or beyond numbers."""
    with pytest.raises(InputError, match="not a positive number of micromolar"):
        Condition("A549", "Trametinib", dose)


@pytest.mark.parametrize(("line", "drug"), [(" ", "x"), ("A549", "")])
def test_names_are_not_empty(line, drug):
    """A condition names its line and its drug."""
    with pytest.raises(InputError, match="the name is empty"):
        Condition(line, drug)


def test_a_condition_reads_as_a_sentence():
    """What messages print of a condition."""
    assert str(QUERY) == "Trametinib in A549 at 5 uM"
    assert str(Condition("A549", "Trametinib")) == "Trametinib in A549"


@pytest.mark.parametrize(
    ("drugs", "twins", "controls", "error"),
    [
        ((), (), (), EmptyPoolError),
        (("B", "A"), (), (), UsageError),
        (("A", "A"), (), (), UsageError),
        (("A", "Trametinib"), (), (), UsageError),
        (("A", "B"), ("B",), (), UsageError),
        (("A", "DMSO"), (), ("DMSO",), UsageError),
    ],
)
def test_a_pool_holds_other_drugs_once_and_sorted(drugs, twins, controls, error):
    """Empty, unsorted or repeated drugs, the query, twins and controls are refused."""
    with pytest.raises(error):
        CandidatePool(QUERY, drugs, twins, controls)


def test_a_prediction_is_one_vector():
    """A matrix is no delta."""
    with pytest.raises(UsageError, match="shape"):
        Prediction(QUERY, "x", np.zeros((2, 3)))


def test_every_value_kind_has_a_label():
    """Each axis has a title; only rank scores lack an effect size."""
    assert all(kind.label for kind in ValueKind)
    assert [kind for kind in ValueKind if not kind.has_effect_size] == [ValueKind.RANK_SCORE]


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "q"},
        {"model": "n"},
        {"temperature": None},
        {"temperature": 0.5},
        {"effort": None},
        {"max_output_tokens": 5},
        {"schema": {}},
    ],
)
def test_a_cache_key_changes_with_all_that_changes_an_answer(other):
    """Each field of a request is in its key, and the provider too."""
    plain = {"prompt": "p", "model": "m"}
    key = LLMRequest(**plain).key("openai")
    assert key == LLMRequest(**plain).key("openai")
    assert LLMRequest(**{**plain, **other}).key("openai") != key
    assert LLMRequest(**plain).key("vllm") != key


def test_usage_adds_up():
    """Tokens of several answers are summed field by field."""
    assert LLMUsage(1, 2, 3, 4) + LLMUsage(10, 20, 30, 40) == LLMUsage(11, 22, 33, 44)
