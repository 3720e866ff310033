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
    """Mask (n_genes,) of the ``n_top`` largest; a NaN is never larger, ties go to the earlier gene."""
    rank = np.argsort(-np.nan_to_num(variability, nan=-np.inf), kind="stable")
    mask = np.zeros(len(variability), dtype=bool)
    mask[rank[:n_top]] = True
    return mask
