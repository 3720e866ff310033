"""Grids of a drug's or a cell line's strongest genes: genes by lines, or genes by drugs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from lgr_core.domain import FloatArray, IntArray

GENES = 30
"""Genes of a grid unless another number is asked for."""


@dataclass(frozen=True, eq=False)
class EffectGrid:
    """Measured changes of some genes, (n_genes, n_columns), with the names of both.

    ``genes`` stand from the highest to the lowest, ``columns`` are cell lines or drugs.
    """

    genes: tuple[str, ...]
    columns: tuple[str, ...]
    values: FloatArray

    def table(self) -> pd.DataFrame:
        """One row a gene, one column a line or drug."""
        wide = pd.DataFrame(self.values, columns=list(self.columns))
        wide.insert(0, "gene", list(self.genes))
        return wide


def of_drug(
    changes: FloatArray, genes: NDArray[np.object_], lines: list[str], *, n_genes: int = GENES
) -> EffectGrid:
    """The genes that a drug moves most in the mean over its lines, whichever way.

    ``changes`` (n_lines, n_genes) are those of the drug, ``genes`` (n_genes,) their names. Lines
    without a change (NaN) are left out.
    """
    known = np.flatnonzero(np.isfinite(changes).all(axis=1))
    values = np.asarray(changes[known], dtype=np.float64)
    mean = values.mean(axis=0) if len(values) else np.zeros(changes.shape[1])
    chosen = _strongest(np.abs(mean), n_genes)
    order = chosen[np.argsort(-mean[chosen], kind="stable")]
    names = tuple(lines[place] for place in known.tolist())
    return EffectGrid(tuple(genes[order].tolist()), names, values[:, order].T)


def of_line(
    changes: FloatArray, genes: NDArray[np.object_], drugs: list[str], *, n_genes: int = GENES
) -> EffectGrid:
    """The genes in which the drugs of a line differ most; similar drugs and genes stand together.

    Genes are chosen by their standard deviation over drugs. Both are ordered by the first singular
    vectors of the grid. ``changes`` is (n_drugs, n_genes); drugs without a change are left out.
    """
    known = np.isfinite(changes).all(axis=1)
    values = np.asarray(changes[known], dtype=np.float64)
    if not len(values):
        return EffectGrid((), (), np.empty((0, 0)))
    chosen = _strongest(values.std(axis=0), n_genes)
    some = values[:, chosen]
    u, _, vt = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)
    by_drug, by_gene = np.argsort(u[:, 0], kind="stable"), np.argsort(-vt[0], kind="stable")
    names = np.array(drugs, dtype=object)[known][by_drug]
    picked = genes[chosen[by_gene]]
    return EffectGrid(tuple(picked.tolist()), tuple(names.tolist()), some[by_drug][:, by_gene].T)


def _strongest(strength: FloatArray, n_genes: int) -> IntArray:
    """The places of the highest values, the highest first; of equal ones the first."""
    return np.argsort(-strength, kind="stable")[:n_genes]
