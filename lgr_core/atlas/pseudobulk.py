"""Raw counts of cells or wells to deltas: log-normalise, average, take the matched vehicle away."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.averaging import DOSE_POLICIES, GENES_AT_ONCE, DosePolicy, Plan, plan_averages
from lgr_core.atlas.blocks import CountBlocks, Progress
from lgr_core.atlas.contrasts import Contrasts, ControlScope, plan_contrasts
from lgr_core.atlas.genes import seurat_panel
from lgr_core.atlas.streaming import ORDERS, Order, Sums, accumulate
from lgr_core.atlas.table import DeltaTable
from lgr_core.domain import FloatArray, IntArray, ValueKind
from lgr_core.errors import InputError, UsageError

log = logging.getLogger(__name__)

_GROUP = ["cell_line", "drug", "dose_um", "plate"]


def pseudobulk(  # noqa: PLR0913 - each choice of the method is one keyword
    source: CountBlocks,
    *,
    order: Order = "cells",
    control_scope: ControlScope = "plate",
    pool_controls: bool = False,
    dose: DosePolicy = "per_dose",
    target_sum: float = 10_000,
    min_cells: int = 10,
    n_hvg: int = 2_000,
    progress: Progress | None = None,
) -> DeltaTable:
    r"""Deltas of every condition, in one pass over the counts.

    With :math:`y_i = \ln(1 + x_i \cdot s / \sum_g x_{ig})` and groups of one line, drug, dose and
    plate, a group's profile is the mean of its :math:`y_i` (``order="cells"``; section 4 of the
    paper), or :math:`\ln(1 + X s / \sum_g X_g)` of its summed counts :math:`X` (``"pseudobulk"``;
    appendix B). Its delta is its profile minus that of its vehicle
    (:func:`~lgr_core.atlas.contrasts.plan_contrasts`); plates are averaged by cells, doses under
    the policy (:func:`~lgr_core.atlas.averaging.plan_averages`).

    Parameters
    ----------
    source
        The counts.
    order
        Log-normalise ``cells`` and average, or sum counts to a ``pseudobulk`` and log-normalise.
    control_scope, pool_controls
        Whose vehicle a group is compared with, and whether several control labels are pooled.
    dose
        ``per_dose``, ``pool`` or ``max``.
    target_sum
        Counts s that a cell, or a pseudobulk, is scaled to.
    min_cells
        Conditions of fewer cells are flagged; wells are never.
    n_hvg
        Genes in the panel: highly variable over all cells, Seurat flavour.
    progress
        Called with a stage, the cells done and the cells in all.

    Returns
    -------
    DeltaTable
        ``within_variance`` of a gene is its variance of y within groups, pooled over all cells;
        NaN for ``order="pseudobulk"``. Wells are counted as ``n_replicates``, ``n_cells`` is NaN.

    Raises
    ------
    UsageError
        An option has an unknown value.
    NotCountsError
        The source meets values that are not counts.
    InputError
        No line has both treatments and a vehicle, or no cell holds counts.
    """
    _check(order, dose, target_sum)
    groups, codes = find_groups(source.obs)
    scope = {"scope": control_scope, "pool_controls": pool_controls}
    plan_contrasts(groups, source.labels, **scope)  # refuses what cannot work before the long pass
    sums = accumulate(
        source, codes, len(groups), target_sum=target_sum, order=order, progress=progress
    )
    if not sums.n_cells.any():
        found = f"none of the {len(codes):,} {source.unit}s holds any"
        raise InputError("counts", found, "Check the file, or name another --layer.")
    contrasts = plan_contrasts(groups.assign(n=sums.n_cells), source.labels, **scope)
    plan = plan_averages(_delta_rows(contrasts, source), dose=dose, min_cells=min_cells)
    found = _apply(sums, contrasts, plan, target_sum if order == "pseudobulk" else None)
    options = {"order": order, "control_scope": control_scope, "pool_controls": pool_controls}
    options |= {"dose": dose, "target_sum": target_sum, "min_cells": min_cells}
    return DeltaTable(
        conditions=plan.conditions,
        deltas=found.deltas,
        genes=_genes(source, sums, n_hvg, order),
        value_kind=ValueKind.LOGNORM_DELTA,
        plates=plan.plates,
        plate_deltas=found.plate_deltas,
        controls=_counted(contrasts.vehicles, source),
        control_profiles=found.control_profiles,
        drugs=source.drugs,
        cell_lines=source.cell_lines,
        provenance={**source.provenance, **options, **_record(source, sums, contrasts, plan)},
    )


def _check(order: str, dose: str, target_sum: float) -> None:
    """Refuse options before the long pass."""
    for name, value, known in (("order", order, ORDERS), ("dose", dose, DOSE_POLICIES)):
        if value not in known:
            raise UsageError(name, f"{value!r} is unknown", f"One of {', '.join(known)}.")
    if not (np.isfinite(target_sum) and target_sum > 0):
        raise UsageError("target sum", f"{target_sum} is not positive", "Give e.g. 10000.")


def find_groups(obs: pd.DataFrame) -> tuple[pd.DataFrame, IntArray]:
    """Groups of one line, drug, dose and plate, and the group of every row.

    Returns
    -------
    groups
        The columns of ``obs`` that name a group, ``is_control``, and ``n``, its rows.
    codes
        (n_rows,) the group's row in ``groups``.
    """
    codes = np.zeros(len(obs), dtype=np.int64)
    for name in (*_GROUP, "is_control"):
        part, values = pd.factorize(obs[name], sort=True, use_na_sentinel=False)
        codes = codes * len(values) + part
    _, first, codes, n = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    groups = obs.iloc[first][[*_GROUP, "is_control"]].reset_index(drop=True)
    for name in ("cell_line", "drug", "plate"):
        groups[name] = groups[name].astype(str)
    return groups.assign(n=n), codes


class _Found(NamedTuple):
    deltas: FloatArray
    plate_deltas: FloatArray
    control_profiles: FloatArray


def _delta_rows(contrasts: Contrasts, source: CountBlocks) -> pd.DataFrame:
    """The treated groups as rows that can be averaged: one a plate."""
    rows = contrasts.treated
    wells = source.unit == "well"
    return rows.assign(
        weight=rows["n"].astype(float),
        n_cells=np.nan if wells else rows["n"].astype(float),
        n_replicates=rows["n"].astype(float) if wells else 1.0,
    )


def _apply(sums: Sums, contrasts: Contrasts, plan: Plan, target_sum: float | None) -> _Found:
    """Profiles, deltas and averages, a slice of genes at a time in float64.

    ``group_sums`` are log-normalised expression, or raw counts where ``target_sum`` is given.
    """
    pools, n_genes = contrasts.pools, sums.group_sums.shape[1]
    first = len(contrasts.treated)
    matrices = (
        plan.to_conditions @ contrasts.deltas,
        plan.to_plates @ contrasts.deltas,
        _slice_of(first, len(contrasts.vehicles), pools.shape[0]),
    )
    results = [np.empty((matrix.shape[0], n_genes), dtype=np.float32) for matrix in matrices]
    cells = pools @ sums.n_cells.astype(float)
    scale = 1 / cells if target_sum is None else target_sum / (pools @ sums.group_sums.sum(axis=1))
    for start in range(0, n_genes, GENES_AT_ONCE):
        genes = slice(start, start + GENES_AT_ONCE)
        profiles = (pools @ sums.group_sums[:, genes]) * scale[:, np.newaxis]
        if target_sum is not None:
            np.log1p(profiles, out=profiles)
        for result, matrix in zip(results, matrices, strict=True):
            result[:, genes] = matrix @ profiles
    return _Found(*results)


def _slice_of(first: int, n: int, n_columns: int) -> sparse.csr_array:
    """The matrix (n, n_columns) that picks columns ``first`` to ``first + n``."""
    places = (np.arange(n), np.arange(first, first + n))
    return sparse.csr_array((np.ones(n), places), shape=(n, n_columns))


def _genes(source: CountBlocks, sums: Sums, n_hvg: int, order: Order) -> pd.DataFrame:
    """The source's genes with the panel, what it was chosen by, and the noise within groups."""
    n_cells = int(sums.n_cells.sum())
    panel = seurat_panel(n_cells, sums.linear_sum, sums.linear_sumsq, n_hvg)
    within = within_variance(sums) if order == "cells" else np.full(len(source.genes), np.nan)
    return source.genes.assign(
        in_panel=panel.mask, variability=panel.variability, within_variance=within
    )


