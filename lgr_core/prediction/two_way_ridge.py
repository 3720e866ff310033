"""Two-way ridge regression: a drug in other lines, corrected by the other drugs of this line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lgr_core.domain import BoolArray, FloatArray, IntArray, Term
from lgr_core.prediction.linear_methods import Weights
from lgr_core.prediction.ridge_weights import residual_mix, ridge_weights, shared_weights
from lgr_core.retrieval.cross_line import CrossLineProducts
from lgr_core.retrieval.evidence_guard import EvidenceGuard


@dataclass(frozen=True, slots=True)
class Penalties:
    """How strongly weights of lines are drawn to zeros, and those of drugs to their uniform mean.

    With large ones the prediction is the pool mean.
    """

    lines: float = 1.0
    drugs: float = 0.1

    def __str__(self) -> str:
        return f"lines {self.lines:g}, drugs {self.drugs:g}"


class TwoWayRidge:
    """Two-way regression for queries whose drugs were all measured in other lines.

    With x the measured deltas, c the queries' line and d a query's drug::

        sum_l w_l x[d, l]  +  sum_j v_j (x[j, c] - sum_l w_l x[j, l])

    The form is that of synthetic difference-in-differences (Arkhangelsky and others, 2021): what
    other lines predict for d, corrected by how other drugs in c depart from what those lines
    predict for them. w is the ridge regression of line c on the others over the drugs j of its
    pool, v that of drug d on the drugs j over the other lines, of what remains in each after the
    same regression of that line. A query's own parent is in neither. Where a drug was not measured
    in one of the other lines, what stands there is that line's mean and the drug's mean departure
    from the means of lines.
    """

    def __init__(self, guard: EvidenceGuard) -> None:
        self.cross_line_products = guard.cross_line_products()
        self._learned: dict[float, tuple[FloatArray, FloatArray]] = {}

    def weights(self, penalties: Penalties) -> TwoWayWeights:
        """The weights by these penalties."""
        cross = self.cross_line_products
        w, likeness = self._of_lines(penalties.lines)
        # v regresses the query's drug on the pool's. Their values are the residuals of all other
        # lines, stacked: likeness[d, e] is the mean product of drugs d and e over lines and genes.
        others = likeness[:, cross.pool]
        v = shared_weights(others[cross.pool], others[cross.own], cross.kept, penalties.drugs)
        return TwoWayWeights(cross, w, v)

    def _of_lines(self, penalty: float) -> tuple[FloatArray, FloatArray]:
        """w, and how alike drugs are in what remains; kept for other penalties on drugs."""
        if penalty not in self._learned:
            cross = self.cross_line_products
            # Row l of `mix`, (n_lines, n_lines), takes from line l its ridge prediction from the
            # others: what remains is M x[d] for each drug d. Only the products of these residuals
            # are asked for, so that no drug's vector is ever seen here.
            mix = residual_mix(cross.other_lines(), penalty)
            self._learned[penalty] = ridge_weights(*cross.lines(), penalty), cross.drugs(mix)
        return self._learned[penalty]


class TwoWayWeights(Weights):
    """The two factors of the weights, w (n, n_lines) and v (n, n_pool), spread only where asked."""

    def __init__(self, products: CrossLineProducts, w: FloatArray, v: FloatArray) -> None:
        self._products, self._w, self._v = products, w, v

    @property
    def rows(self) -> IntArray:
        """The conditions elsewhere, and then the line's own."""
        return self._products.rows

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """The formula's weights on the rows, by its three terms."""
        terms = (Term.DRUG_OTHER_LINES, Term.NEIGHBORS_HERE, Term.NEIGHBORS_OTHER_LINES)
        return dict(zip(terms, self._products.weights(self._w, self._v), strict=True))

    def has_weight(self) -> BoolArray:
        """(n,) whether a query has any weight."""
        return np.any(self._w, axis=1) | np.any(self._v, axis=1)

    def combine(self, guard: EvidenceGuard) -> FloatArray:  # noqa: ARG002 - its own passed the gate
        """The weighted sums, (n, genes) float32, factor by factor."""
        return self._products.combine(self._w, self._v)
