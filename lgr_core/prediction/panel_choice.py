"""Which drugs to measure in a line so that the others are predicted best. NumPy in, NumPy out.

With r[d] what drug d does in a line beyond its mean over lines, and C its covariances between drugs
over lines and genes, the ridge regression on a panel S leaves of drug d the variance

    C[d, d] - C[d, S] (C[S, S] + p I)^-1 C[S, d]

Drugs are taken one by one, each time the one that lowers the sum of this over all others most:
the greedy choice, of which each step is one elimination (pivoted Cholesky).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lgr_core.domain import BoolArray, FloatArray, IntArray

PENALTY = 0.1
"""Of the ridge regression, in mean variances of a drug: what a measurement in one line errs."""


def departures(changes: FloatArray, measured: BoolArray) -> FloatArray:
    """What is left of drugs beyond their means over lines, (n_lines, n_drugs, genes).

    ``changes`` is (n_lines, n_drugs, genes), ``measured`` (n_lines, n_drugs). Where a drug was not
    measured in a line stands the mean departure of the line's others.
    """
    flags = measured.astype(np.float32)
    known = measured[:, :, None]
    of_drug = np.maximum(flags.sum(axis=0), 1)[:, None]
    left = np.where(known, changes - np.where(known, changes, 0).sum(axis=0) / of_drug, 0)
    if measured.all():
        return left
    of_line = left.sum(axis=1) / np.maximum(flags.sum(axis=1), 1)[:, None]
    return np.where(known, left, of_line[:, None])


def covariances(left: FloatArray) -> FloatArray:
    """(n_drugs, n_drugs) mean products of departures (n_lines, n_drugs, genes)."""
    n_lines, n_drugs, n_genes = left.shape
    flat = left.transpose(1, 0, 2).reshape(n_drugs, -1)
    return (flat @ flat.T).astype(np.float64) / (n_lines * n_genes)


def greedy_panel(
    cov: FloatArray,
    usable: BoolArray,
    k: int,
    *,
    candidates: BoolArray | None = None,
    first: Sequence[int] = (),
) -> list[int]:
    """The k drugs whose measurement lowers the others' variance most, best first.

    Parameters
    ----------
    cov
        (n_drugs, n_drugs) covariances.
    usable
        (n_drugs, n_drugs) whether drug d (row) may be predicted from drug j (column).
    k
        How many to choose; fewer where no candidate is left.
    candidates
        (n_drugs,) those that can be chosen; None: all.
    first
        Drugs that are measured already: in the panel, and not among the answer.
    """
    penalty = PENALTY * np.trace(cov) / len(cov)
    # Targets that may read the same drugs share one elimination.
    patterns, group = np.unique(_with_own(usable), axis=0, return_inverse=True)
    left = [cov.copy() for _ in patterns]
    free = np.ones(len(cov), dtype=bool) if candidates is None else candidates.copy()
    open_targets = np.ones(len(cov), dtype=bool)
    chosen: list[int] = []
    known = list(first)
    while len(chosen) < k:
        if known:
            j = known.pop(0)
        else:
            gains = _gains(left, patterns, group, open_targets, penalty)
            gains[~free] = -np.inf
            j = int(np.argmax(gains))
            if not np.isfinite(gains[j]):
                break
            chosen.append(j)
        free[j] = open_targets[j] = False
        for i, pattern in enumerate(patterns):
            if pattern[j]:
                column = left[i][:, j].copy()
                left[i] -= np.outer(column, column) / (column[j] + penalty)
    return chosen


def _with_own(usable: BoolArray) -> BoolArray:
    """The same with each target's own place set: never used, it would tell all targets apart."""
    own = np.eye(len(usable), dtype=bool) & np.any(usable, axis=1, keepdims=True)
    return usable | own


def _gains(
    left: Sequence[FloatArray],
    patterns: BoolArray,
    group: IntArray,
    targets: BoolArray,
    penalty: float,
) -> FloatArray:
    """(n_drugs,) by how much each lowers the summed variance of the other targets."""
    gains = np.zeros(len(targets))
    for i, (cov, pattern) in enumerate(zip(left, patterns, strict=True)):
        rows = targets & (group == i)
        squares = np.square(cov[rows])
        # A drug that is measured is predicted no longer: its own variance is not a gain.
        squares[np.arange(len(squares)), np.flatnonzero(rows)] = 0
        gains += pattern * squares.sum(axis=0) / (np.maximum(np.diag(cov), 0) + penalty)
    return gains


def panel_weights(cov: FloatArray, usable: BoolArray, panel: Sequence[int]) -> FloatArray:
    """(n_drugs, n_panel) ridge weights of each drug on the panel's, 0 where it may not be read.

    A drug of the panel is no target: its own row is of no use.
    """
    penalty = PENALTY * np.trace(cov) / len(cov)
    columns = np.array(panel, dtype=np.intp)
    weights = np.zeros((len(cov), len(columns)))
    patterns, group = np.unique(_with_own(usable)[:, columns], axis=0, return_inverse=True)
    for i, pattern in enumerate(patterns):
        some = columns[pattern]
        if len(some):
            system = cov[np.ix_(some, some)] + penalty * np.eye(len(some))
            rows = np.flatnonzero(group == i)
            solved = np.linalg.solve(system, cov[np.ix_(some, rows)]).T
            weights[np.ix_(rows, np.flatnonzero(pattern))] = solved
    return weights
