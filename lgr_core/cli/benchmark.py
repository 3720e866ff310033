"""Commands on benchmark runs: benchmark, report, calibrate."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import open_atlas
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
    unanswered,
)
from lgr_core.cli.fill import unfinished
from lgr_core.cli.llm_flags import add_llm_flags, llm_options, recorded_answers
from lgr_core.cli.query_flags import names
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Change, WellScope
from lgr_core.errors import LgrError, UsageError
from lgr_core.evaluation.calibrate import calibrate
from lgr_core.evaluation.config import BenchmarkConfig, digest, headline
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import Regime
from lgr_core.evaluation.registry import REGISTRY, chosen_methods
from lgr_core.evaluation.report import write_report
from lgr_core.evaluation.run_store import Run, load_run
from lgr_core.evaluation.runner import BenchmarkSession, run_benchmark
from lgr_core.llm.prices import price_words
from lgr_core.prediction.method import Status
from lgr_core.prediction.trust import TrustLevel
from lgr_core.retrieval.fill_cache import estimate, fill
from lgr_core.retrieval.llm_question import LLMOptions, Policy
from lgr_core.retrieval.neighbor_files import neighbor_files
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector
from lgr_core.retrieval.setup import live_client, llm_selector, recorded_selector


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    run = command(commands, "benchmark", _benchmark)
    _add_flags(run)
    add_llm_flags(run)
    trust = command(commands, "calibrate", _calibrate)
    trust.add_argument("atlas", nargs="?", default=DEMO, metavar="ATLAS")
    trust.add_argument("--workers", type=positive_int, default=os.cpu_count() or 1, metavar="N")
    report = command(commands, "report", _report)
    report.add_argument("folder", type=Path, metavar="DIR")
    report.add_argument("--out", type=Path, metavar="FILE", help="default: DIR/report.html")


def _benchmark(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    asked = llm_options(options, settings)
    external = _external(options.predictions)
    columns = _columns(options)
    plan = _plan(options, asked, external, settings)
    folder = options.out
    if folder is None:
        folder = settings.runs / store.name
    selectors = partial(make_selector, recorded=recorded_answers(options, settings))
    unasked = None
    if asked.policy is not Policy.REPLAY and any("llm" in name for name in plan.methods):
        unasked = _ask(options, settings, BenchmarkSession(store, plan, selectors, {}), asked)
    with ProgressBars() as progress:
        run = run_benchmark(
            store,
            plan,
            folder,
            selectors=selectors,
            external=external,
            external_columns=columns,
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
    if (failed := _failed(run)) is not None:
        raise failed


def _calibrate(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    recorded = partial(recorded_selector, settings=settings)
    selectors = partial(make_selector, recorded=recorded)
    with ProgressBars() as progress:
        run = calibrate(
            store, settings.runs, selectors=selectors, workers=options.workers, progress=progress
        )
    if options.json:
        print_json({"folder": str(run.folder), "levels": run.levels.to_dict("records")})
        return
    for row in run.levels.to_dict("records"):
        of = ", ".join(f"{row[level]} {level}" for level in TrustLevel)
        label = REGIME_LABELS[Regime(row["regime"])].label
        print(f"{label}, {row['method']}: of {row['n_parents']} parent compounds {of}")
    print(f"written to {run.folder}: every answer says how far to trust it from now on")


def _report(options: argparse.Namespace, settings: Settings) -> None:  # noqa: ARG001
    path = options.folder / "report.html" if options.out is None else options.out
    write_report(load_run(options.folder), path)
    if options.json:
        print_json({"report": str(path)})
    else:
        print(path)


def _plan(
    options: argparse.Namespace, asked: LLMOptions, external: dict[str, Path], settings: Settings
) -> BenchmarkConfig:
    every = options.regime == ["all"]
    if options.split is not None and every:
        do = "Say with --regime what it holds out, one regime."
        raise UsageError("--split", "all regimes at once", do)
    scope = "own line, else drug" if options.scope is None else options.scope
    files = [*options.neighbors, *neighbor_files(*settings.neighbor_folders)]
    fields = {**asdict(asked), "scope": scope, "files": [digest(path) for path in files]}
    for unsaid in ("policy", "chosen"):  # they do not change which answer counts
        fields.pop(unsaid, None)
    return BenchmarkConfig(
        regimes=tuple(Regime) if every else tuple(Regime(name) for name in options.regime),
        methods=chosen_methods(None if options.methods == ["all"] else options.methods),
        k=options.k,
        folds=options.folds,
        seed=options.seed,
        random_seeds=options.random_seeds,
        lines=None if options.lines is None else tuple(options.lines),
        drugs=None if options.drugs is None else tuple(options.drugs),
        max_queries=options.max_queries,
        min_drugs=options.min_drugs,
        one_per_parent=options.one_per_parent,
        change=options.change,
        evidence=options.evidence,
        split=options.split,
        drop_overlap=options.drop_overlap,
        language_model=fields,
        external={name: _identity(path, _columns(options)) for name, path in external.items()},
    )


def _external(files: list[Path]) -> dict[str, Path]:
    external = {path.stem: path for path in files}
    if taken := sorted(set(external) & set(REGISTRY)):
        raise UsageError(f"predictions {taken[0]}", "a method of ours", "Rename the file.")
    if len(external) < len(files):
        raise UsageError("predictions", "two files of one name", "Rename one: it names a method.")
    return external


def _columns(options: argparse.Namespace) -> dict[str, str]:
    """The columns of the predictions, by role."""
    if options.column and not options.predictions:
        raise UsageError("--column", "there are no predictions", "Name a file with --predictions.")
    return column_roles(options.column)


def _identity(path: Path, columns: Mapping[str, str]) -> str | dict[str, Any]:
    """The identity of external predictions: file content and column roles."""
    sha256 = digest(path)["sha256"]
    return {"sha256": sha256, "columns": dict(columns)} if columns else sha256


def _ask(
    options: argparse.Namespace, settings: Settings, bench: BenchmarkSession, asked: LLMOptions
) -> LgrError | None:
    """Ask the model the run's questions, after showing their cost; returns what is unanswered."""
    pools = list(_pools(bench))
    client = live_client(settings)
    selector = llm_selector(
        bench.store, settings, asked, neighbors=options.neighbors, client=client
    )
    found = estimate(selector, pools, options.k)
    tokens = f"{found.usage.input:,} tokens in, {found.usage.output:,} out (estimated)"
    price = price_words(found.usd, found.usd_at_most)
    echo(f"lgr: {found.questions:,} questions to {asked.model}, {tokens}: {price}")
    with ProgressBars() as progress:
        report = fill(selector, client, pools, options.k, progress=progress)
    return unfinished("benchmark", report) if report.failed or report.not_asked else None


