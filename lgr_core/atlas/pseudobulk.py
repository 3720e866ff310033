"""Pseudobulk: log-normalise counts, average by group, subtract the matched vehicle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from lgr_core.atlas.control_matching import Contrasts, ControlScope, plan_contrasts
from lgr_core.atlas.count_source import CountBlocks, Progress
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.executors import ExecutorConfig, execute_all
from lgr_core.atlas.gene_panel import seurat_panel
from lgr_core.atlas.lazy_deltas import CellMoments, LazyRows, cell_moments
from lgr_core.atlas.partial_sums import Partials
from lgr_core.atlas.replicates import DOSE_POLICIES, AveragingPlan, DosePolicy, plan_averages
from lgr_core.atlas.shard_sums import ORDERS, Order
from lgr_core.atlas.shards import plan_tasks
from lgr_core.domain import IntArray, ValueKind
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Fix, Remedy

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
    executor: ExecutorConfig | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> DeltaTable:
    r"""Deltas of every condition, in one pass over the counts.

    The counts are summed a shard at a time and the sums written to ``folder``; the deltas are made
    of them. The table is the same to the bit whoever carries out the tasks, in whatever order.

    With :math:`y_i = \ln(1 + x_i \cdot s / \sum_g x_{ig})` and groups of one line, drug, dose and
    plate, a group's profile is the mean of its :math:`y_i` (``order="cells"``; section 4 of the
    paper), or :math:`\ln(1 + X s / \sum_g X_g)` of its summed counts :math:`X` (``"pseudobulk"``;
    appendix B). Its delta is its profile minus that of its vehicle
    (:func:`~lgr_core.atlas.control_matching.plan_contrasts`); plates are averaged by cells
    (:func:`~lgr_core.atlas.replicates.plan_averages`). With ``dose="pool"`` a group holds the cells
    of all doses, each of which counts once.

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
    executor
        Who sums the shards; None: threads of this process.
    folder
        Where partial sums lie or will lie; shards whose sums are there are not read again. It must
        hold those of the same source and options alone, for as long as the table is used: its
        matrices are computed when they are read. None: a temporary one, and they are computed now.
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
    if folder is None:
        with TemporaryDirectory(prefix="lgr-sums-") as scratch:
            table = pseudobulk(
                source,
                order=order,
                control_scope=control_scope,
                pool_controls=pool_controls,
                dose=dose,
                target_sum=target_sum,
                min_cells=min_cells,
                n_hvg=n_hvg,
                executor=executor,
                folder=Path(scratch),
                progress=progress,
            )
            return _computed(table)
    groups, codes = find_groups(source.obs)
    scope = contrast_options(control_scope, dose, pool_controls=pool_controls)
    plan_contrasts(groups, source.labels, **scope)  # refuses what cannot work before the long pass
    tasks = plan_tasks(source, codes, folder, target_sum=target_sum, order=order)
    execute_all(tasks, ExecutorConfig() if executor is None else executor, progress)
    sums = Partials([task.path for task in tasks], len(groups), len(source.genes))
    if not sums.n_cells.any():
        found = f"none of the {len(codes):,} {source.unit}s holds any"
        raise InputError("counts", found, Remedy(Fix.ANOTHER_LAYER))
    contrasts = plan_contrasts(groups.assign(n=sums.n_cells), source.labels, **scope)
    plan = plan_averages(delta_rows(contrasts, source), dose=dose, min_cells=min_cells)
    seen = cell_moments(sums)
    rows = _rows_of(sums, seen, contrasts, target_sum if order == "pseudobulk" else None)
    first, n_vehicles = len(contrasts.treated), len(contrasts.vehicles)
    options = {
        "order": order,
        "control_scope": control_scope,
        "pool_controls": pool_controls,
        "dose": dose,
        "target_sum": target_sum,
        "min_cells": min_cells,
    }
    return DeltaTable(
        conditions=plan.conditions,
        deltas=rows(plan.to_conditions @ contrasts.deltas),
        genes=_genes(source, sums, seen, n_hvg, order),
        value_kind=ValueKind.LOGNORM_DELTA,
        plates=plan.plates,
        plate_deltas=None if plan.to_plates is None else rows(plan.to_plates @ contrasts.deltas),
        controls=_counted(contrasts.vehicles, source),
        control_profiles=rows(_slice_of(first, n_vehicles, contrasts.pools.shape[0])),
        drugs=source.drugs,
        cell_lines=source.cell_lines,
        provenance={**source.provenance, **options, **_record(source, sums, contrasts, plan)},
    )


