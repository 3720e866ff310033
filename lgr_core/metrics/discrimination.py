"""Whether a prediction finds its own condition among all that were measured in the line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.errors import InputError
from lgr_core.metrics.row_kernels import ScoreArray, by_rows, matrix

TIE = 1e-12
"""Cosines closer than this are equal: a matrix product rounds no finer."""

ROUNDING = 5.0
"""Times the root of the number of genes, units of rounding that a product errs by at most: errors
add up as random ones do (Higham and Mary 2019, doi:10.1137/18M1226312)."""


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """The measured conditions of one line at one dose, among which a prediction must find its own.

    ``deltas`` is (n_conditions, genes); ``truth``, (n,), is each query's row in it.
    """

    deltas: FloatArray
    truth: IntArray

    def __post_init__(self) -> None:
        deltas, truth = self.deltas, self.truth
        if deltas.ndim == 1 or truth.ndim != 1 or truth.dtype.kind not in "iu":
            found = f"deltas are {deltas.shape}, truth is {truth.dtype} {truth.shape}"
            raise InputError(
                "references", found, "Give (n_conditions, genes) and (n,) row numbers."
            )
        if not np.isfinite(matrix("references", deltas)).all():
            raise InputError("references", "a delta is not finite", "Drop or repair its condition.")
        if ((self.truth < 0) | (self.truth >= len(self.deltas))).any():
            found = f"a true row lies outside its {len(self.deltas)} conditions"
            raise InputError("references", found, "Number the rows of deltas from 0.")


def discrimination_score_cosine(
    predicted: ArrayLike, references: ReferenceSet, *, exclude: BoolArray | None = None
) -> ScoreArray:
    """How early the true condition comes when the line's conditions are sorted by distance, (n,).

    ``1 - rank / n``: ``rank`` is how many of the ``n`` conditions, the true one counted, lie nearer
    to x by ``1 - cosine``; 1 is best, 1/n worst, (n + 1)/2n chance. As cell-eval's, but that a tie,
    left there to an unstable sort, counts half, and that NaN stands where the order means nothing:
    x or the true delta zero throughout, or nobody else in the lineup. ``exclude``, (n,
    n_conditions), takes conditions out query by query, as the retrieved neighbours: a prediction
    resembles what it averages, and that alone puts them before the truth.

    Raises
    ------
    InputError
        The shapes do not agree, a value is not finite, or a true condition is excluded.
    """
    x = matrix("predicted", predicted)
    kept = kept_mask(len(x), references, exclude)
    if x.shape[1] != references.deltas.shape[1]:
        found = f"predicted is {x.shape}, the lineup {references.deltas.shape}"
        raise InputError("metric", found, "Score both on the same genes.")
    defined = x.any(axis=1) & references.deltas.any(axis=1)[references.truth]
    return ranked(_cosines(x, references.deltas), references.truth, defined, kept)


def ranked(cosines: ScoreArray, truth: IntArray, defined: BoolArray, kept: BoolArray) -> ScoreArray:
    """The score from cosines (n, n_conditions), over the ``kept`` ones; NaN where not ``defined``."""
    own = np.take_along_axis(cosines, truth[:, None], axis=1)
    halves = (cosines > own + TIE).view(np.int8) + (cosines >= own - TIE).view(np.int8)
    rank = (np.where(kept, halves, 0).sum(axis=1) - 1) / 2  # less the true one's tie with itself
    n = kept.sum(axis=1)
    return np.where(defined & (n > 1), 1 - rank / np.maximum(n, 1), np.nan)


class CosineSimilarity:
    """Cosines of predictions with a lineup, which rank as those of float64 do.

    Single precision is three times as fast; what comes nearer to the true condition's cosine than
    it may err is computed again.
    """

    def __init__(self, references: ReferenceSet) -> None:
        self._exact = unit(references.deltas.astype(np.float64))
        self._rough = self._exact.astype(np.float32)
        self._error = ROUNDING * np.sqrt(references.deltas.shape[1]) * np.finfo(np.float32).eps

    def of(self, x: ScoreArray, truth: IntArray) -> tuple[ScoreArray, BoolArray]:
        """(n, n_conditions) of rows of float64, and whether they tell anything, (n,).

        They do not where the prediction or the true condition is zero throughout.
        """
        x, true = unit(x), self._exact[truth]
        cosines = (x.astype(np.float32) @ self._rough.T).astype(np.float64)
        own = np.vecdot(x, true)
        near = np.abs(cosines - own[:, None]) <= self._error
        each = np.arange(len(x)), truth
        cosines[each], near[each] = own, False
        defined = x.any(axis=1) & true.any(axis=1)
        for i in np.flatnonzero(near.any(axis=1) & defined):
            cosines[i, near[i]] = self._exact[near[i]] @ x[i]
        return cosines, defined


def _cosines(x: FloatArray, deltas: FloatArray) -> ScoreArray:
    """(n, n_conditions); 0 wherever a vector is zero, as scikit-learn has it."""
    others = unit(deltas.astype(np.float64))
    return by_rows(lambda rows: others @ unit(rows).T, x).T


def unit(x: ScoreArray) -> ScoreArray:
    """Rows of length 1; zero rows stay zero."""
    norm = np.sqrt(np.vecdot(x, x))[:, None]
    return x / np.where(norm > 0, norm, 1)


def kept_mask(n: int, references: ReferenceSet, exclude: BoolArray | None) -> BoolArray:
    """(n, n_conditions) true for what stays in each query's lineup."""
    shape = (n, len(references.deltas))
    if len(references.truth) != n:
        found = f"{n} predictions, {len(references.truth)} true rows"
        raise InputError("references", found, "Give each prediction its true row.")
    if exclude is None:
        return np.ones(shape, dtype=bool)
    mask = np.atleast_2d(exclude)
    if mask.shape != shape or mask.dtype != bool:
        found = f"exclude is {mask.dtype} {mask.shape}, the lineup asks for bool {shape}"
        raise InputError("references", found, "Give one flag a query and condition.")
    if mask[np.arange(n), references.truth].any():
        raise InputError("references", "a true condition is excluded", "Keep it; exclude others.")
    return ~mask
