"""Tiny files to read, and counts in memory, for the tests of sources and sums."""

from dataclasses import dataclass, field

import anndata
import numpy as np
import pandas as pd
from scipy import sparse


def write_h5ad(path, X, obs, var=None, **parts):
    """Write an h5ad and return its path; ``obs`` and ``var`` are columns, ``parts`` go along."""
    X = None if X is None else X if sparse.issparse(X) else np.asarray(X, dtype=np.float32)
    obs = pd.DataFrame(obs)
    n_genes = next(m.shape[1] for m in [X, *parts.get("layers", {}).values()] if m is not None)
    var = pd.DataFrame(index=[f"G{i}" for i in range(n_genes)]) if var is None else var
    obs.index = [f"row{i}" for i in range(len(obs))]
    anndata.AnnData(X, obs=obs, var=var, **parts).write_h5ad(path)
    return path


@dataclass
class CountsShard:
    """Some rows of counts in memory, handed out ``block_rows`` at a time."""

    X: np.ndarray
    start: int
    block_rows: int

    @property
    def stop(self):
        """The row after the last."""
        return self.start + len(self.X)

    def blocks(self):
        """Blocks of ``block_rows`` rows."""
        for start in range(0, len(self.X), self.block_rows):
            rows = sparse.csr_array(self.X[start : start + self.block_rows].astype(np.float32))
            rows.indices, rows.indptr = (a.astype(np.int32) for a in (rows.indices, rows.indptr))
            yield rows


@dataclass
class Counts:
    """Counts in memory that are handed out in shards of ``shard_rows`` rows, as from disk."""

    X: np.ndarray
    obs: pd.DataFrame
    labels: tuple = ("DMSO",)
    unit: str = "cell"
    block_rows: int = 3
    shard_rows: int = 4
    drugs: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["drug"]))
    cell_lines: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["cell_line"]))
    provenance: dict = field(default_factory=dict)

    @property
    def genes(self):
        """Genes G0, G1, ..."""
        names = [f"G{i}" for i in range(self.X.shape[1])]
        return pd.DataFrame({"gene": names, "ensembl_id": ""})

    def nonzeros(self):
        """Values that are not zero."""
        return int(np.count_nonzero(self.X))

    def shards(self, max_nonzeros):
        """Shards of ``shard_rows`` rows, whatever is asked for."""
        assert max_nonzeros > 0
        return [
            CountsShard(self.X[start : start + self.shard_rows], start, self.block_rows)
            for start in range(0, len(self.X), self.shard_rows)
        ]


def observed(rows):
    """``obs`` of ``Counts`` from (cell_line, drug, dose_um, plate) tuples; DMSO is the vehicle."""
    frame = pd.DataFrame(rows, columns=["cell_line", "drug", "dose_um", "plate"])
    frame["is_control"] = frame["drug"].isin(["DMSO", "Media"])
    frame.loc[frame["is_control"], "dose_um"] = np.nan
    for name in ("cell_line", "drug", "plate"):
        frame[name] = frame[name].astype("category")
    return frame.astype({"dose_um": float})


def log_normalised(X, target_sum=10_000):
    """ln(1 + x * target_sum / total) row by row, dense and in float64."""
    X = np.asarray(X, dtype=float)
    return np.log1p(X * target_sum / X.sum(axis=1, keepdims=True))
