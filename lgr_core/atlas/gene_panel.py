"""The gene panel: the most variable genes, from streamed moments or from ready deltas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lgr_core.domain import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class Panel:
    """The mask of the panel's genes, and the variability they were chosen by; each (n_genes,)."""

    mask: BoolArray
    variability: FloatArray


N_BINS = 20
_NO_MEAN = 1e-12


def seurat_panel(
    n_cells: int, linear_sum: FloatArray, linear_sumsq: FloatArray, n_top: int
) -> Panel:
    """The highly variable genes of Seurat's first method, from streamed moments.

    The dispersion ``d = ln(variance / mean)`` of the normalised linear values is standardised
    within 20 equally wide bins of ``ln(1 + mean)``: ``(d - mean of bin) / standard deviation of
    bin``; a gene alone in its bin gets 1. The genes are those of scanpy 1.11's
    ``highly_variable_genes(flavor="seurat", n_top_genes=n_top)``: all genes that tie at the cut
    are in, and genes without variance are out even where fewer than ``n_top`` remain.

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
    # These operations and their order are scanpy's, to the last bit. They have to be: of two genes
    # in a bin one gets +0.707 and the other -0.707 (1 / sqrt(2)), whatever their dispersions, so
    # many genes tie but for rounding, and the last bit decides which side of the cut they are on.
    # The sums come from ``count_kernels.normalise``, which rounds as scanpy does for that reason.
    mean = linear_sum / n_cells
    variance = linear_sumsq / n_cells - mean**2
    if n_cells > 1:
        variance *= n_cells / (n_cells - 1)  # the unbiased estimate
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
    """Dispersions (n_genes,) standardised within bins of the log mean; 1 for one alone in a bin."""
    bins = pd.cut(pd.Series(log_mean), bins=N_BINS)
    stats = pd.Series(dispersion).groupby(bins, observed=True).agg(["mean", "std"])
    # One gene has no standard deviation: with std = d and mean = 0 its quotient is 1, as scanpy's.
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
    # Two passes, sum of (x - mean)^2: the sum of squares less the squared sum would cancel. Row by
    # row, because ``deltas`` may be a map larger than memory.
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
