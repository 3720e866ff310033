"""Commands on benchmark runs: benchmark, report."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.atlases import DEMO
from lgr_core.cli.base import Bars, Commands, command, print_json, tell, whole
from lgr_core.cli.fill import unfinished
from lgr_core.cli.llm_flags import add_llm_flags, llm_options
from lgr_core.cli.many import names
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool
from lgr_core.errors import LgrError, UsageError
from lgr_core.evaluation.methods import REGISTRY, chosen_methods
from lgr_core.evaluation.plan import Plan, digest
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.report import write_report
from lgr_core.evaluation.results import Run, load_run
from lgr_core.evaluation.runner import Bench, run_benchmark
from lgr_core.evaluation.selectors import Selectors
from lgr_core.prediction.batch import Status
from lgr_core.retrieval.blocks import FoldReader
from lgr_core.retrieval.fill_cache import estimate, fill
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Scope
from lgr_core.retrieval.neighbor_files import neighbor_files
from lgr_core.retrieval.setup import live_client, llm_selector

HEADLINE = "pearson_delta"


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    run = command(commands, "benchmark", _benchmark, "score methods on held-out conditions")
    _add_flags(run)
    add_llm_flags(run)
    run.set_defaults(scope=None)
    report = command(commands, "report", _report, "one HTML file of a benchmark run")
    report.add_argument("folder", type=Path, metavar="DIR")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")


def _benchmark(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    asked = _llm_options(options, settings)
    guests = _guests(options.predictions)
    plan = _plan(options, asked, guests, settings)
    folder = options.out
    if folder is None:
        folder = settings.runs / store.name
    selectors = Selectors(settings, asked, tuple(options.neighbors), options.scope is None)
    unasked = None
    if asked.policy is not Policy.REPLAY and any("llm" in name for name in plan.methods):
        unasked = _ask(options, settings, Bench(store, plan, selectors, {}), asked)
    with Bars() as progress:
        run = run_benchmark(
            store,
            plan,
            folder,
            selectors=selectors,
            guests=guests,
            workers=options.workers,
            progress=progress,
        )
    if options.json:
        rows = run.summary.astype(object).where(run.summary.notna(), None)
        print_json({"folder": str(folder), "summary": rows.to_dict("records")})
    else:
        print("\n".join(_lines(run)))
    if unasked is not None:
        raise unasked


def _report(options: argparse.Namespace, settings: Settings) -> None:  # noqa: ARG001
    path = options.folder / "report.html" if options.out is None else options.out
    write_report(load_run(options.folder), path)
    if options.json:
        print_json({"report": str(path)})
    else:
        print(path)


def _plan(
    options: argparse.Namespace, asked: LLMOptions, guests: dict[str, Path], settings: Settings
) -> Plan:
    every = options.regime == ["all"]
    if options.split is not None and every:
        do = "Say with --regime what it holds out, one regime."
        raise UsageError("--split", "all regimes at once", do)
    scope = "own line, else drug" if options.scope is None else options.scope
    files = [*options.neighbors, *neighbor_files(*settings.neighbor_folders)]
    said = {**asdict(asked), "scope": scope, "files": [digest(path) for path in files]}
    for unsaid in ("policy", "chosen"):  # they do not change which answer counts
        said.pop(unsaid, None)
    return Plan(
        regimes=tuple(Regime) if every else tuple(Regime(name) for name in options.regime),
        methods=_methods(options),
        k=options.k,
        folds=options.folds,
        seed=options.seed,
        random_seeds=options.random_seeds,
        lines=None if options.lines is None else tuple(options.lines),
        drugs=None if options.drugs is None else tuple(options.drugs),
        max_queries=options.max_queries,
        min_drugs=options.min_drugs,
        one_per_parent=options.one_per_parent,
        split=options.split,
        drop_overlap=options.drop_overlap,
        language_model=said,
        guests={name: digest(path)["sha256"] for name, path in guests.items()},
    )


def _methods(options: argparse.Namespace) -> tuple[str, ...]:
    return chosen_methods(None if options.methods == ["all"] else options.methods)


def _llm_options(options: argparse.Namespace, settings: Settings) -> LLMOptions:
    scope = Scope.LINE if options.scope is None else options.scope
    return llm_options(argparse.Namespace(**{**vars(options), "scope": scope}), settings)


def _guests(files: list[Path]) -> dict[str, Path]:
    guests = {path.stem: path for path in files}
    if taken := sorted(set(guests) & set(REGISTRY)):
        raise UsageError(f"predictions {taken[0]}", "a method of ours", "Rename the file.")
    if len(guests) < len(files):
        raise UsageError("predictions", "two files of one name", "Rename one: it names a method.")
    return guests


def _ask(
    options: argparse.Namespace, settings: Settings, bench: Bench, asked: LLMOptions
) -> LgrError | None:
    """Put the run's questions to the model, after saying what they cost; what is left open."""
    pools = list(_pools(bench))
    client = live_client(settings)
    selector = llm_selector(
        bench.store, settings, asked, neighbors=options.neighbors, client=client
    )
    found = estimate(selector, pools, options.k)
    price = "no price known" if found.usd is None else f"about ${found.usd:,.2f}"
    tell(f"lgr: {found.questions:,} questions to {asked.model}: {price}")
    with Bars() as progress:
        report = fill(selector, client, pools, options.k, progress=progress)
    return unfinished("benchmark", report) if report.failed or report.not_asked else None


