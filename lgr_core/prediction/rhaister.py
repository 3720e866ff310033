"""Rhaister's few-shot model, re-implemented: a drug as a combination of those measured in the line.

After Svensson et al. 2026 (bioRxiv 2026.06.09.731197), from its published description of the
expression deltas; the parts for p-values and fold changes are not here.
"""

from __future__ import annotations

import numpy as np

from lgr_core.domain import BoolArray, Evidence, FloatArray
from lgr_core.prediction.additive import answered_additively
from lgr_core.prediction.best_evidence import Route, routes_of
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.prediction.ridge_weights import shared_weights
from lgr_core.retrieval.evidence_guard import EvidenceGuard
from lgr_core.retrieval.query_block import QueryBlock

PENALTY = 1.0
"""Of the ridge regression, in squares of the deltas' unit, summed over lines and genes."""

RIDGE_SHARE = 0.95
"""Of the regression in the answer; the rest is the additive model."""


class Rhaister(NothingToFit):
    """Ridge regression on a panel, the drugs measured in the query's line, with the additive model.

    With x the deltas, c the query's line, d its drug and j the panel's drugs::

        0.95 (mean_l x[d, l] + sum_j v_j (x[j, c] - mean_l x[j, l])) + 0.05 (mu + alpha_c + beta_d)

    v is the ridge regression of drug d on the panel over the other lines l and all genes, each
    drug less its mean over these lines, drawn to zeros; the query's own parent is in no panel. Gaps
    in other lines are filled by an additive model of line and drug. On large panels v is learned
    from evenly taken genes. Not applicable where the drug was not measured in another line, or no
    drug in this one may be read: the authors' model is of pairs whose line and drug are both known.
    """

    name = "rhaister"
    evidence = frozenset({Evidence.TRAIN, Evidence.TARGET_POOL})

    def predict(self, block: QueryBlock) -> Predictions:
        """The regression's answer drawn to the additive one."""
        delta = np.full((len(block), block.labels.n_genes), np.nan, dtype=np.float32)
        for route, places in routes_of(block, block.guard(self.evidence)):
            if route is not Route.TWO_WAY:
                continue
            part = block.some(places)
            guard = part.guard(self.evidence)
            ridge, known = _of_panel(guard)
            found = RIDGE_SHARE * ridge + (1 - RIDGE_SHARE) * answered_additively(part, guard).delta
            delta[places[known]] = found[known]
        without = "its drug was measured in no other line, or no other drug in its line"
        return answered(delta, without=without)


def _of_panel(guard: EvidenceGuard) -> tuple[FloatArray, BoolArray]:
    """The regression's answers, (n, genes) float32, and which queries have a panel, (n,)."""
    cross = guard.cross_line_products()
    n_lines = cross.n_lines
    mean = np.full((len(cross.own), n_lines), 1 / n_lines)
    # Each row of the mixture takes the mean over lines from one line, so that these are products
    # of what is left of drugs, averaged over lines and genes.
    products = cross.drugs(np.eye(n_lines) - 1 / n_lines)
    likeness = products[:, cross.pool]
    panel = likeness[cross.pool]
    size = np.trace(panel) / max(len(panel), 1)
    n_values = n_lines * guard.block.labels.n_genes
    relative = PENALTY / n_values / size if size > 0 else 0.0
    v = shared_weights(panel, likeness[cross.own], cross.kept, relative, to_mean=False)
    return cross.combine(mean, v), np.any(cross.kept, axis=1)
