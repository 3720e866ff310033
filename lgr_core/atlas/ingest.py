"""Ingest a file by its plan: read it, pseudobulk raw counts, annotate, build the atlas."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lgr_core.atlas.atomic_folder import check_free
from lgr_core.atlas.build import build_atlas, check_name
from lgr_core.atlas.checkpoint import checkpoint_folder, digest_of, remove_abandoned
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.demo.writer import write_demo
from lgr_core.atlas.download_manifest import check_manifest, sha256
from lgr_core.atlas.executors import ExecutorConfig
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.ingest_plan import IngestPlan, plan_ingest
from lgr_core.atlas.pseudobulk import pseudobulk
from lgr_core.atlas.sources.profile_tables import read_profiles
from lgr_core.atlas.sources.samples import with_samples
from lgr_core.domain import EMPTY
from lgr_core.drugs.cell_lines import catalog_of
from lgr_core.drugs.chemistry import fingerprints

Progress = Callable[[str, int, int], None]
"""Called with a stage, the work done and the work in all."""


def ingest(  # noqa: PLR0913 - each choice of how a file is read is one keyword
    path: Path,
    folder: Path,
    *,
    options: IngestOptions | None = None,
    drugs: Path | None = None,
    cell_lines: Path | None = None,
    profiles: Path | None = None,
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
    ``profiles`` is a table of untreated expression of the lines. ``notes`` go to the provenance.
    ``executor`` sums raw counts; None: threads of this process. Where that was killed, the same
    call resumes it.

    Raises
    ------
    InputError
        If the file is refused or the atlas exists; an atlas already there stays as it was.
    """
    check_name(folder.name)
    check_free(folder, overwrite=overwrite)
    chosen = IngestOptions() if options is None else options
    plan = plan_ingest(path, chosen, drugs=drugs, cell_lines=cell_lines)
    facts = _source_facts(plan)
    with ExitStack() as resources:
        if plan.ready_kind is not None:
            remove_abandoned(folder.parent)
            table = plan.read_deltas(plan.ready_kind)
        else:
            read = _summed(plan, folder, executor=executor, progress=progress)
            table = resources.enter_context(read)
        names, lines = (sorted(table.conditions[key].unique()) for key in ("drug", "cell_line"))
        annotated = plan.annotate_drugs(names, table.drugs)
        bits, _ = fingerprints(annotated["smiles"].tolist())
        provenance = {
            **table.provenance,
            **({} if plan.form is None else {"form": plan.form.name, **plan.form.notes}),
            **facts,
            **notes,
            "shared_wells": plan.shared_wells,
            "drugs_without_structure": int((annotated["smiles"] == "").sum()),
            "parents": int(annotated["parent"].nunique()),
        }
        plates = table.plates
        if plan.samples is not None:
            plates = with_samples(plates, table.conditions, plan.samples)
        annotated_lines = plan.annotate_lines(lines, table.cell_lines)
        control_profiles = None
        if profiles is not None:
            catalog, units = catalog_of(annotated_lines), chosen.profile_units
            control_profiles = read_profiles(profiles, table.genes, catalog, units=units)
        return build_atlas(
            replace(table, plates=plates, provenance=provenance),
            folder,
            drugs=annotated,
            cell_lines=annotated_lines,
            fingerprints=np.packbits(bits, axis=1),
            profiles=control_profiles,
            simulated=simulated,
            overwrite=overwrite,
        )


@contextmanager
def _summed(
    plan: IngestPlan,
    folder: Path,
    *,
    executor: ExecutorConfig | None,
    progress: Progress | None,
) -> Iterator[DeltaTable]:
    """Deltas of raw counts; their partial sums stay on disk until the block succeeds."""
    source, options = plan.open_counts(), plan.options
    with checkpoint_folder(folder, digest_of(source, plan.files, repr(options))) as partial:
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
        plan.check_unchanged()
        yield table


def _source_facts(plan: IngestPlan) -> dict[str, Any]:
    """Name, size and SHA-256 of the source; of a folder, that of what ``sha256sum *`` prints.

    Files that were fetched are compared with what was fetched.
    """
    path, files = plan.path, plan.files
    hashes = [sha256(file) for file in files]
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
        return ingest(
            counts,
            folder,
            options=IngestOptions(shared_wells="yes"),
            simulated=True,
            overwrite=overwrite,
            progress=progress,
        )
