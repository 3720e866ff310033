"""Commands on atlases: ingest, demo, info, doctor."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from lgr_core.atlas.build import check_name
from lgr_core.atlas.executors import ExecutorConfig
from lgr_core.atlas.ingest import ingest, ingest_demo
from lgr_core.atlas.ingest_options import IngestOptions
from lgr_core.atlas.quality import describe, quality_report
from lgr_core.atlas.store import AtlasStore, atlas_names, open_atlas
from lgr_core.cli.common import (
    DEMO,
    Commands,
    ProgressBars,
    add_column_flag,
    column_roles,
    command,
    echo,
    positive_int,
    print_json,
)
from lgr_core.cli.profiles import add_units_flag, units_of_flags
from lgr_core.config import Settings
from lgr_core.doctor import atlas_line, diagnose
from lgr_core.domain import ValueKind
from lgr_core.errors import UsageError
from lgr_core.evaluation.demo_run import run_demo
from lgr_core.retrieval.well_agreement import drug_agreement, well_agreement


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    _add_ingest(command(commands, "ingest", _ingest))
    demo = command(commands, "demo", _demo)
    demo.add_argument("--overwrite", action="store_true", help="replace the one that is there")
    scored = "score methods on it, on few queries; build it only if it is not there"
    demo.add_argument("--benchmark", action="store_true", help=scored)
    info = command(commands, "info", _info)
    info.add_argument("name", metavar="NAME", nargs="?", help="of an atlas; none: list all")
    shown = info.add_mutually_exclusive_group()
    shown.add_argument("--report", action="store_true", help="the quality of its data")
    what = "how far each drug's specific change comes back in another well of the same line"
    shown.add_argument("--drugs", action="store_true", help=what)
    command(commands, "doctor", _doctor)


def _ingest(options: argparse.Namespace, settings: Settings) -> None:
    choices = IngestOptions(
        value_kind=None if options.value_kind is None else ValueKind(options.value_kind),
        columns=column_roles(options.column),
        controls=tuple(options.control),
        pool_controls=options.pool_controls,
        control_scope=options.control_scope,
        dose=options.dose,
        order=options.order,
        unit=options.unit,
        layer=options.layer,
        target_sum=options.target_sum,
        min_cells=options.min_cells,
        n_hvg=options.n_hvg,
        time=options.time,
        unsigned=options.unsigned,
        lines=tuple(options.lines),
        doses=tuple(options.doses),
        exact_doses=options.exact_doses,
        samples=options.samples,
        shared_wells=options.shared_wells,
        profile_units=units_of_flags(options),
    )
    executor = ExecutorConfig(options.workers, processes=True, scheduler=options.scheduler)
    build(options.path, options.name, choices, options, settings, executor)


def build(
    path: Path,
    name: str,
    choices: IngestOptions,
    options: argparse.Namespace,
    settings: Settings,
    executor: ExecutorConfig | None = None,
) -> None:
    """Build the atlas ``name`` from ``path`` and show what it is."""
    with ProgressBars() as progress:
        ingest(
            path,
            settings.atlases / check_name(name),
            options=choices,
            drugs=options.drugs,
            cell_lines=options.cell_lines,
            profiles=options.profiles,
            overwrite=options.overwrite,
            progress=progress,
            executor=executor,
        )
    _show_info(open_atlas(name, settings.atlases), as_json=options.json)


def _demo(options: argparse.Namespace, settings: Settings) -> None:
    folder = settings.atlases / DEMO
    with ProgressBars() as progress:
        if options.overwrite or not (options.benchmark and folder.is_dir()):
            ingest_demo(folder, overwrite=options.overwrite, progress=progress)
        store = open_atlas(DEMO, settings.atlases)
        if options.benchmark:
            run = run_demo(store, settings, workers=os.cpu_count() or 1, progress=progress)
            echo(f"the benchmark of the demo is in {run.folder}")
    _show_info(store, as_json=options.json)


def _info(options: argparse.Namespace, settings: Settings) -> None:
    if options.name is None and (options.report or options.drugs):
        flag = "--report" if options.report else "--drugs"
        raise UsageError(flag, "no atlas is named", f"Say lgr info NAME {flag}.")
    if options.name is None:
        _list_atlases(settings, as_json=options.json)
        return
    show = _show_report if options.report else _show_drugs if options.drugs else _show_info
    show(open_atlas(options.name, settings.atlases), as_json=options.json)


def _show_report(store: AtlasStore, *, as_json: bool) -> None:
    report = quality_report(store)
    if as_json:
        print_json(report)
        return
    print(f"{store.name}:")
    for line in describe(report):
        print(f"  {line}")


def _show_drugs(store: AtlasStore, *, as_json: bool) -> None:
    table = drug_agreement(well_agreement(store))
    table = table.sort_values("agreement", ascending=False, kind="stable")
    if as_json:
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        print_json({"atlas": store.name, "drugs": rows})
        return
    known = table[table["agreement"].notna()]
    print(f"{store.name}: Pearson r of specific changes between wells, median over lines")
    for row in known.itertuples():
        print(f"  {row.drug:<40} {row.agreement:+.2f}  {row.n_lines} lines, by {row.kinds}")
    print(f"  not known of {len(table) - len(known):,} drugs: no second well of the compound")


def _list_atlases(settings: Settings, *, as_json: bool) -> None:
    atlases = {name: atlas_line(name, settings) for name in atlas_names(settings.atlases)}
    if as_json:
        print_json(atlases)
        return
    for name, line in atlases.items():
        print(f"{name}: {line}")
    if not atlases:
        echo(f"no atlas in {settings.atlases} yet: lgr demo, or lgr ingest PATH --name NAME")


def _doctor(options: argparse.Namespace, settings: Settings) -> None:
    report = diagnose(settings)
    if options.json:
        print_json(report)
        return
    for section, rows in report.items():
        print(f"{section}:")
        items = rows.items() if isinstance(rows, dict) else ((row, "") for row in rows)
        for key, value in items:
            print(f"  {key}: {value}" if value != "" else f"  {key}")


def _show_info(store: AtlasStore, *, as_json: bool) -> None:
    info = store.info()
    if as_json:
        print_json(info)
        return
    badge = "SIMULATED data" if info["simulated"] else "measured data"
    print(f"{info['name']}: {badge}, {store.value_kind.label}")
    counts = f"{info['n_conditions']:,} conditions: {len(info['cell_lines'])} cell lines x "
    print(f"  {counts}{len(info['drugs'])} drugs; doses (uM): {info['doses_um'] or 'pooled'}")
    print(f"  {info['n_genes']:,} genes, {info['n_panel']:,} in the metric panel")
    print(f"  plates: {info['plates'] or 'not known'}")
    for key, value in info["provenance"].items():
        print(f"  {key}: {_flat_text(value)}")


def _flat_text(value: object) -> object:
    """Mappings and lists as text without brackets."""
    if isinstance(value, dict):
        return ", ".join(f"{key} = {item}" for key, item in value.items()) or "none"
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _add_ingest(parser: argparse.ArgumentParser) -> None:
    flag = parser.add_argument
    what = "h5ad of counts; h5ad, parquet, CSV or GCT of deltas, or a folder of them"
    flag("path", type=Path, metavar="PATH", help=what)
    flag("--name", required=True, help="of the atlas")
    kinds = [str(kind) for kind in ValueKind]
    flag("--value-kind", choices=kinds, help="the file holds deltas of this kind, not counts")
    flag("--drugs", type=Path, metavar="CSV", help="annotations of drugs")
    flag("--cell-lines", type=Path, metavar="CSV", help="annotations of cell lines")
    what = "control profiles: untreated expression, a row a line or a row a gene"
    flag("--profiles", type=Path, metavar="FILE", help=what)
    add_units_flag(parser)
    flag(
        "--control", action="extend", nargs="+", default=[], metavar="LABEL", help="vehicle labels"
    )
    flag("--pool-controls", action="store_true", help="pool several vehicle labels")
    flag("--control-scope", choices=["plate", "cell_line"], default="plate")
    flag("--dose", choices=["per_dose", "pool", "max"], default="per_dose")
    flag("--order", choices=["cells", "pseudobulk"], default="cells", help="what is log-normalised")
    flag("--lines", nargs="+", default=[], metavar="LINE", help="read these cell lines alone")
    flag("--doses", nargs="+", default=[], type=float, metavar="UM", help="and these doses, in uM")
    exact = "keep doses apart that lie within 10 %% of each other; else they are one, by the median"
    flag("--exact-doses", action="store_true", help=exact)
    what = "plates of drugs: drug, dose_um, plate, and cell_line, well, numbers if known"
    flag("--samples", type=Path, metavar="CSV", help=what)
    pooled = "whether the cell lines of a well are one pooled sample"
    flag("--shared-wells", choices=["yes", "no"], help=pooled)
    flag("--time", metavar="TIME", help="rows of this time, where a file has several")
    flag(
        "--unsigned",
        action="store_true",
        help="believe changes of which (almost) none is below zero",
    )
    flag("--unit", choices=["cell", "well"], help="what a row of counts is; guessed if not given")
    flag("--layer", metavar="NAME", help="of an h5ad; X, or the first that holds counts")
    flag("--target-sum", type=float, default=10_000, metavar="N", help="counts a cell is scaled to")
    flag("--min-cells", type=int, default=10, metavar="N", help="fewer are flagged as underpowered")
    flag("--n-hvg", type=positive_int, default=2_000, metavar="N", help="genes in the metric panel")
    add_column_flag(parser, "which column is what; ROLE= if none is")
    flag("--overwrite", action="store_true", help="replace an atlas of that name")
    flag(
        "--workers",
        type=positive_int,
        metavar="N",
        help="processes that sum counts; none: all cores",
    )
    flag(
        "--scheduler",
        metavar="ADDRESS",
        help="of Dask (tcp://HOST:8786), whose workers sum them; they must see PATH and LGR_HOME",
    )
