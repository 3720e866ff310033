"""Metrics of rank: Spearman correlation, and overlap and signs of the largest changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.metrics.row_kernels import ScoreArray, by_rows, count_bits, pair, ratio, same_sign

TOP = 50
"""Number of genes in ``sign_accuracy_top50``."""

PARTS = 8
"""Ranking needs several temporary arrays of its chunk's size, so the chunk is divided by this. With
whole chunks the allocator asks the system for memory each time (measured: twice as slow; 16 parts
are no better than 8)."""


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
    counts with the smaller of its two shares, so the order of genes does not matter. NaN where
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

    ``mean [sign x = sign y]`` over those genes (ours). A gene with ``y = 0`` is never among them:
    where fewer than 50 genes changed, only those count. Genes tied for the last places share them
    evenly. NaN where y is zero throughout.

    Raises
    ------
    InputError
        The shapes differ, or a value is not finite.
    """
    return by_rows(_signs_of_top, *pair(predicted, measured))


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Each row's ``values`` in ascending order, and their ``places``: flat indices in the chunk."""

    values: FloatArray
    places: IntArray

    @classmethod
    def of(cls, values: FloatArray) -> SortedRows:
        """Of the rows of a chunk, (n, genes) float64.

        Sorts int64 keys that hold value and place together, in half the time of ``argsort``.
        """
        # For non-negative IEEE 754 floats the bit patterns, read as integers, are in the order of
        # the values; for negative ones they are in reverse. Flipping the 63 bits after the sign of
        # the negative ones makes one ascending order. The lowest bits are then replaced by the
        # value's flat index: a chunk of 2^14 values needs 15 of them, and a float32 stored as
        # float64 leaves the lowest 29 of its 52 mantissa bits zero, so nothing is lost. Values that
        # do differ in these bits may come out in the wrong order: such rows descend somewhere and
        # are sorted again.
        place = np.arange(values.size).reshape(values.shape)
        last_bits = (1 << values.size.bit_length()) - 1
        bits = values.view(np.int64)
        keys = bits >> 63
        keys &= np.iinfo(np.int64).max
        keys ^= bits
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
        """Doubled ranks less their mean, (n, genes) in gene order, and squared norms (n,)."""
        ranks = _ranks(self.values)
        placed = np.empty(ranks.shape)
        placed.reshape(-1)[self.places] = ranks
        return placed, np.vecdot(ranks, ranks)

    def spearman(self, ranks: ScoreArray, squares: ScoreArray) -> ScoreArray:
        """Rank correlation (n,) with rows whose :meth:`centred_ranks` are known.

        ``r.s / sqrt(r.r s.s)`` of the centred ranks r and s, (n, genes). Summed in the order of r,
        which is at hand: sums of integers are exact in any order.
        """
        own = _ranks(self.values)
        norms = np.sqrt(np.vecdot(own, own) * squares)
        return ratio(np.vecdot(own, ranks.take(self.places)), norms).clip(-1, 1)

    def edge(self, k: int) -> ScoreArray:
        """The k-th largest absolute value, (n, 1).

        Rows are sorted, so the k largest in absolute value are among the first k and the last k.
        """
        genes = self.values.shape[1]
        k = min(k, genes)
        ends = np.abs(np.hstack([self.values[:, :k], self.values[:, max(k, genes - k) :]]))
        return np.partition(ends, -k, axis=1)[:, [-k]]


def _spearman(x: FloatArray, y: FloatArray) -> ScoreArray:
    return SortedRows.of(x).spearman(*SortedRows.of(y).centred_ranks())


def _ranks(ascending: FloatArray) -> ScoreArray:
    """Doubled mean ranks less their mean, (n, genes), for rows in ascending order.

    Place i of g has the doubled rank ``2i - (g - 1)``. Doubled ranks are integers even for ties,
    and so are their products and sums: float64 holds them exactly up to 2^53, and the sums do not
    depend on the order of addition.
    """
    genes = ascending.shape[1]
    ranks = np.broadcast_to(np.arange(1.0 - genes, genes, 2), ascending.shape)
    tied = (ascending[:, 1:] == ascending[:, :-1]).any(axis=1)
    if tied.any():
        ranks = ranks.copy()
        ranks[tied] = _tied_ranks(ascending[tied])
    return ranks


def _tied_ranks(ascending: FloatArray) -> ScoreArray:
    """The same where values tie: those from place a to b all get ``a + b - (g - 1)``.

    That is twice the mean of their ranks, less the mean of all. A running maximum carries the first
    place of each run of equal values forward, a running minimum the last place backward.
    """
    genes = ascending.shape[1]
    place = np.arange(genes)
    rises = ascending[:, 1:] != ascending[:, :-1]
    first = np.zeros(ascending.shape, dtype=np.int64)
    np.multiply(rises, place[1:], out=first[:, 1:])
    np.maximum.accumulate(first, axis=1, out=first)
    last = np.full(ascending.shape, genes - 1)
    np.copyto(last[:, :-1], place[:-1], where=rises)
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    return np.subtract(first + last, genes - 1, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class TopGenes:
    """The k genes of largest absolute value: those ``above`` the k-th value and ``tied`` at it.

    ``above`` and ``tied`` are (n, genes / 8), one bit a gene: an intersection is a bitwise
    "and" with a count of bits. The ``n_tied`` genes share the remaining ``places = k - |above|``:
    each belongs to the top with weight ``places / n_tied``, which is 1 where nothing ties beyond k.
    ``defined`` is False where the panel has no more than k genes or all genes tie.
    """

    above: NDArray[np.uint8]
    tied: NDArray[np.uint8]
    places: IntArray
    n_tied: IntArray
    defined: BoolArray
    k: int

    @classmethod
    def of(cls, sizes: FloatArray, k: int, edge: FloatArray | None = None) -> TopGenes:
        """From absolute values, (n, genes), and the k-th largest of them, (n, 1), if known."""
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
        """Summed weight of n of the tied genes, (n,)."""
        # Multiplied first: with n = n_tied the quotient is then exactly ``places``.
        return self.places * n / self.n_tied

    def overlap(self, other: TopGenes) -> ScoreArray:
        """Share of the k genes that both have, (n,); NaN where either is undefined.

        Sum over genes of the smaller of its two weights, over k. A gene above in one weighs what it
        weighs in the other; one tied in both weighs the smaller share.
        """
        common = count_bits(self.above & other.above) + self.share(
            count_bits(self.tied & other.above)
        )
        common = common + other.share(count_bits(self.above & other.tied))
        both = count_bits(self.tied & other.tied)
        common = common + np.minimum(self.share(both), other.share(both))
        return np.where(self.defined & other.defined, common / self.k, np.nan)

    def signs(self, right: BoolArray, changed: BoolArray) -> ScoreArray:
        """Share of these genes, of those that changed, whose sign is right, (n,), by weight."""
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
