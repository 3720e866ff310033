"""Ingest a file: read it, pseudobulk raw counts, annotate, build the atlas."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines, read_table
from lgr_core.atlas.atomic_folder import check_free
from lgr_core.atlas.build import build_atlas, check_name
from lgr_core.atlas.checkpoint import (
    checkpoint_folder,
    digest_of,
    remove_abandoned,
    stamp,
)
from lgr_core.atlas.control_matching import ControlScope
from lgr_core.atlas.count_source import CountBlocks, ReadOptions, Unit
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.demo.writer import write_demo
from lgr_core.atlas.download_manifest import check_manifest, sha256
from lgr_core.atlas.executors import ExecutorConfig
from lgr_core.atlas.pseudobulk import pseudobulk
from lgr_core.atlas.replicates import DosePolicy
from lgr_core.atlas.shard_sums import Order
from lgr_core.atlas.sources import open_counts, open_folder, read_deltas
from lgr_core.atlas.sources.forms import Form
from lgr_core.atlas.sources.recognise import recognise
from lgr_core.atlas.sources.tables import files_of
from lgr_core.domain import EMPTY, ValueKind
from lgr_core.drugs.chemistry import fingerprints
from lgr_core.errors import InputError, UsageError
from lgr_core.remedies import Option

Progress = Callable[[str, int, int], None]
"""Called with a stage, the work done and the work in all."""


@dataclass(frozen=True, slots=True)
class IngestOptions:
    """How a file is read; every choice is recorded in the atlas's provenance."""

    value_kind: ValueKind | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    controls: tuple[str, ...] = ()
    pool_controls: bool = False
    control_scope: ControlScope = "plate"
    dose: DosePolicy = "per_dose"
    order: Order = "cells"
    unit: Unit | None = None
    layer: str | None = None
    target_sum: float = 10_000
    min_cells: int = 10
    n_hvg: int = 2_000
    time: str | None = None
    unsigned: bool = False
    lines: tuple[str, ...] = ()
    doses: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.n_hvg < 1:
            found = f"{self.n_hvg} genes make no panel"
            raise UsageError("n_hvg", found, "Give a number of 1 or more.")
        if self.min_cells < 0:
            found = f"{self.min_cells} is no number of cells"
            raise UsageError("min_cells", found, "Give a number of 0 or more.")

    @property
    def choices(self) -> ReadOptions:
        """How the file's rows and values are read."""
        return ReadOptions(
            overrides=self.columns,
            controls=self.controls,
            unit=self.unit,
            layer=self.layer,
            time=self.time,
            lines=self.lines,
            doses=self.doses,
        )


def ingest(  # noqa: PLR0913 - each choice of how a file is read is one keyword
    path: Path,
    folder: Path,
    *,
    options: IngestOptions | None = None,
    drugs: Path | None = None,
    cell_lines: Path | None = None,
    simulated: bool = False,
    overwrite: bool = False,
    progress: Progress | None = None,
    notes: Mapping[str, Any] = EMPTY,
    executor: ExecutorConfig | None = None,
) -> Path:
    """Read ``path`` and build the atlas ``folder`` from it; returns the folder.

    A published form is recognised and read as what it is. Else, with ``options.value_kind`` the
    file, or each file of a folder, holds ready deltas, without it raw counts. ``drugs`` and
    ``cell_lines`` are CSV files of annotations that go before the file's own and the shipped ones.
    ``notes`` go to the provenance. ``executor`` sums raw counts; None: threads of this process.
    Where that was killed, the same call resumes it.

    Raises
    ------
    InputError
        If the file is refused or the atlas exists; an atlas already there stays as it was.
    """
    options = IngestOptions() if options is None else options
    check_name(folder.name)
    check_free(folder, overwrite=overwrite)
    form = recognise(path)
    files = files_of(path) if form is None else list(form.files)
    user_drugs = None if drugs is None else read_table(drugs)
    user_lines = None if cell_lines is None else read_table(cell_lines)
    hashes = [sha256(file) for file in files]
    facts = _source_facts(path, files, hashes)
    options = with_format_defaults(options, form)
    with ExitStack() as resources:
        if options.value_kind is not None:
            remove_abandoned(folder.parent)
            table = read_ready(path, options.value_kind, options, form)
        else:
            read = _summed(path, folder, options, form, files, executor=executor, progress=progress)
            table = resources.enter_context(read)
        names = sorted(table.conditions["drug"].unique())
        lines = sorted(table.conditions["cell_line"].unique())
        annotated = annotate_drugs(names, [user_drugs, table.drugs])
        bits, _ = fingerprints(annotated["smiles"].tolist())
        provenance = {
            **table.provenance,
            **({} if form is None else {"form": form.name, **form.notes}),
            **facts,
            **notes,
            "drugs_without_structure": int((annotated["smiles"] == "").sum()),
            "parents": int(annotated["parent"].nunique()),
        }
        return build_atlas(
            replace(table, provenance=provenance),
            folder,
            drugs=annotated,
            cell_lines=annotate_lines(lines, [user_lines, table.cell_lines]),
            fingerprints=np.packbits(bits, axis=1),
            simulated=simulated,
            overwrite=overwrite,
        )


