"""The additive model: a mean, an effect of the cell line and an effect of the drug."""

from __future__ import annotations

import numpy as np

from lgr_core.domain import BoolArray, Evidence, FloatArray
from lgr_core.prediction.mean_baselines import GlobalMean
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.query_block import QueryBlock

NOTHING = "no training condition at this dose"
"""Why the model has no answer."""


def additive_weights(measured: BoolArray, line: int, drug: int) -> FloatArray:
    """Weights on measured conditions of the additive prediction for a line and a drug.

    The model is ``x[l, d] = mu + alpha_l + beta_d``, gene by gene: mu is the mean of all
    conditions, alpha and beta are where alternating least squares ends that starts at zeros with
    beta. ``measured``, (n_lines, n_drugs), says where there is an x; ``line`` and ``drug`` are
    places in it. The prediction is linear in x: these are its weights, (n_lines, n_drugs), of which
    the sum is 1. A line or drug without any x (a drug of -1, too) has the effect 0. Zeros where
    nothing is measured.
    """
    m = measured.astype(float)
    of_line, of_drug = m.sum(axis=1), m.sum(axis=0)
    total = of_line.sum()
    if not total:
        return m
    # With b_d = mean over its lines of (x - a_l), the normal equations leave  S a = r  for lines,
    # r_l = sum_d m_ld (x_ld - mean_d), S = diag(n_l) - M diag(1/n_d) M'. The answer is
    # base . x + t . a: alternating from zeros ends where, in each connected part of lines and
    # drugs, the line effects have the weighted sum 0, which decides what t is.
    shares = m / np.maximum(of_drug, 1)
    system = np.diag(of_line) - shares @ m.T
    base, target = m / total, np.zeros(len(m))
    if of_line[line]:
        target[line] = 1
        target -= _component_shares(system, of_line, line)
    if drug >= 0 and of_drug[drug]:
        base = np.zeros_like(m)
        base[:, drug] = shares[:, drug]
        target += _component_shares(system, of_line, int(np.argmax(m[:, drug]))) - shares[:, drug]
    u = np.linalg.pinv(system, hermitian=True) @ target
    return base + m * (u[:, None] - u @ shares)


def _component_shares(system: FloatArray, of_line: FloatArray, line: int) -> FloatArray:
    """Shares of the conditions, (n_lines,), in the part of lines that share drugs with a line."""
    part: BoolArray = np.zeros(len(of_line), dtype=bool)
    reached: BoolArray = np.arange(len(of_line)) == line
    while (reached & ~part).any():
        part = reached
        reached = part | np.any(system[part] != 0, axis=0)
    counts = np.where(part, of_line, 0)
    return counts / counts.sum()


class Additive(NothingToFit):
    """Mean plus line plus drug, from training rows at the query's dose, its own unit left out.

    Where neither the line nor the drug was measured, what remains is the global mean, marked.
    """

    name = "additive"
    evidence = frozenset({Evidence.TRAIN})

    def predict(self, block: QueryBlock) -> Predictions:
        """The sum of the effects that are known."""
        return answered_additively(block, block.guard(self.evidence))


def answered_additively(block: QueryBlock, guard: EvidenceGuard) -> Predictions:
    """The additive predictions of a block's queries, by what the guard's evidence opens."""
    grid, drugs = guard.grid(), block.labels.drug_numbers(block.drugs)
    present = grid >= 0
    rows = grid[present]
    readable = guard.allows(np.arange(len(block))[:, None], rows[None, :])
    weights = np.empty((len(block), int(present.sum())))
    known = np.empty(len(block), dtype=bool)
    for i, drug in enumerate(drugs):
        measured = np.zeros_like(present)
        measured[present] = readable[i]
        weights[i] = additive_weights(measured, guard.line, int(drug))[present]
        known[i] = measured[guard.line].any() or (drug >= 0 and measured[:, drug].any())
    delta = guard.combine_rows(weights, rows)
    delta[~weights.any(axis=1)] = np.nan
    return answered(
        delta, without=NOTHING, fallback=[None if each else GlobalMean.name for each in known]
    )