def within_variance(sums: Sums) -> FloatArray:
    """Variance (n_genes,) of log-normalised expression within groups, pooled over all groups.

    (sum of y^2 - sum over groups of (sum of y in g)^2 / n_g) / (cells - groups); NaN where no
    group has two cells.
    """
    filled = sums.n_cells > 0
    freedom = int(sums.n_cells.sum()) - int(filled.sum())
    if freedom == 0:
        return np.full(sums.log_sumsq.shape, np.nan)
    between = np.zeros_like(sums.log_sumsq)
    for group in np.flatnonzero(filled):
        between += sums.group_sums[group] ** 2 / sums.n_cells[group]
    return np.maximum(sums.log_sumsq - between, 0.0) / freedom


def _counted(vehicles: pd.DataFrame, source: CountBlocks) -> pd.DataFrame:
    """The vehicles with their cells, or wells."""
    wells = source.unit == "well"
    n = vehicles["n"].astype(float)
    names = vehicles[["cell_line", "plate", "label"]]
    return names.assign(n_cells=np.nan if wells else n, n_replicates=n if wells else 1.0)


def _record(source: CountBlocks, sums: Sums, contrasts: Contrasts, plan: Plan) -> dict[str, Any]:
    """What the pass counted."""
    kept = int(sums.n_cells.sum())
    counts = dict(plan.counts)
    if source.unit == "well":
        counts["replicates_averaged"] += int(contrasts.treated["n"].sum() - len(contrasts.treated))
    return {
        "unit": source.unit,
        "panel": "highly variable genes, Seurat flavour, over all cells",
        f"{source.unit}s": kept,
        f"{source.unit}s_without_counts_left_out": len(source.obs) - kept,
        **contrasts.counts,
        **counts,
    }
