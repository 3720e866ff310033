"""The gene panel: the most variable genes, from streamed moments or from ready deltas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Panel:
    """Which genes are in the panel (n_genes,), and the number each was chosen by."""

    mask: BoolArray
    variability: FloatArray


N_BINS = 20
_NO_MEAN = 1e-12


def seurat_panel(
    n_cells: int, linear_sum: FloatArray, linear_sumsq: FloatArray, n_top: int
) -> Panel:
    """The highly variable genes of Seurat's first method, from streamed moments.

    The dispersion ln(variance / mean) of normalised linear values is standardised within 20 bins
    of ln(1 + mean); a bin of one gene gives it 1. The same genes as scanpy 1.11's
    ``highly_variable_genes(flavor="seurat", n_top_genes=n_top)``: ties at the cut are all in, and
    genes that never vary are out even where fewer than ``n_top`` remain. (Two genes alone in a bin
    have +-0.707 whatever they are, so many tie but for the last bit: the moments must be scanpy's
    to that bit, as :func:`~lgr_core.atlas.count_kernels.normalise` makes them.)

    Parameters
    ----------
    n_cells
        How many cells were summed.
    linear_sum, linear_sumsq
        (n_genes,) sums of the normalised values (not their logarithms) and of their squares.
    n_top
        How many genes.

    Returns
    -------
    Panel
        ``variability`` is the standardised dispersion, NaN where undefined. If it is undefined
        for every gene, all are in.

    References
    ----------
    Satija et al. 2015, doi:10.1038/nbt.3192.
    """
    mean = linear_sum / n_cells
    variance = linear_sumsq / n_cells - mean**2
    if n_cells > 1:
        variance *= n_cells / (n_cells - 1)
    mean = np.where(mean == 0, _NO_MEAN, mean)
    ratio = variance / mean
    dispersion = np.log(ratio, out=np.full_like(ratio, np.nan), where=ratio > 0)
    standard = _standardised(np.log1p(mean), dispersion)
    defined = np.sort(standard[~np.isnan(standard)])[::-1]
    if not len(defined) or n_top < 1:
        return Panel(np.full(len(standard), n_top > 0), standard)
    cut = defined[min(n_top, len(defined)) - 1]
    return Panel(np.nan_to_num(standard, nan=-np.inf) >= cut, standard)


def _standardised(log_mean: FloatArray, dispersion: FloatArray) -> FloatArray:
    """Dispersion minus its bin's mean, over its bin's standard deviation; 1 if alone in the bin."""
    bins = pd.cut(pd.Series(log_mean), bins=N_BINS)
    stats = pd.Series(dispersion).groupby(bins, observed=True).agg(["mean", "std"])
    alone = stats["std"].isna()
    stats.loc[alone, "std"] = stats.loc[alone, "mean"]
    stats.loc[alone, "mean"] = 0.0
    center, spread = (stats[name].loc[bins].to_numpy() for name in ("mean", "std"))
    with np.errstate(divide="ignore", invalid="ignore"):
        return (dispersion - center) / spread


def variance_panel(deltas: FloatArray, n_top: int) -> Panel:
    """The ``n_top`` genes of largest variance over conditions; ties go to the earlier gene.

    Parameters
    ----------
    deltas
        (n_conditions, n_genes).
    n_top
        How many genes; all of them if there are fewer.
    """
    mean = deltas.mean(axis=0, dtype=np.float64)
    variance = np.zeros_like(mean)
    for row in deltas:
        variance += (row - mean) ** 2
    variance /= len(deltas)
    return Panel(top_genes(variance, n_top), variance)


def top_genes(variability: FloatArray, n_top: int) -> BoolArray:
    """Mask (n_genes,) of the ``n_top`` largest; NaN comes last, ties go to the earlier gene."""
    rank = np.argsort(-np.nan_to_num(variability, nan=-np.inf), kind="stable")
    mask = np.zeros(len(variability), dtype=bool)
    mask[rank[:n_top]] = True
    return mask
