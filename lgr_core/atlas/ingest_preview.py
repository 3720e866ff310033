"""A preview of an ingest: what it would read, without building anything."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from lgr_core.atlas.control_matching import plan_contrasts
from lgr_core.atlas.delta_table import count_plates
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_plan import IngestPlan, plan_ingest
from lgr_core.atlas.pseudobulk import contrast_options, delta_rows, find_groups
from lgr_core.atlas.quality import left_out
from lgr_core.atlas.replicates import plan_averages
from lgr_core.atlas.sources.inspection import check_size, inspect_file
from lgr_core.atlas.sources.untrusted_hdf5 import check_unpacked_size
from lgr_core.domain import ValueKind
from lgr_core.remedies import Remedy


@dataclass(frozen=True, slots=True)
class Remark:
    """A reader's warning: a sentence template and its arguments, which may include a remedy."""

    template: str
    args: tuple[object, ...] = ()

    def text(self, words: Callable[[Remedy], str] = str) -> str:
        """The sentence, with ``words`` for a remedy; as text, the shell's."""
        args = tuple(words(arg) if isinstance(arg, Remedy) else arg for arg in self.args)
        return self.template % args if args else self.template

    def __str__(self) -> str:
        return self.text()


@dataclass(frozen=True, slots=True)
class IngestPreview:
    """What an ingest would read.

    ``unit`` is what a row of the file is (``cells``, ``wells``, ``rows``), ``n_used`` how many are
    used, controls among them where they are in the file; ``left_out`` counts the others by reason.
    ``conditions`` are those of the atlas, as the table of an atlas has them, ``controls`` (label ->
    rows) the vehicles, ``columns`` role -> column. ``with_structure`` counts drugs whose structure
    is known, ``remarks`` is what the readers warned of.
    """

    value_kind: ValueKind
    unit: str
    n_used: int
    left_out: Mapping[str, int]
    conditions: pd.DataFrame
    plates: int
    genes: int
    controls: Mapping[str, int]
    columns: Mapping[str, str]
    time: str | None
    with_structure: int
    remarks: tuple[Remark, ...]

    def count(self, name: str) -> int:
        """How many different values the conditions have of a column."""
        return int(self.conditions[name].nunique())


def preview_ingest(
    path: Path,
    options: IngestOptions,
    *,
    drugs: Path | None = None,
    cell_lines: Path | None = None,
) -> IngestPreview:
    """Read everything that an ingest reads except the counts themselves.

    Raises
    ------
    LgrError
        What the ingest would raise, as far as it can be known before the counts are read.
    """
    plan = plan_ingest(path, options, drugs=drugs, cell_lines=cell_lines)
    with _collect_warnings() as remarks:
        kind = plan.ready_kind
        found = _raw(plan) if kind is None else _ready(plan, kind)
        names, lines = (sorted(found.conditions[key].unique()) for key in ("drug", "cell_line"))
        annotated = plan.annotate_drugs(names, found.drugs)
        plan.annotate_lines(lines, found.cell_lines)
    provenance = found.provenance
    return IngestPreview(
        value_kind=ValueKind.LOGNORM_DELTA if kind is None else kind,
        unit=found.unit,
        n_used=found.n_used,
        left_out=left_out(provenance),
        conditions=found.conditions,
        plates=found.plates,
        genes=found.genes,
        controls=provenance.get("controls", provenance.get("control_rows_left_out", {})),
        columns=provenance.get("columns", {}),
        time=provenance.get("time"),
        with_structure=int((annotated["smiles"] != "").sum()),
        remarks=tuple({str(remark): remark for remark in remarks}.values()),
    )


class _Found(NamedTuple):
    conditions: pd.DataFrame
    drugs: pd.DataFrame
    cell_lines: pd.DataFrame
    plates: int
    genes: int
    unit: str
    n_used: int
    provenance: Mapping[str, Any]


def _ready(plan: IngestPlan, kind: ValueKind) -> _Found:
    if plan.path.suffix == ".h5ad":
        seen = inspect_file(plan.path)
        check_size(f"file {plan.path}", seen.rows, seen.genes)
        check_unpacked_size(plan.path, whole=True)
    table = plan.read_deltas(kind)
    return _Found(
        table.conditions,
        table.drugs,
        table.cell_lines,
        count_plates(table.plates),
        len(table.genes),
        "rows",
        int(table.provenance["rows"]),
        table.provenance,
    )


def _raw(plan: IngestPlan) -> _Found:
    source, options = plan.open_counts(), plan.options
    groups, _ = find_groups(source.obs)
    check_size("sums of counts", len(groups), len(source.genes))
    scope = contrast_options(
        options.control_scope, options.dose, pool_controls=options.pool_controls
    )
    contrasts = plan_contrasts(groups, source.labels, **scope)
    rows = delta_rows(contrasts, source)
    averages = plan_averages(rows, dose=options.dose, min_cells=options.min_cells)
    return _Found(
        averages.conditions,
        source.drugs,
        source.cell_lines,
        count_plates(averages.plates),
        len(source.genes),
        f"{source.unit}s",
        len(source.obs),
        {**source.provenance, **contrasts.counts, **averages.counts},
    )


@contextmanager
def _collect_warnings() -> Iterator[list[Remark]]:
    """Collect the core's warnings in this thread."""
    remarks: list[Remark] = []
    handler = _WarningHandler(remarks)
    log = logging.getLogger("lgr_core")
    log.addHandler(handler)
    try:
        yield remarks
    finally:
        log.removeHandler(handler)


class _WarningHandler(logging.Handler):
    def __init__(self, remarks: list[Remark]) -> None:
        super().__init__(logging.WARNING)
        self._remarks, self._thread = remarks, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Record a warning of this thread."""
        if record.thread == self._thread:
            args = record.args if isinstance(record.args, tuple) else (record.args,)
            self._remarks.append(Remark(str(record.msg), args))
