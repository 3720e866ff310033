"""A drug measured in other lines: what lines share, and what drugs share, each learned by ridge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.prediction.ridge import residual_mix, ridge_weights, shared_weights
from lgr_core.prediction.weighted import Term, Weights
from lgr_core.retrieval.blocks import Block
from lgr_core.retrieval.gate import Gate


@dataclass(frozen=True, slots=True)
class Penalties:
    """How strongly weights of lines are drawn to zeros, and those of drugs to their uniform mean.

    With large ones the prediction is the pool mean.
    """

    lines: float = 1.0
    drugs: float = 0.1

    def __str__(self) -> str:
        return f"lines {self.lines:g}, drugs {self.drugs:g}"


class TwoWays:
    """Two-way regression for queries whose drugs were all measured in ``lines``, (n_lines,).

    With x the measured deltas, c the queries' line and d a query's drug::

        sum_l w_l x[d, l]  +  sum_j v_j (x[j, c] - sum_l w_l x[j, l])

    w is the ridge regression of line c on the others over the drugs j of its pool, v that of drug
    d on the drugs j over the other lines, of what remains in each after the same regression of
    that line. A query's own parent is in neither.
    """

    def __init__(self, block: Block, gate: Gate, lines: IntArray) -> None:
        grid, asked = gate.grid(), block.labels.drug_numbers(block.drugs)
        lines, pool = _rectangle(grid, lines, np.flatnonzero(grid[gate.line] >= 0))
        drugs = np.union1d(pool, asked)
        self.table, self.here = grid[np.ix_(lines, drugs)], grid[gate.line, pool]
        own, others = np.searchsorted(drugs, asked), np.searchsorted(drugs, pool)
        self.crossing = gate.crossing(self.table, self.here, others, own)
        self._products: dict[float, FloatArray] = {}

    def weights(self, penalties: Penalties) -> TwoWayWeights:
        """The weights by these penalties."""
        cross = self.crossing
        w = ridge_weights(*cross.lines(), penalties.lines)
        others = self._drug_products(penalties.lines)[:, cross.pool]
        v = shared_weights(others[cross.pool], others[cross.own], cross.kept, penalties.drugs)
        return TwoWayWeights(self, w, v)

    def _drug_products(self, penalty: float) -> FloatArray:
        """Of what remains of each drug in each line, kept for other penalties on drugs."""
        if penalty not in self._products:
            mix = residual_mix(self.crossing.other_lines(), penalty)
            self._products[penalty] = self.crossing.drugs(mix)
        return self._products[penalty]


class TwoWayWeights(Weights):
    """The two factors of the weights, w (n, n_lines) and v (n, n_pool), spread only where asked."""

    def __init__(self, ways: TwoWays, w: FloatArray, v: FloatArray) -> None:
        self._ways, self._w, self._v = ways, w, v

    @property
    def rows(self) -> IntArray:
        """Those of the table, and then the line's own."""
        return np.concatenate([self._ways.table.ravel(), self._ways.here])

    @property
    def terms(self) -> Mapping[Term, FloatArray]:
        """The formula's weights on the rows, by its three terms."""
        w, v, cross = self._w, self._v, self._ways.crossing
        (n, n_lines), n_drugs = w.shape, self._ways.table.shape[1]
        elsewhere = np.zeros((n, n_lines, n_drugs))
        elsewhere[np.arange(n), :, cross.own] = w
        subtracted = np.zeros_like(elsewhere)
        subtracted[:, :, cross.pool] = -w[:, :, None] * v[:, None, :]
        flat, nothing = (n, n_lines * n_drugs), np.zeros_like(v)
        return {
            Term.DRUG_ELSEWHERE: np.hstack([elsewhere.reshape(flat), nothing]),
            Term.NEIGHBORS_HERE: np.hstack([np.zeros(flat), v]),
            Term.NEIGHBORS_ELSEWHERE: np.hstack([subtracted.reshape(flat), nothing]),
        }

    def given(self) -> BoolArray:
        """(n,) whether a query has any weight."""
        return self._w.any(axis=1) | self._v.any(axis=1)

    def combine(self, gate: Gate) -> FloatArray:  # noqa: ARG002 - its own passed the gate
        """The weighted sums, (n, genes) float32, factor by factor."""
        return self._ways.crossing.combine(self._w, self._v)


def _rectangle(grid: IntArray, lines: IntArray, pool: IntArray) -> tuple[IntArray, IntArray]:
    """Lines and drugs that were all measured together: the most conditions, found greedily.

    Lines that lack most of the drugs are left out first.
    """
    measured: BoolArray = grid[np.ix_(lines, pool)] >= 0
    order = np.argsort(-measured.sum(axis=1), kind="stable")
    together = np.logical_and.accumulate(measured[order], axis=0)
    areas = together.sum(axis=1) * np.arange(1, len(lines) + 1)
    if not areas.any():
        return lines, pool[:0]
    n = int(np.argmax(areas)) + 1
    return np.sort(lines[order[:n]]), pool[together[n - 1]]
