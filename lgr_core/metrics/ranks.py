"""What hangs on the order of genes alone: rank correlation, and the genes of largest value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.metrics.row_kernels import ScoreArray, by_rows, count_bits, pair, ratio, same_sign

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


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Each row's ``values`` in ascending order, and ``places``, where in the chunk they stand."""

    values: FloatArray
    places: IntArray

    @classmethod
    def of(cls, values: FloatArray) -> SortedRows:
        """Of the rows of a chunk, (n, genes) float64.

        Sorts whole numbers in the order of the floats, whose last bits give way to the place: half
        the time of argsort. In a float32 these bits are empty; rows in which they told values apart
        show it by a fall, and are sorted anew.
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
        return cls(ascending, order)

    def centred_ranks(self) -> tuple[ScoreArray, ScoreArray]:
        """Ranks about their mean, doubled, in the order of the genes; sums of their squares."""
        ranks = _ranks(self.values)
        placed = np.empty(ranks.shape)
        placed.reshape(-1)[self.places] = ranks
        return placed, np.vecdot(ranks, ranks)

    def spearman(self, ranks: ScoreArray, squares: ScoreArray) -> ScoreArray:
        """Rank correlation with a side whose :meth:`centred_ranks` are known."""
        own = _ranks(self.values)
        norms = np.sqrt(np.vecdot(own, own) * squares)
        return ratio(np.vecdot(own, ranks.take(self.places)), norms).clip(-1, 1)

    def edge(self, k: int) -> ScoreArray:
        """The k-th largest absolute value, (n, 1): it is among the k first or the k last."""
        genes = self.values.shape[1]
        k = min(k, genes)
        ends = np.abs(np.hstack([self.values[:, :k], self.values[:, max(k, genes - k) :]]))
        return np.partition(ends, -k, axis=1)[:, [-k]]


def _spearman(x: FloatArray, y: FloatArray) -> ScoreArray:
    return SortedRows.of(x).spearman(*SortedRows.of(y).centred_ranks())


def _ranks(ascending: FloatArray) -> ScoreArray:
    """Mean ranks about their mean, doubled: whole numbers, so that sums of them are exact."""
    genes = ascending.shape[1]
    ranks = np.broadcast_to(np.arange(1.0 - genes, genes, 2), ascending.shape)
    tied = (ascending[:, 1:] == ascending[:, :-1]).any(axis=1)
    if tied.any():
        ranks = ranks.copy()
        ranks[tied] = _tied_ranks(ascending[tied])
    return ranks


def _tied_ranks(ascending: FloatArray) -> ScoreArray:
    """The same, where equal values share the mean of their ranks."""
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
class TopGenes:
    """The k genes of largest absolute value: all ``above`` an edge, some of those ``tied`` on it.

    Flags are packed, eight genes a byte. The ``n_tied`` share the ``places`` that are left.
    ``defined`` says where the values tell k genes from the others.
    """

    above: NDArray[np.uint8]
    tied: NDArray[np.uint8]
    places: IntArray
    n_tied: IntArray
    defined: BoolArray
    k: int

    @classmethod
    def of(cls, sizes: FloatArray, k: int, edge: ScoreArray | None = None) -> TopGenes:
        """From absolute values, (n, genes), and the k-th largest, (n, 1), if it is known."""
        genes, asked = sizes.shape[1], k
        k = min(k, genes)
        if edge is None:
            edge = np.partition(sizes, -k, axis=1)[:, [-k]]
        above = np.packbits(sizes > edge, axis=1)
        tied = np.packbits(sizes == edge, axis=1)
        n_tied = count_bits(tied)
        defined = (genes > asked) & (n_tied < genes)
        return cls(above, tied, k - count_bits(above), n_tied, defined, asked)

    def share(self, n: IntArray) -> ScoreArray:
        """Places that n of the tied take together; whole where all of them are met."""
        return self.places * n / self.n_tied

    def overlap(self, other: TopGenes) -> ScoreArray:
        """Share of the k genes that both have; NaN where one of them tells none apart."""
        met = count_bits(self.above & other.above)
        met = met + self.share(count_bits(self.tied & other.above))
        met = met + other.share(count_bits(self.above & other.tied))
        both = count_bits(self.tied & other.tied)
        met = met + np.minimum(self.share(both), other.share(both))
        return np.where(self.defined & other.defined, met / self.k, np.nan)

    def signs(self, right: BoolArray, changed: BoolArray) -> ScoreArray:
        """Share of these genes, as far as they changed, whose sign is right."""
        hits, all_changed = np.packbits(right & changed, axis=1), np.packbits(changed, axis=1)
        sums = (
            count_bits(self.above & genes) + self.share(count_bits(self.tied & genes))
            for genes in (hits, all_changed)
        )
        return ratio(*sums)


def _overlap(x: FloatArray, y: FloatArray, *, k: int) -> ScoreArray:
    return TopGenes.of(np.abs(x, out=x), k).overlap(TopGenes.of(np.abs(y, out=y), k))


def _signs_of_top(x: FloatArray, y: FloatArray) -> ScoreArray:
    right, changed = same_sign(x, y), y != 0
    return TopGenes.of(np.abs(y, out=y), TOP).signs(right, changed)
