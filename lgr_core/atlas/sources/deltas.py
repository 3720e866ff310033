"""Ready deltas from h5ad, parquet or CSV/TSV: one row a condition, plate or replicate."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.count_source import USUAL, ReadOptions
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.gene_panel import Panel, variance_panel
from lgr_core.atlas.replicates import DosePolicy, dose_text, mix, plan_averages
from lgr_core.atlas.sources.columns import ColumnMap, guess_columns
from lgr_core.atlas.sources.delta_files import DeltaFile, read_delta_file
from lgr_core.atlas.sources.metadata import Observations, known_facts, read_observations
from lgr_core.atlas.sources.unmodelled_columns import check_design, unread_columns
from lgr_core.domain import FloatArray, ValueKind
from lgr_core.errors import InputError
from lgr_core.remedies import Fix, Remedy

log = logging.getLogger(__name__)


_TELLING = 100
"""Values from which on it is no accident that none is below zero."""

_LARGEST = {ValueKind.LOG2FC: 20.0, ValueKind.LOGNORM_DELTA: 14.0}
"""Changes of a million times: more than counts of one gene span."""

_MANY, _TOO_FEW = 1_000, 0.01
"""Values other than zero of which a smaller share below zero than this is no accident."""


class _Rows(NamedTuple):
    """Usable rows with their deltas, and what was found on the way."""

    frame: pd.DataFrame
    deltas: FloatArray
    has_plates: bool
    provenance: dict[str, object]


def read_deltas(
    path: Path | str,
    *,
    value_kind: ValueKind,
    choices: ReadOptions = USUAL,
    dose: DosePolicy = "per_dose",
    min_cells: int = 10,
    n_hvg: int = 2000,
    unsigned: bool = False,
    source: DeltaFile | None = None,
) -> DeltaTable:
    """Read deltas that a publisher has computed, one row a condition.

    Rows of one line, drug and dose are averaged, by cells where they are known, and counted; with
    a plate column, or several rows a condition, the single rows are kept as plates. Control rows
    are left out and counted. The panel is the file's ``highly_variable`` genes, else the most
    variable over conditions.

    Parameters
    ----------
    path
        An h5ad, parquet, CSV or TSV file, or a folder of them (then each file is a plate, named
        by its stem, unless a column names the plates).
    value_kind
        What the numbers are; a file cannot be trusted to say.
    choices
        How its rows are read; no layer: the deltas of an h5ad are its ``X``.
    dose, min_cells
        As of :func:`~lgr_core.atlas.replicates.plan_averages`.
    n_hvg
        Panel size where the file marks no highly variable genes.
    unsigned
        Believe that changes of which none, or fewer than 1 %, is below zero are changes.
    source
        What ``path`` holds, if it was read already.

    Raises
    ------
    InputError
        The file cannot be read, a value is not finite, no row is left, the values can be no
        changes, or rows of several times or doses would be averaged.
    AmbiguousError
        Two columns are equally plausible for a role.
    """
    value_kind = ValueKind(value_kind)
    if source is None:
        source = read_delta_file(Path(path), choices.overrides, choices.layer, value_kind)
    columns = guess_columns(source.obs, choices.overrides)
    seen = read_observations(source.obs, columns, choices)
    rows = _treatments(source, columns, seen)
    _check_are_changes(rows.deltas, unsigned=unsigned)
    _warn_of_large(rows.deltas, source.genes["gene"], value_kind)
    plan = plan_averages(rows.frame, dose=dose, min_cells=min_cells)
    deltas = mix(plan.to_conditions, rows.deltas)
    panel, chosen_by = _panel(source.highly_variable, deltas, n_hvg)
    genes = source.genes.assign(in_panel=panel.mask, variability=panel.variability)
    counts = dict(plan.counts)
    if equally := counts.get("doses_averaged_equally"):
        log.warning(
            "doses were averaged with equal weights in %s conditions whose cells are not counted",
            f"{equally:,}",
        )
    plated = rows.has_plates or counts["plates_averaged"] > 0
    plates = plan.plates
    if not rows.has_plates:
        counts["replicates_averaged"] += counts["plates_averaged"]
        counts["plates_averaged"] = 0
        plates = plates.assign(plate="") if plated else plates.iloc[:0]
    log.info("%s: %d conditions, %d genes", path, *deltas.shape)
    return DeltaTable(
        conditions=plan.conditions,
        deltas=deltas,
        genes=genes,
        value_kind=value_kind,
        plates=plates,
        plate_deltas=(
            mix(plan.to_plates, rows.deltas) if plated and plan.to_plates is not None else None
        ),
        drugs=_facts(source.drugs, source, seen, columns, "drug"),
        cell_lines=_facts(source.cell_lines, source, seen, columns, "cell_line"),
        provenance={
            "source": str(path),
            "columns": columns.record(),
            "dose": dose,
            "min_cells": min_cells,
            "panel": chosen_by,
            **source.notes,
            **rows.provenance,
            **counts,
        },
    )


def _facts(
    table: pd.DataFrame | None,
    source: DeltaFile,
    seen: Observations,
    columns: ColumnMap,
    key: Literal["cell_line", "drug"],
) -> pd.DataFrame:
    """What is known of each drug or line: the table that came with the file, else its columns."""
    return known_facts(source.obs, seen, columns, key) if table is None else table


def _treatments(source: DeltaFile, columns: ColumnMap, seen: Observations) -> _Rows:
    """The rows that are treatments, with their cells, replicates and plates."""
    keep = ~seen.frame["is_control"].to_numpy()
    frame, kept = seen.frame[keep].reset_index(drop=True), seen.kept[keep]
    if frame.empty:
        found = f"all {len(keep):,} rows are controls ({', '.join(seen.labels)}){seen.why_dropped}"
        raise InputError("deltas", found, Remedy(Fix.COLUMNS_OR_VEHICLE))
    obs = source.obs.iloc[kept]
    frame["n_cells"] = frame["weight"] = _counted(obs, columns.get("n_cells"))
    replicates = _counted(obs, columns.get("n_replicates"))
    frame["n_replicates"] = 1.0 if columns.get("n_replicates") is None else replicates
    frame["control"] = "publisher"
    has_plates = bool((frame["plate"] != "").any())
    if not has_plates:
        same = frame.groupby(["cell_line", "drug", "dose_um"], dropna=False, observed=True)
        frame["plate"] = "replicate " + (same.cumcount() + 1).astype(str)
    labels = seen.frame.loc[~keep, "drug"].value_counts()
    averaged = check_design(unread_columns(source.obs, columns), columns, seen)
    if "measured_um" in frame:
        frame["doses_um"] = [dose_text(dose) for dose in frame["measured_um"]]
    provenance = {
        **seen.record(),
        "averaged_over": averaged,
        "control_rows_left_out": {str(label): int(n) for label, n in labels.items() if n},
    }
    return _Rows(frame, _finite(source, kept), has_plates, provenance)


def _counted(obs: pd.DataFrame, column: str | None) -> FloatArray:
    """Counts (n,); NaN where they are unknown, missing or not positive (a file may write -1)."""
    if column is None:
        return np.full(len(obs), np.nan)
    counts = pd.to_numeric(obs[column], errors="coerce").to_numpy(dtype=float)
    return np.where(counts > 0, counts, np.nan)


def _finite(source: DeltaFile, kept: FloatArray) -> FloatArray:
    """The deltas of the rows that are kept; refused if one is not finite, or there is no gene."""
    if source.deltas.shape[1] == 0:
        raise InputError("deltas", "the file has no genes", "Give one column a gene.")
    deltas = source.deltas[kept] if len(kept) < len(source.deltas) else source.deltas
    with np.errstate(invalid="ignore"):
        bad = ~np.isfinite(deltas.sum(axis=1, dtype=np.float64))
    for row in np.flatnonzero(bad):
        gene = int(np.argmin(np.isfinite(deltas[row])))
        found = (
            f"{deltas[row, gene]} in row {source.obs.index[kept[row]]!r}, "
            f"gene {source.genes['gene'][gene]!r}; rows affected: {int(bad.sum()):,}"
        )
        raise InputError("deltas", found, "Remove those rows or genes, or impute them, first.")
    return deltas


def _check_are_changes(deltas: FloatArray, *, unsigned: bool) -> None:
    """Refuse what can be no changes: nothing but zeros, or (almost) nothing below zero."""
    size = " x ".join(f"{n:,}" for n in deltas.shape)
    if not unsigned and not deltas.any():
        found = f"all {size} values are zero"
        raise InputError("deltas", found, "Give the measured changes.")
    if unsigned or deltas.size < _TELLING:
        return
    changed = sum(map(np.count_nonzero, deltas))
    below = sum(np.count_nonzero(row < 0) for row in deltas)
    if below >= _TOO_FEW * changed or (below and changed < _MANY):
        return
    remedy = Remedy(Fix.UNSIGNED)
    if below:
        share = f"{below:,} below zero ({below / changed:.2g} of them)"
        found = f"{changed:,} values other than zero and only {share}: expression, no changes?"
        raise InputError("deltas", found, remedy)
    if (deltas == np.rint(deltas)).all():
        found = f"{size} values, all of them whole and none below zero: raw counts?"
        raise InputError("deltas", found, Remedy(Fix.AS_COUNTS))
    found = f"{size} values and none below zero: expression, no changes?"
    raise InputError("deltas", found, remedy)


def _warn_of_large(deltas: FloatArray, genes: pd.Series, kind: ValueKind) -> None:
    """Warn of logarithms that no assay measures: ratios, or infinities written as numbers."""
    limit = _LARGEST.get(kind)
    if limit is None:
        return
    large = [int(np.count_nonzero(np.abs(row) >= limit)) for row in deltas]
    if any(large):
        row = int(np.argmax(large))
        gene = int(np.argmax(np.abs(deltas[row])))
        said = f"{deltas[row, gene]:.3g} for {genes.iloc[gene]}"
        log.warning(
            "%s changes are %g or more (%s): are they logarithms?", f"{sum(large):,}", limit, said
        )


def _panel(given: FloatArray | None, deltas: FloatArray, n_hvg: int) -> tuple[Panel, str]:
    """The panel, and what it was chosen by."""
    panel = variance_panel(deltas, n_hvg)
    if given is not None and given.any():
        return Panel(given, panel.variability), "highly_variable of the file"
    if panel.mask.all():
        return panel, f"all {len(panel.mask)} genes"
    return panel, f"{n_hvg} genes most variable over conditions"
