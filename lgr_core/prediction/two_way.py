"""A drug measured in other lines: what lines share, and what drugs share, each learned by ridge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lgr_core.domain import BoolArray, FloatArray, IntArray
from lgr_core.prediction.ridge import residual_mix, ridge_weights, shared_weights
from lgr_core.prediction.weighted import Term, Weights
from lgr_core.retrieval.blocks import Block
from lgr_core.retrieval.gate import Gate


@dataclass(frozen=True, slots=True)
class Penalties:
    """How strongly lines, and drugs, are drawn towards their uniform mean.

    With large ones the prediction is the drug's mean elsewhere plus the line's mean shift, of which
    ``strength`` says how much the drug's departure counts: with 0 it is the pool mean.
    ``likeness`` is how much a kernel over drugs, (n_drugs, n_drugs), adds to what their measured
    effects say.
    """

    lines: float = 1.0
    drugs: float = 0.1
    strength: float = 0.0
    likeness: float = 0.0

    def __str__(self) -> str:
        drawn = f"lines {self.lines:g}, drugs {self.drugs:g}, strength {self.strength:g}"
        return f"{drawn}, likeness {self.likeness:g}"


def two_way_weights(
    block: Block, gate: Gate, lines: IntArray, penalties: Penalties, likeness: FloatArray | None
) -> Weights:
    """Weights of queries whose drugs were all measured in ``lines``, numbers (n_lines,).

    With x the measured deltas, c the queries' line and d a query's drug::

        sum_l w_l x[d, l]  +  sum_j v_j (x[j, c] - sum_l w_l x[j, l])

    w is the ridge regression of line c on the others over the drugs j of its pool, v that of drug
    d on the drugs j over the other lines, of what remains in each after the same regression of
    that line. A query's own parent is in neither.
    """
    grid = gate.grid()
    lines, pool = _rectangle(grid, lines, np.flatnonzero(grid[gate.line] >= 0))
    here = grid[gate.line, pool]
    kept = gate.allows(np.arange(len(block))[:, None], here[None, :])
    drugs = np.union1d(pool, block.labels.drug_numbers(block.drugs))
    table = grid[np.ix_(lines, drugs)]
    own = np.searchsorted(drugs, block.labels.drug_numbers(block.drugs))
    others = np.searchsorted(drugs, pool)
    products = gate.line_products(np.vstack([table[:, others], here]))
    drawn = {"penalty": penalties.lines, "strength": penalties.strength}
    w = ridge_weights(products[:, :-1, :-1], products[:, :-1, -1], **drawn)
    remaining = residual_mix(gate.line_products(table[:, others])[0], **drawn)
    gram = gate.drug_products(table, remaining)
    if likeness is not None:
        size = np.trace(gram) / len(gram)
        gram += penalties.likeness * size * likeness[np.ix_(drugs, drugs)]
    v = shared_weights(
        gram[np.ix_(others, others)], gram[np.ix_(own, others)], kept, penalties.drugs
    )
    return _assembled(table, here, own, others, w, v)


def _assembled(
    table: IntArray, here: IntArray, own: IntArray, others: IntArray, w: FloatArray, v: FloatArray
) -> Weights:
    """The formula's weights on the rows of ``table`` (n_lines, n_drugs) and then on ``here``."""
    (n, n_lines), n_drugs, n_here = w.shape, table.shape[1], len(here)
    elsewhere = np.zeros((n, n_lines, n_drugs))
    elsewhere[np.arange(n), :, own] = w
    subtracted = np.zeros_like(elsewhere)
    subtracted[:, :, others] = -w[:, :, None] * v[:, None, :]
    nothing = np.zeros((n, n_here))
    flat = (n, n_lines * n_drugs)
    return Weights(
        np.concatenate([table.ravel(), here]),
        {
            Term.DRUG_ELSEWHERE: np.hstack([elsewhere.reshape(flat), nothing]),
            Term.NEIGHBORS_HERE: np.hstack([np.zeros(flat), v]),
            Term.NEIGHBORS_ELSEWHERE: np.hstack([subtracted.reshape(flat), nothing]),
        },
    )


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
