"""Similarity of drugs by their fingerprints: arrays alone, so that a search loads no RDKit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lgr_core.domain import FloatArray
from lgr_core.errors import UsageError

BitArray = NDArray[np.uint8]


def similarity(query_bits: BitArray, pool_bits: BitArray) -> FloatArray:
    r"""Cosine similarity (n,) of one fingerprint (n_bits,) with each row of a pool (n, n_bits).

    :math:`\sqrt{(x \cdot y)^2 / (|x|^2 |y|^2)}` from integer counts: the quotient is rounded
    once, so similarities that are equal are equal to the last bit and ties are exact. NaN where
    either side has no bits.

    Raises
    ------
    UsageError
        If the shapes do not fit.
    """
    if query_bits.ndim != 1 or pool_bits.shape[1:] != query_bits.shape:
        found = f"query {query_bits.shape}, pool {pool_bits.shape}"
        raise UsageError("similarity", found, "Give (n_bits,) and (n, n_bits).")
    set_bits = np.flatnonzero(query_bits)
    shared = pool_bits[:, set_bits].sum(axis=1, dtype=np.int64)
    n_pool = pool_bits.sum(axis=1, dtype=np.int64)
    with np.errstate(invalid="ignore"):
        return np.sqrt(shared**2 / (len(set_bits) * n_pool))


def nearest(
    query_bits: BitArray, names: Sequence[str], bits: BitArray, k: int
) -> tuple[tuple[str, float], ...]:
    """The k names of highest cosine similarity, best first, ties broken by name.

    Drugs that share no bit, and those without a structure, are left out: fewer than k may return.

    Raises
    ------
    UsageError
        If k is not positive or the shapes do not fit.
    """
    if k < 1:
        raise UsageError(f"k = {k}", "at least one neighbour is needed", "Give k of 1 or more.")
    scores = similarity(query_bits, bits).tolist()
    if len(names) != len(scores):
        found = f"{len(names)} names for {len(scores)} fingerprints"
        raise UsageError("nearest structures", found, "Give one name a row.")
    alike = [pair for pair in zip(names, scores, strict=True) if pair[1] > 0]
    return tuple(sorted(alike, key=lambda pair: (-pair[1], pair[0]))[:k])
