"""Ranked answers to one question side by side: rank-biased overlap, and their consensus."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TypeVar

import numpy as np

from lgr_core.domain import FloatArray
from lgr_core.errors import UsageError

RBO_P = 0.9
"""The persistence p of the overlap: with 0.9 the first ten ranks have 86 % of the weight."""

RRF_CONSTANT = 60.0
"""The constant of reciprocal rank fusion, as in its paper."""

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class ConsensusDrug:
    """A drug of the consensus: its fused score, and how many of the answers name it."""

    drug: str
    score: float
    n_answers: int


@dataclass(frozen=True, slots=True)
class AnswerComparison:
    """Answers by label, (n,), their pairwise overlap (n, n), and the consensus, best first.

    ``overlap`` is NaN where one of two answers names nobody.
    """

    labels: tuple[str, ...]
    rankings: tuple[tuple[str, ...], ...]
    overlap: FloatArray
    consensus: tuple[ConsensusDrug, ...]


def compare_answers(rankings: Mapping[str, Sequence[str]], *, p: float = RBO_P) -> AnswerComparison:
    """Compare ranked drugs by the label of who ranked them.

    Raises
    ------
    UsageError
        If ``p`` is not between 0 and 1, or a ranking names a drug twice.
    """
    lists = [tuple(ranking) for ranking in rankings.values()]
    overlap = np.array([[rank_biased_overlap(a, b, p) for b in lists] for a in lists])
    scores = reciprocal_rank_fusion(lists)
    consensus = tuple(
        ConsensusDrug(drug, scores[drug], sum(drug in ranking for ranking in lists))
        for drug in sorted(scores, key=lambda drug: (-scores[drug], drug))
    )
    return AnswerComparison(tuple(rankings), tuple(lists), overlap, consensus)


def rank_biased_overlap(
    first: Sequence[Hashable], second: Sequence[Hashable], p: float = RBO_P
) -> float:
    """How alike two rankings are, from 0 to 1, the first ranks weighing most; NaN if one is empty.

    Extrapolated rank-biased overlap (Webber, Moffat and Zobel 2010, ACM Transactions on Information
    Systems 28(4):20, equation 32). With s and l the shorter and the longer length and X_d the
    number of names that both have among their first d::

        RBO = (1 - p) / p * (sum_{d=1}^{l} X_d / d p^d + sum_{d=s+1}^{l} X_s (d - s) / (s d) p^d)
              + ((X_l - X_s) / l + X_s / s) p^l

    Raises
    ------
    UsageError
        If ``p`` is not between 0 and 1, or a ranking names something twice.
    """
    if not 0 < p < 1:
        raise UsageError(f"persistence p = {p}", "it is not between 0 and 1", "Take e.g. 0.9.")
    if any(len(set(ranking)) < len(ranking) for ranking in (first, second)):
        raise UsageError("a ranking", "it names something twice", "Give each name once.")
    short, long = sorted((first, second), key=len)
    s, n = len(short), len(long)
    if s == 0:
        return math.nan
    shared = list(accumulate(_new_at(short, long, d) for d in range(n)))
    agreed = sum(x / d * p**d for d, x in enumerate(shared, start=1))
    beyond = sum(shared[s - 1] * (d - s) / (s * d) * p**d for d in range(s + 1, n + 1))
    last = (shared[-1] - shared[s - 1]) / n + shared[s - 1] / s
    return (1 - p) / p * (agreed + beyond) + last * p**n


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[Name]], constant: float = RRF_CONSTANT
) -> dict[Name, float]:
    """The fused score of each name: ``sum over rankings of 1 / (constant + rank)``, ranks from 1.

    Reciprocal rank fusion (Cormack, Clarke and Büttcher 2009, SIGIR, 758-759).
    """
    parts: dict[Name, list[float]] = defaultdict(list)
    for ranking in rankings:
        for rank, name in enumerate(ranking, start=1):
            parts[name].append(1 / (constant + rank))
    return {name: sum(each) for name, each in parts.items()}


def _new_at(short: Sequence[Hashable], long: Sequence[Hashable], d: int) -> int:
    """How many names become shared when place ``d``, from 0, of both rankings is added."""
    new = int(long[d] in short[:d])
    if d < len(short):
        new += int(short[d] in long[:d]) + int(short[d] == long[d])
    return new
