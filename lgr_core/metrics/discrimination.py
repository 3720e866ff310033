"""The discrimination score: the rank of a prediction's own condition among those of its line."""

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
"""A float32 dot product over g genes errs by at most this times sqrt(g) units of rounding: rounding
errors add up like random ones, as sqrt(g) and not as g (Higham and Mary 2019,
doi:10.1137/18M1226312)."""


@dataclass(frozen=True, slots=True)
class ReferenceSet:
    """The measured conditions of one line at one dose among which predictions are ranked.

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
    """One minus the normalised rank of the true condition by cosine distance, (n,).

    ``1 - rank / n``: ``rank`` is how many of the ``n`` conditions, the true one counted, lie nearer
    to x by ``1 - cosine``; 1 is best, 1/n worst, (n + 1)/2n chance. As cell-eval's, except that a
    tie counts half (there an unstable sort decides), and that the score is NaN where the order has
    no meaning: x or the true delta is zero throughout, or no other condition remains. ``exclude``,
    (n, n_conditions), removes conditions for each query, such as the retrieved neighbours: a
    prediction resembles the changes that it averages, which alone would rank them before the truth.

    Raises
    ------
    InputError
        The shapes do not agree, a value is not finite, or a true condition is excluded.
    """
    x = matrix("predicted", predicted)
    kept = reference_mask(len(x), references, exclude)
    if x.shape[1] != references.deltas.shape[1]:
        found = f"predicted is {x.shape}, the lineup {references.deltas.shape}"
        raise InputError("metric", found, "Score both on the same genes.")
    defined = np.any(x, axis=1) & np.any(references.deltas, axis=1)[references.truth]
    return score_from_cosines(_cosines(x, references.deltas), references.truth, defined, kept)


def score_from_cosines(
    cosines: ScoreArray, truth: IntArray, defined: BoolArray, kept: BoolArray
) -> ScoreArray:
    """The score from cosines (n, n_conditions) over ``kept`` ones; NaN where not ``defined``."""
    # Each condition counts 0 if it is farther than the truth, 1/2 if it ties and 1 if it is nearer.
    # In half units these are 0, 1 and 2: one comparison with each end of the tolerance, added.
    own = np.take_along_axis(cosines, truth[:, None], axis=1)
    halves = (cosines > own + TIE).view(np.int8) + (cosines >= own - TIE).view(np.int8)
    rank = (np.where(kept, halves, 0).sum(axis=1) - 1) / 2  # - 1: the truth ties with itself
    n = kept.sum(axis=1)
    return np.where(defined & (n > 1), 1 - rank / np.maximum(n, 1), np.nan)


class CosineSimilarity:
    """Cosines of predictions with the reference conditions, ranked as in float64.

    The matrix product is done in float32, three times as fast. Its error is bounded (``ROUNDING``),
    and the score only asks which side of the true condition's cosine another cosine lies on. So the
    true one is computed in float64, and any other that is closer to it than the bound again.
    """

    def __init__(self, references: ReferenceSet) -> None:
        self._exact = unit(references.deltas.astype(np.float64))
        self._rough = self._exact.astype(np.float32)
        self._error = ROUNDING * np.sqrt(references.deltas.shape[1]) * np.finfo(np.float32).eps

    def of(self, x: ScoreArray, truth: IntArray) -> tuple[ScoreArray, BoolArray]:
        """Cosines (n, n_conditions) of rows of float64, and where they are defined, (n,).

        Undefined where the prediction or the true condition is zero throughout.
        """
        x, true = unit(x), self._exact[truth]
        cosines = (x.astype(np.float32) @ self._rough.T).astype(np.float64)
        own = np.vecdot(x, true)
        near = np.abs(cosines - own[:, None]) <= self._error
        each = np.arange(len(x)), truth
        cosines[each], near[each] = own, False
        defined = np.any(x, axis=1) & np.any(true, axis=1)
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


def reference_mask(n: int, references: ReferenceSet, exclude: BoolArray | None) -> BoolArray:
    """The reference conditions of each query, a mask (n, n_conditions); checks ``exclude``."""
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