def _pools(bench: Bench) -> Iterator[CandidatePool]:
    for task in (task for task in bench.tasks() if task.alone is None):
        for block in FoldReader(bench.store, task.fold).blocks(task.rows):
            yield from (pool for pool in block.pools if isinstance(pool, CandidatePool))


def _lines(run: Run) -> Iterator[str]:
    """The headline metric of every regime, best method first."""
    table = run.summary[run.summary["metric"] == HEADLINE]
    if run.config["simulated"]:
        yield "SIMULATED data: not a measurement."
    for regime, part in table.groupby("regime", sort=False):
        yield f"{regime}: {HEADLINE}, mean [95 % interval], {part['n_queries'].iloc[0]:,} queries"
        for row in part.sort_values("mean", ascending=False).itertuples():
            if pd.isna(row.mean):
                why = "undefined" if row.status == Status.OK else row.status.replace("_", " ")
                yield f"  {row.method:<16} {why}"
                continue
            interval = "" if np.isnan(row.low) else f" [{row.low:.3f}, {row.high:.3f}]"
            covered = "" if row.coverage == 1 else f", coverage {row.coverage:.0%}"
            yield f"  {row.method:<16} {row.mean:.3f}{interval}{covered}"
    yield f"written to {run.folder}; lgr report {run.folder} makes the figures"


def _add_flags(parser: argparse.ArgumentParser) -> None:
    flag = parser.add_argument
    flag("--atlas", default=DEMO, metavar="NAME")
    flag("--regime", type=names, default=["all"], help=f"all, or of: {', '.join(Regime)}")
    flag("--methods", type=names, default=["all"], help=f"all, or of: {', '.join(REGISTRY)}")
    flag("--k", type=whole, default=10)
    flag("--out", type=Path, metavar="DIR", help="default: LGR_HOME/runs/NAME")
    flag("--folds", type=int, default=5)
    flag("--seed", type=int, default=0)
    flag("--random-seeds", type=whole, default=20, metavar="N", help="draws of random_k")
    flag("--split", type=Path, metavar="FILE", help="Arrow files or a TOML split, not folds")
    what = "with --split: leave out of training what shares a unit with tests"
    flag("--drop-overlap", action="store_true", help=what)
    flag("--lines", type=names, metavar="C,C", help="score these cell lines only")
    flag("--drugs", type=names, metavar="D;D", help="score these drugs only")
    flag("--max-queries", type=whole, metavar="N", help="score so many a regime, at random")
    flag("--min-drugs", type=whole, metavar="N", help="score lines with so many drugs")
    flag("--one-per-parent", action="store_true", help="keep one form of each parent compound")
    what = "someone else's predictions (h5ad, parquet, CSV)"
    flag("--predictions", type=Path, nargs="+", action="extend", default=[], help=what)
    flag("--workers", type=whole, default=os.cpu_count() or 1, metavar="N", help="processes")
