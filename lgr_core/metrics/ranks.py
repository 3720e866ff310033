"""What hangs on the order of genes alone: rank correlation, and the genes of largest value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lgr_core.domain import FloatArray, IntArray
from lgr_core.metrics.rows import ScoreArray, by_rows, count_bits, pair, ratio, same_sign

TOP = 50
"""Genes that ``sign_accuracy_top50`` looks at."""

PARTS = 8
"""Ranking fills many arrays the size of its chunk, which is cut by this: with whole chunks memory
comes anew from the system each time (measured: twice the time; 16 is no better)."""


def spearman_delta(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Rank correlation over genes, (n,).

    ``pearson(rank x, rank y)`` with mean ranks for ties (ours). NaN where x or y is constant.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(_spearman, *pair(predicted, measured), parts=PARTS)


def overlap_at_50(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Overlap of the 50 genes of largest absolute value, (n,).

    ``|top(x) & top(y)| / 50`` (ours). Genes tied for the last places share them evenly, and a gene
    counts with the smaller of its two shares, so the order of genes is of no account. NaN where
    all are tied in x or in y, and on panels of no more than 50 genes.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(partial(_overlap, k=50), *pair(predicted, measured))


def overlap_at_100(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Overlap of the 100 genes of largest absolute value, (n,).

    ``|top(x) & top(y)| / 100``; ties and NaN as in :func:`overlap_at_50`.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(partial(_overlap, k=100), *pair(predicted, measured))


def sign_accuracy_top50(predicted: ArrayLike, measured: ArrayLike) -> ScoreArray:
    """Share of the 50 genes with the largest absolute y whose sign is right, (n,).

    ``mean [sign x = sign y]`` over those genes (ours), of which one with ``y = 0`` is never part:
    where fewer changed, these are meant. Genes tied for the last places share them evenly. NaN
    where y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(_signs_of_top, *pair(predicted, measured))


def _spearman(x: FloatArray, y: FloatArray) -> ScoreArray:
    order, x = _ascending(x)
    order, y = _ascending(y.take(order))
    x, y = _ranks(x).take(order), _ranks(y)
    squares = np.vecdot(x, x) * np.vecdot(y, y)
    return ratio(np.vecdot(x, y), np.sqrt(squares)).clip(-1, 1)


def _ascending(values: FloatArray) -> tuple[IntArray, FloatArray]:
    """Where in the chunk the values stand that ascend in each row, and these values.

    Sorts whole numbers in the order of the floats, whose last bits give way to the place: half the
    time of argsort. In a float32 these bits are empty; rows in which they told values apart show it
    by a fall, and are sorted anew.
    """
    place = np.arange(values.size).reshape(values.shape)
    last_bits = (1 << values.size.bit_length()) - 1
    bits = values.view(np.int64)
    keys = bits >> 63
    keys &= np.iinfo(np.int64).max
    keys ^= bits  # as integers, negative floats descend
    keys &= ~last_bits
    keys |= place
    keys.sort(axis=1)
    order = np.bitwise_and(keys, last_bits, out=keys)
    ascending = values.take(order)
    fallen = (ascending[:, 1:] < ascending[:, :-1]).any(axis=1)
    if fallen.any():
        anew = values[fallen].argsort(axis=1)
        order[fallen] = np.take_along_axis(place[fallen], anew, axis=1)
        ascending[fallen] = values.take(order[fallen])
    return order, ascending


def _ranks(ascending: FloatArray) -> ScoreArray:
    """Mean ranks about their mean, doubled: whole numbers, so that sums of them are exact."""
    genes = ascending.shape[1]
    place = np.arange(genes)
    rises = ascending[:, 1:] != ascending[:, :-1]
    first = np.zeros(ascending.shape, dtype=np.int64)  # place of the first equal value
    np.multiply(rises, place[1:], out=first[:, 1:])
    np.maximum.accumulate(first, axis=1, out=first)
    last = np.full(ascending.shape, genes - 1)
    np.copyto(last[:, :-1], place[:-1], where=rises)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return np.subtract(first + last, genes - 1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class _Top:
    """The k genes of largest absolute value: all ``above`` an edge, some of those ``tied`` on it.

    Flags are packed, eight genes a byte. The ``n_tied`` share the ``places`` that are left.
    """

    above: NDArray[np.uint8]
    tied: NDArray[np.uint8]
    places: IntArray
    n_tied: IntArray

    @classmethod
    def of(cls, sizes: FloatArray, k: int) -> _Top:
        k = min(k, sizes.shape[1])
        edge = np.partition(sizes, -k, axis=1)[:, [-k]]
        above = np.packbits(sizes > edge, axis=1)
        tied = np.packbits(sizes == edge, axis=1)
        return cls(above, tied, k - count_bits(above), count_bits(tied))

    def share(self, n: IntArray) -> ScoreArray:
        """Places that n of the tied take together; whole where all of them are met."""
        return self.places * n / self.n_tied


def _overlap(x: FloatArray, y: FloatArray, *, k: int) -> ScoreArray:
    genes = x.shape[1]
    a, b = _Top.of(np.abs(x, out=x), k), _Top.of(np.abs(y, out=y), k)
    met = count_bits(a.above & b.above)
    met = met + a.share(count_bits(a.tied & b.above)) + b.share(count_bits(a.above & b.tied))
    both = count_bits(a.tied & b.tied)
    met += np.minimum(a.share(both), b.share(both))
    told = (genes > k) & (a.n_tied < genes) & (b.n_tied < genes)
    return np.where(told, met / k, np.nan)


def _signs_of_top(x: FloatArray, y: FloatArray) -> ScoreArray:
    changed = np.packbits(y != 0, axis=1)
    right = np.packbits(same_sign(x, y), axis=1) & changed
    top = _Top.of(np.abs(y, out=y), TOP)
    sums = (
        count_bits(top.above & genes) + top.share(count_bits(top.tied & genes))
        for genes in (right, changed)
    )
    return ratio(*sums)