def _failed(run: Run) -> LgrError | None:
    """The error of a run in which a method had no answer to some of its queries."""
    query = ["method", "regime", "cell_line", "drug", "dose_um"]
    failed = run.scores.loc[run.scores["status"] == Status.FAILED, query].drop_duplicates()
    if failed.empty:
        return None
    counts = failed["method"].astype(str).value_counts().items()
    found = ", ".join(f"{method} has no answer to {n:,} queries" for method, n in counts)
    do = "Ask the model (--cache fill), give --neighbors FILE, or leave these out of --methods."
    return unanswered("benchmark", found, do)


def _pools(bench: BenchmarkSession) -> Iterator[CandidatePool]:
    for task in (task for task in bench.tasks() if task.alone is None):
        for block in EvidenceReader(bench.store, task.fold).blocks(task.rows):
            yield from (pool for pool in block.pools if isinstance(pool, CandidatePool))


def _lines(run: Run) -> Iterator[str]:
    """The headline metric of every regime, best method first."""
    metric = headline(run.config)
    table = run.summary[run.summary["metric"] == metric]
    if run.config["simulated"]:
        yield "SIMULATED data: not a measurement."
    for regime, part in table.groupby("regime", sort=False):
        yield f"{regime}: {metric}, mean [95 % interval], {part['n_queries'].iloc[0]:,} queries"
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
    what = "total: as measured; specific: less the mean of the plate's other drugs"
    flag("--change", choices=[*Change], default=Change.TOTAL, help=what)
    what = "other_wells closes the query drug's own wells, other_plates its plates too"
    flag("--evidence", choices=[*WellScope], default=WellScope.ANY, help=what)
    flag("--k", type=positive_int, default=10)
    flag("--out", type=Path, metavar="DIR", help="default: LGR_HOME/runs/NAME")
    flag("--folds", type=int, default=5)
    flag("--seed", type=int, default=0)
    flag("--random-seeds", type=positive_int, default=20, metavar="N", help="draws of random_k")
    flag("--split", type=Path, metavar="FILE", help="Arrow files or a TOML split, not folds")
    what = "with --split: leave out of training what shares a unit with tests"
    flag("--drop-overlap", action="store_true", help=what)
    flag("--lines", type=names, metavar="C,C", help="score these cell lines only")
    flag("--drugs", type=names, metavar="D;D", help="score these drugs only")
    flag("--max-queries", type=positive_int, metavar="N", help="score so many a regime, at random")
    flag("--min-drugs", type=positive_int, metavar="N", help="score lines with so many drugs")
    flag("--one-per-parent", action="store_true", help="keep one form of each parent compound")
    what = "someone else's predictions (h5ad, parquet, CSV)"
    flag("--predictions", type=Path, nargs="+", action="extend", default=[], help=what)
    add_column_flag(parser, "which column of the predictions is what; ROLE= if none is")
    flag("--workers", type=positive_int, default=os.cpu_count() or 1, metavar="N", help="processes")
