"""Deltas averaged anew over some of the plates that an atlas keeps by plate."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from lgr_core.atlas.replicates import averaging_matrix
from lgr_core.domain import BoolArray, FloatArray, IntArray


class PlateAverages:
    """A matrix (n_conditions, n_genes) float32 of deltas, each the mean over some of its plates.

    It is computed when it is indexed by rows, and by a slice of genes. A condition that stands on
    none of the plates is NaN.

    Parameters
    ----------
    plate_deltas
        (n_units, n_genes), the delta of each condition on each of its plates.
    plates
        The units that are averaged: ``condition`` and ``n_cells``; the index is their place in
        ``plate_deltas``.
    n_conditions
        Rows of the matrix.
    """

    def __init__(self, plate_deltas: FloatArray, plates: pd.DataFrame, n_conditions: int) -> None:
        self._deltas, self._units = plate_deltas, plates.index.to_numpy(np.intp)
        condition = plates["condition"].to_numpy(np.intp)
        cells = plates["n_cells"].to_numpy(float)
        self._average = averaging_matrix(condition, cells, n_conditions)
        self.present: BoolArray = np.bincount(condition, minlength=n_conditions) > 0

    def __getitem__(self, key: IntArray | tuple[IntArray, slice]) -> FloatArray:
        """Rows (n, n_genes), of some genes perhaps, in the order asked for."""
        rows, genes = key if isinstance(key, tuple) else (key, slice(None))
        weights = csr_array(self._average[np.asarray(rows)])
        units = np.unique(weights.indices)
        found = weights[:, units] @ self._deltas[self._units[units]][:, genes].astype(np.float64)
        found[~self.present[rows]] = np.nan
        return found.astype(np.float32)
