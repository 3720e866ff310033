"""The genes with the largest predicted changes, and which of them exceed the noise."""

from __future__ import annotations

import numpy as np

from lgr_core.answer.answer import Answer
from lgr_core.domain import IntArray
from lgr_core.prediction.significance import direction


def strongest_genes(answer: Answer, n: int, *, sure: bool = False) -> tuple[IntArray, IntArray]:
    """Columns of the n genes that go up most and down most, from the highest to the lowest value.

    With ``sure``, only of those that are not within noise.
    """
    delta = answer.prediction.delta
    ways = directions(answer) if sure else np.sign(delta)
    order = np.argsort(-delta, kind="stable")
    return order[ways[order] > 0][:n], order[ways[order] < 0][-n:]


def directions(answer: Answer) -> IntArray:
    """Which way each gene is predicted to go, (n_genes,), 0 within noise.

    Noise is the spread of the neighbours; of a method that weighs everything, the 90 % interval
    that its trust gives each gene, where that is known.
    """
    delta = answer.prediction.delta
    if not answer.is_linear:
        return direction(delta, answer.separable_neighbors)
    sign = np.sign(delta).astype(np.intp)
    if answer.trust is None:
        return sign
    return np.where(np.abs(delta) <= answer.trust.half_width, 0, sign)
