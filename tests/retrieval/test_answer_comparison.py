"""Answers side by side: overlap and consensus by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lgr_core.errors import UsageError
from lgr_core.retrieval.answer_comparison import (
    compare_answers,
    rank_biased_overlap,
    reciprocal_rank_fusion,
)

RANKINGS = st.lists(st.integers(0, 20), min_size=1, max_size=12, unique=True)


@pytest.mark.parametrize(
    ("first", "second", "p", "overlap"),
    [
        # X = 1, 2, 3: every term is p^d, and (1-p)/p (p + p^2 + p^3) + p^3 = 1.
        ("abc", "abc", 0.9, 1.0),
        ("abc", "xyz", 0.9, 0.0),
        # X = 0, 2: (0.1/0.9) 0.81 + 0.81.
        ("ab", "ba", 0.9, 0.9),
        # X = 1, 1: (0.5/0.5)(0.5 + 0.25/2) + 0.5 * 0.25.
        ("ab", "ac", 0.5, 0.75),
        # X = 0, 1: (0.5/0.5)(0.25/2) + 0.5 * 0.25.
        ("ba", "ca", 0.5, 0.25),
        # s = 1, l = 2, X = 1, 1: (0.5 + 0.25/2) + 1 (2-1)/(1*2) 0.25 + (0/2 + 1/1) 0.25.
        ("a", "ab", 0.5, 1.0),
        # s = 1, l = 2, X = 0, 1: 0.25/2 + 0 + ((1 - 0)/2 + 0) 0.25.
        ("b", "ab", 0.5, 0.25),
    ],
)
def test_overlap_by_hand(first, second, p, overlap):
    """Equation 32 of Webber et al., written out; either way round."""
    assert rank_biased_overlap(first, second, p) == pytest.approx(overlap)
    assert rank_biased_overlap(second, first, p) == pytest.approx(overlap)


def test_a_swap_at_the_top_costs_more_than_one_at_the_end():
    """The first ranks weigh most."""
    top, end = rank_biased_overlap("abcde", "bacde"), rank_biased_overlap("abcde", "abced")
    assert top < end < 1


@given(RANKINGS, RANKINGS)
def test_overlap_is_symmetric_and_between_0_and_1(first, second):
    """And 1 of a ranking with itself."""
    overlap = rank_biased_overlap(first, second)
    assert -1e-12 <= overlap <= 1 + 1e-12
    assert overlap == pytest.approx(rank_biased_overlap(second, first))
    assert rank_biased_overlap(first, first) == pytest.approx(1)


def test_an_empty_ranking_has_no_overlap():
    """Nothing can be said of it; what is no ranking is refused."""
    assert math.isnan(rank_biased_overlap("", "ab"))
    with pytest.raises(UsageError, match="twice"):
        rank_biased_overlap("aa", "ab")
    for p in (0, 1, 1.5):
        with pytest.raises(UsageError, match="persistence"):
            rank_biased_overlap("ab", "ab", p)


def test_fusion_by_hand():
    """One over 60 and the rank, summed over rankings."""
    found = reciprocal_rank_fusion(["ab", "bc"])
    assert found == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})
    assert reciprocal_rank_fusion(["ab", "b"], constant=0) == {"a": 1, "b": 1.5}


def test_a_comparison_has_every_pair_and_one_consensus():
    """Best first, ties by name, with how many answers name each."""
    found = compare_answers({"x": ["a", "b"], "y": ["b", "a"], "z": []})
    assert found.labels == ("x", "y", "z")
    assert found.overlap[0, 1] == found.overlap[1, 0] == pytest.approx(0.9)
    assert found.overlap[0, 0] == pytest.approx(1)
    assert all(math.isnan(value) for value in found.overlap[2])
    assert [(one.drug, one.n_answers) for one in found.consensus] == [("a", 2), ("b", 2)]
    assert found.consensus[0].score == pytest.approx(1 / 61 + 1 / 62)
