"""The plan of an ingest: what is read, in which format, under which options.

It is made before anything is built, for an ingest and for its preview alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines, read_table
from lgr_core.atlas.checkpoint import stamp
from lgr_core.atlas.count_source import CountBlocks
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.sources import open_counts, open_folder, read_deltas
from lgr_core.atlas.sources.delta_files import files_of
from lgr_core.atlas.sources.detect import detect_format
from lgr_core.atlas.sources.formats import Form
from lgr_core.atlas.sources.samples import Samples, read_samples
from lgr_core.domain import SharedWells, ValueKind
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Option


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """How a path is read: its files, the format they are in, and every option settled.

    ``options`` have the defaults of ``form``, the published format (None: none is known).
    ``drugs``, ``cell_lines`` and ``samples`` are the caller's own tables. ``stamps`` are size and
    modification time of each file when the plan was made.
    """

    path: Path
    form: Form | None
    files: tuple[Path, ...]
    options: IngestOptions
    drugs: pd.DataFrame | None
    cell_lines: pd.DataFrame | None
    samples: Samples | None
    stamps: tuple[tuple[int, int], ...]

    @property
    def ready_kind(self) -> ValueKind | None:
        """What ready changes are; None: the files hold raw counts."""
        return self.options.value_kind

    @property
    def shared_wells(self) -> SharedWells:
        """Whether lines share wells: what the caller says, else what is known of the format."""
        if self.options.shared_wells is not None:
            return self.options.shared_wells
        return "unknown" if self.form is None else self.form.shared_wells

    def read_deltas(self, kind: ValueKind) -> DeltaTable:
        """Read ready deltas; raises as :func:`~lgr_core.atlas.sources.deltas.read_deltas`."""
        read = None if self.form is None else self.form.read
        options = self.options
        return read_deltas(
            self.path,
            value_kind=kind,
            choices=options.choices,
            n_hvg=options.n_hvg,
            dose=options.dose,
            min_cells=options.min_cells,
            unsigned=options.unsigned,
            source=None if read is None else read(options.lines),
        )

    def open_counts(self) -> CountBlocks:
        """Open raw counts; raises as :func:`~lgr_core.atlas.sources.counts.open_counts`."""
        plain = open_folder if self.path.is_dir() else open_counts
        known = None if self.form is None else self.form.open
        return (plain if known is None else known)(self.path, self.options.choices)

    def annotate_drugs(self, names: Sequence[str], own: pd.DataFrame) -> pd.DataFrame:
        """Annotations of drugs: the caller's, then the file's ``own``, then the shipped ones."""
        return annotate_drugs(names, [self.drugs, own])

    def annotate_lines(self, names: Sequence[str], own: pd.DataFrame) -> pd.DataFrame:
        """Annotations of cell lines, in the same order."""
        return annotate_lines(names, [self.cell_lines, own])

    def check_unchanged(self) -> None:
        """Raise InputError if a file is not the one that it was when the plan was made."""
        if tuple(stamp(file) for file in self.files) != self.stamps:
            found = "a file was changed while it was read"
            raise InputError(f"source {self.path}", found, "Ingest it again when it is at rest.")


def plan_ingest(
    path: Path,
    options: IngestOptions,
    *,
    drugs: Path | None = None,
    cell_lines: Path | None = None,
) -> IngestPlan:
    """Settle how ``path`` is read; only the caller's own tables are opened.

    Raises
    ------
    InputError
        There is no such file, or a table of the caller's cannot be read.
    UsageError
        An option contradicts the published format that the path is in.
    """
    form = detect_format(path)
    files = tuple(files_of(path)) if form is None else form.files
    return IngestPlan(
        path=path,
        form=form,
        files=files,
        options=_with_format_defaults(options, form),
        drugs=None if drugs is None else read_table(drugs),
        cell_lines=None if cell_lines is None else read_table(cell_lines),
        samples=None if options.samples is None else read_samples(options.samples),
        stamps=tuple(stamp(file) for file in files),
    )


def _with_format_defaults(options: IngestOptions, form: Form | None) -> IngestOptions:
    """Options with the defaults of a recognised published format.

    Raises
    ------
    UsageError
        If the form's values are of another kind than the caller says, or of one that only the
        caller can say.
    """
    if form is None:
        return options
    kind = options.value_kind
    if form.any_kind and kind is None:
        found = f"this is a {form.name}, which does not say what its values are"
        do = "Say --value-kind zscore (L1000's levels 4 and 5), or another kind of change."
        raise UsageError("--value-kind", found, do)
    one_kind = (form.read is not None or form.open is not None) and not form.any_kind
    if one_kind and kind not in {None, form.value_kind}:
        values = "raw counts" if form.value_kind is None else form.value_kind
        found = f"these are {form.name}, whose values are {values}"
        raise UsageError(Option("value-kind", str(kind)), found, "Leave it out.")
    return replace(
        options,
        value_kind=form.value_kind if kind is None else kind,
        columns={**form.columns, **options.columns},
        layer=form.layer if options.layer is None else options.layer,
        unit=form.unit if options.unit is None else options.unit,
    )
