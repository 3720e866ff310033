"""The strongest genes of a prediction in each of its neighbours, both in clustered order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from lgr_core.answer.answer import Answer
from lgr_core.answer.top_genes import strongest_genes
from lgr_core.domain import FloatArray, IntArray

_FEWEST = 3
"""Rows from which an order tells more than their ranks do."""


@dataclass(frozen=True, slots=True)
class NeighborGenes:
    """Changes of a prediction's strongest genes in its neighbours, clustered both ways.

    ``genes`` are (n_genes,) names and ``drugs`` (n,) neighbours, alike ones side by side;
    ``changes`` (n, n_genes) are what was measured of them, ``predicted`` (n_genes,) is the
    prediction and ``measured`` (n_genes,) the truth, None where there is none.
    """

    genes: tuple[str, ...]
    drugs: tuple[str, ...]
    changes: FloatArray
    predicted: FloatArray
    measured: FloatArray | None


def neighbor_genes(answer: Answer, n: int) -> NeighborGenes:
    """Take the n strongest genes each way; neighbours without a defined change are left out."""
    places = np.concatenate(strongest_genes(answer, n))
    known = np.flatnonzero(np.isfinite(answer.neighbor_deltas).all(axis=1))
    changes = answer.neighbor_deltas[np.ix_(known, places)]
    drugs = [answer.retrieval.drugs[row] for row in known.tolist()]
    rows, columns = cluster_order(changes), cluster_order(changes.T)
    places = places[columns]
    return NeighborGenes(
        tuple(answer.genes[places].tolist()),
        tuple(drugs[row] for row in rows),
        changes[np.ix_(rows, columns)],
        answer.prediction.delta[places],
        None if answer.measured is None else answer.measured[places],
    )


def cluster_order(values: FloatArray) -> IntArray:
    """The order of rows (n, m) in which alike ones are neighbours, (n,).

    Average linkage of Euclidean distances, its leaves turned so that adjacent rows are as near as
    the tree allows (Bar-Joseph et al. 2001). Fewer than three rows, or rows without columns, stay
    as they are.
    """
    if len(values) < _FEWEST or not values.shape[1]:
        return np.arange(len(values))
    distances = pdist(values.astype(np.float64))
    tree = optimal_leaf_ordering(linkage(distances, method="average"), distances)
    return leaves_list(tree)
