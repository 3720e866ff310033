"""Write raw counts as h5ad: what the simulated atlas is, before it is read like any other file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anndata as ad
import pandas as pd
from scipy import sparse

from lgr_core.domain import EMPTY
from lgr_core.errors import InputError


def write_counts(
    path: Path,
    counts: sparse.csr_matrix,
    obs: pd.DataFrame,
    var: pd.DataFrame,
    *,
    uns: Mapping[str, Any] = EMPTY,
) -> Path:
    """Write counts (n_cells, n_genes), uncompressed CSR, and return ``path``.

    ``obs`` has one row a cell and ``var`` one row a gene, both named by their index.

    Raises
    ------
    InputError
        If the tables do not fit the matrix.
    """
    if counts.shape != (len(obs), len(var)):
        found = f"counts are {counts.shape}, their tables say {(len(obs), len(var))}"
        raise InputError("counts to write", found, "Give one row a cell, one column a gene.")
    adata = ad.AnnData(X=counts, obs=obs, var=var, uns=dict(uns))
    adata.write_h5ad(path)
    return path