def with_format_defaults(options: IngestOptions, form: Form | None) -> IngestOptions:
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


@contextmanager
def _summed(
    path: Path,
    folder: Path,
    options: IngestOptions,
    form: Form | None,
    files: Sequence[Path],
    *,
    executor: ExecutorConfig | None,
    progress: Progress | None,
) -> Iterator[DeltaTable]:
    """Deltas of raw counts; their partial sums stay on disk until the block succeeds."""
    stamps = [stamp(file) for file in files]
    source = open_raw(path, options, form)
    with checkpoint_folder(folder, digest_of(source, files, repr(options))) as partial:
        table = pseudobulk(
            source,
            order=options.order,
            control_scope=options.control_scope,
            pool_controls=options.pool_controls,
            dose=options.dose,
            target_sum=options.target_sum,
            min_cells=options.min_cells,
            n_hvg=options.n_hvg,
            executor=executor,
            folder=partial,
            progress=progress,
        )
        if [stamp(file) for file in files] != stamps:
            found = "a file was changed while it was read"
            raise InputError(f"source {path}", found, "Ingest it again when it is at rest.")
        yield table


def read_ready(
    path: Path, kind: ValueKind, options: IngestOptions, form: Form | None
) -> DeltaTable:
    """Read ready deltas under settled options; raises as :func:`read_deltas`."""
    return read_deltas(
        path,
        value_kind=kind,
        choices=options.choices,
        n_hvg=options.n_hvg,
        dose=options.dose,
        min_cells=options.min_cells,
        unsigned=options.unsigned,
        source=None if form is None or form.read is None else form.read(options.lines),
    )


def open_raw(path: Path, options: IngestOptions, form: Form | None) -> CountBlocks:
    """Open raw counts under settled options; raises as :func:`open_counts`."""
    plain = open_folder if path.is_dir() else open_counts
    return (plain if form is None or form.open is None else form.open)(path, options.choices)


def _source_facts(
    path: Path, files: Sequence[Path], hashes: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Name, size and SHA-256 of the source; of a folder, that of what ``sha256sum *`` prints.

    Files that were fetched are compared with what was fetched.
    """
    digest, scope = hashes[0]
    if path.is_dir():
        pairs = zip(hashes, files, strict=True)
        listed = "".join(f"{found}  {file.name}\n" for (found, _), file in pairs)
        digest = hashlib.sha256(listed.encode()).hexdigest()
        scope = f"list of {len(files)} files, each {' or '.join(sorted({s for _, s in hashes}))}"
    return {
        "source": path.name,
        "source_bytes": sum(file.stat().st_size for file in files),
        "source_sha256": digest,
        "source_sha256_scope": scope,
        **check_manifest({file: found for file, (found, _) in zip(files, hashes, strict=True)}),
    }


def ingest_demo(folder: Path, *, overwrite: bool = False, progress: Progress | None = None) -> Path:
    """Simulate the demo's raw counts and ingest them like any other file; returns ``folder``."""
    with tempfile.TemporaryDirectory(prefix="lgr-demo-") as scratch:
        counts = write_demo(Path(scratch), progress=progress)
        return ingest(counts, folder, simulated=True, overwrite=overwrite, progress=progress)