def _computed(table: DeltaTable) -> DeltaTable:
    """The table with its matrices computed."""
    return replace(
        table,
        deltas=np.asarray(table.deltas),
        plate_deltas=None if table.plate_deltas is None else np.asarray(table.plate_deltas),
        control_profiles=np.asarray(table.control_profiles),
    )


def _check(order: str, dose: str, target_sum: float) -> None:
    """Check the options before the long pass."""
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
        codes *= len(values)
        codes += part
    codes, found = pd.factorize(codes, sort=True)  # hashed, not sorted: cells are many, groups few
    codes = codes.astype(np.int32)
    n, first = np.bincount(codes, minlength=len(found)), np.empty(len(found), dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes))[::-1]
    groups = obs.iloc[first][[*_GROUP, "is_control"]].reset_index(drop=True)
    for name in ("cell_line", "drug", "plate"):
        groups[name] = groups[name].astype(str)
    return groups.assign(n=n), codes


def contrast_options(
    control_scope: ControlScope, dose: DosePolicy, *, pool_controls: bool
) -> dict[str, Any]:
    """Options as :func:`~lgr_core.atlas.control_matching.plan_contrasts` takes them."""
    return {
        "scope": control_scope,
        "pool_controls": pool_controls,
        "pool_doses": dose == "pool",
    }


def delta_rows(contrasts: Contrasts, source: CountBlocks) -> pd.DataFrame:
    """The treated groups as rows to average, one per plate."""
    rows = contrasts.treated
    wells = source.unit == "well"
    return rows.assign(
        weight=rows["n"].astype(float),
        n_cells=np.nan if wells else rows["n"].astype(float),
        n_replicates=rows["n"].astype(float) if wells else 1.0,
    )


def _rows_of(
    sums: Partials, seen: CellMoments, contrasts: Contrasts, target_sum: float | None
) -> Callable[[sparse.csr_array], LazyRows]:
    """A function from weights on profiles to rows.

    The sums are of log-normalised expression, or raw counts where ``target_sum`` is given.
    """
    pools = contrasts.pools
    if target_sum is None:
        scale = 1 / (pools @ sums.n_cells.astype(float))
    else:
        scale = target_sum / (pools @ seen.totals)
    return lambda weights: LazyRows(sums, weights, pools, scale, target_sum is not None)


def _slice_of(first: int, n: int, n_columns: int) -> sparse.csr_array:
    """The matrix (n, n_columns) that picks columns ``first`` to ``first + n``."""
    places = (np.arange(n), np.arange(first, first + n))
    return sparse.csr_array((np.ones(n), places), shape=(n, n_columns))


def _genes(
    source: CountBlocks, sums: Partials, seen: CellMoments, n_hvg: int, order: Order
) -> pd.DataFrame:
    """The source's genes with the panel, what it was chosen by, and the noise within groups."""
    total, squares = sums.moment("linear_sum"), sums.moment("linear_sumsq")
    panel = seurat_panel(int(sums.n_cells.sum()), total, squares, n_hvg)
    noise = seen.within_variance if order == "cells" else np.full(len(source.genes), np.nan)
    return source.genes.assign(
        in_panel=panel.mask, variability=panel.variability, within_variance=noise
    )


def _counted(vehicles: pd.DataFrame, source: CountBlocks) -> pd.DataFrame:
    """The vehicles with their cells, or wells."""
    wells = source.unit == "well"
    n = vehicles["n"].astype(float)
    names = vehicles[["cell_line", "plate", "label"]]
    return names.assign(n_cells=np.nan if wells else n, n_replicates=n if wells else 1.0)


def _record(
    source: CountBlocks, sums: Partials, contrasts: Contrasts, plan: AveragingPlan
) -> dict[str, Any]:
    """What the pass counted."""
    kept = int(sums.n_cells.sum())
    counts = dict(plan.counts)
    if source.unit == "well":
        counts["replicates_averaged"] += int(
            (contrasts.treated["n"] - contrasts.treated["n_groups"]).sum()
        )
    return {
        "unit": source.unit,
        "panel": "highly variable genes, Seurat flavour, over all cells",
        f"{source.unit}s": kept,
        f"{source.unit}s_without_counts_left_out": len(source.obs) - kept,
        **contrasts.counts,
        **counts,
    }
