"""Commands on cached answers: cache ls, show, verify, export, import; and fill."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.atlases import DEMO
from lgr_core.cli.base import Bars, Commands, command, print_json, tell
from lgr_core.cli.llm_flags import add_llm_flags, llm_options
from lgr_core.cli.many import add_many_flags, pools_of
from lgr_core.config import Settings
from lgr_core.errors import InputError, ServiceError
from lgr_core.retrieval.budget import Budget
from lgr_core.retrieval.cache import AnswerCache
from lgr_core.retrieval.fill import Estimate, FillReport, estimate, fill
from lgr_core.retrieval.neighbor_files import read_neighbors
from lgr_core.retrieval.setup import live_client, llm_selector, tag_inference


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    group = commands.add_parser("cache", help="cached answers of language models")
    actions = group.add_subparsers(required=True, metavar="ACTION")
    command(actions, "ls", _ls, "what is cached, one row an answer")
    show = command(actions, "show", _show, "one cached answer, whole")
    show.add_argument("key", metavar="KEY", help="the first signs of its key")
    command(actions, "verify", _verify, "read every line of the cache")
    export = command(actions, "export", _export, "write answers as a neighbour file")
    export.add_argument("file", type=Path, metavar="FILE")
    taken = command(actions, "import", _import, "take a neighbour file into the installation")
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--overwrite", action="store_true", help="replace one of that name")
    tags = command(commands, "tags", _tags, "let the model infer the drugs' mechanism tags")
    tags.add_argument("--atlas", default=DEMO, metavar="NAME")
    tags.add_argument("--model", help="default: LGR_LLM_MODEL, else the paper's")
    filled = command(commands, "fill", _fill, "ask the model for many queries")
    add_many_flags(filled)
    add_llm_flags(filled)
    filled.set_defaults(cache="fill")
    filled.add_argument(
        "--dry-run", action="store_true", help="say what it would cost, ask nothing"
    )
    filled.add_argument("--concurrency", type=int, default=4, metavar="N")
    filled.add_argument("--max-requests", type=int, metavar="N")
    filled.add_argument("--max-tokens", type=int, metavar="N")
    filled.add_argument("--max-usd", type=float, metavar="USD", help="default: LGR_LLM_BUDGET_USD")


def _ls(options: argparse.Namespace, settings: Settings) -> None:
    table = AnswerCache(settings.answers).table()
    columns = ["key", "cell_line", "drug", "dose_um", "model", "k_used", "at"]
    if options.json:
        print_json(json.loads(table[columns].to_json(orient="records")))
        return
    print(f"{len(table):,} answers in {settings.answers}")
    if len(table):
        print(table[columns].assign(key=table["key"].str[:12]).to_string(index=False))


def _show(options: argparse.Namespace, settings: Settings) -> None:
    record = AnswerCache(settings.answers).find(options.key)
    if options.json:
        print_json(record)
    else:
        print(json.dumps(record, ensure_ascii=False, indent=2))


def _verify(options: argparse.Namespace, settings: Settings) -> None:
    cache = AnswerCache(settings.answers)
    wrong = cache.verify()
    if options.json:
        print_json({"answers": len(cache), "wrong": wrong})
    else:
        print("\n".join([f"{len(cache):,} answers, {len(wrong)} unreadable lines", *wrong]))
    if wrong:
        found = f"{len(wrong)} lines cannot be read; they are passed over"
        raise InputError(f"cache {cache.path}", found, "Remove these lines, or ask again.")


def _export(options: argparse.Namespace, settings: Settings) -> None:
    keys = ("target_cell_type", "target_molecule", "neighbors", "dose_um", "k", "k_used", "request")
    if options.file.exists():
        raise InputError(f"file {options.file}", "it exists already", "Give a new name.")
    records = [r for r in AnswerCache(settings.answers).records() if "neighbors" in r]
    lines = [json.dumps({key: r[key] for key in keys}, ensure_ascii=False) for r in records]
    options.file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    _said(options, {"answers": len(lines), "file": str(options.file)})


def _import(options: argparse.Namespace, settings: Settings) -> None:
    target = settings.neighbor_folders[0] / options.file.name
    if target.suffix != ".jsonl":
        raise InputError(f"file {options.file}", "its name does not end in .jsonl", "Rename it.")
    count = sum(1 for _ in read_neighbors(options.file))
    if target.exists() and not options.overwrite:
        raise InputError(f"file {target}", "it exists already", "Rename it, or add --overwrite.")
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_suffix(".part")
    shutil.copyfile(options.file, aside)
    aside.replace(target)
    _said(options, {"answers": count, "file": str(target)})


def _tags(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    client = live_client(settings)
    inference = tag_inference(settings, model=options.model, client=client)
    report = inference.infer(store.drugs["drug"].tolist())
    tags = {drug: list(note.tags) for drug, note in report.annotations.items()}
    if options.json:
        rest = {"unknown": list(report.unknown), "unanswered": list(report.unanswered)}
        print_json({"tags": tags, **rest, "cost_usd": client.cost})
        return
    for drug, found in tags.items():
        print(f"{drug}: {', '.join(found) or 'none'}")
    print(f"words that are no tags: {', '.join(report.unknown) or 'none'}")
    print(f"drugs left out of the answers: {', '.join(report.unanswered) or 'none'}")


def _fill(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    pools = pools_of(options, store)
    asked = llm_options(options, settings)
    if options.dry_run:
        replayed = argparse.Namespace(**{**vars(options), "cache": "replay"})
        selector = llm_selector(store, settings, llm_options(replayed, settings))
        _show_estimate(options, estimate(selector, pools, options.k))
        return
    usd = settings.llm_budget_usd if options.max_usd is None else options.max_usd
    budget = Budget(max_requests=options.max_requests, max_tokens=options.max_tokens, max_usd=usd)
    with _stopping() as cancel, Bars() as progress:
        client = live_client(settings, budget=budget, cancel=cancel)
        selector = llm_selector(store, settings, asked, neighbors=options.neighbors, client=client)
        report = fill(
            selector,
            pools,
            options.k,
            concurrency=options.concurrency,
            cancel=cancel,
            progress=progress,
        )
    _show_report(options, report)
    if report.failed or report.not_asked:
        found = f"{len(report.failed)} failed, {report.not_asked} not asked"
        found += f" ({report.stopped_by})" if report.stopped_by else ""
        raise ServiceError("fill", found, "Run the same command again: it goes on there.")


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a TERM signal sets, so that what is under way is still kept."""
    cancel = threading.Event()

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        tell("lgr: stopping after what is under way; once more to stop at once")
        cancel.set()

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _show_estimate(options: argparse.Namespace, found: Estimate) -> None:
    data = {
        "questions": found.questions,
        "remembered": found.remembered,
        "input_tokens": found.usage.input,
        "output_tokens": found.usage.output,
        "usd": found.usd,
        "estimated": True,
    }
    if options.json:
        print_json(data)
        return
    price = "no price known for this model" if found.usd is None else f"about ${found.usd:,.2f}"
    tokens = f"{found.usage.input:,} tokens in, {found.usage.output:,} out (estimated)"
    print(f"{found.questions:,} questions to ask, {found.remembered:,} answered before")
    print(f"{tokens}: {price}, without prompt caching")


def _show_report(options: argparse.Namespace, report: FillReport) -> None:
    data = {
        "answered": report.answered,
        "remembered": report.remembered,
        "recorded": report.recorded,
        "failed": [{"query": str(query), "why": why} for query, why in report.failed],
        "not_asked": report.not_asked,
        "stopped_by": report.stopped_by,
        "requests": report.usage.requests,
        "input_tokens": report.usage.input,
        "cached_tokens": report.usage.cached,
        "output_tokens": report.usage.output,
        "cost_usd": report.cost_usd,
    }
    if options.json:
        print_json(data)
        return
    cost = "unknown" if report.cost_usd is None else f"${report.cost_usd:,.4f}"
    print(f"answered {report.answered:,}, from the cache {report.remembered:,}", end="")
    print(f", from files {report.recorded:,}, failed {len(report.failed):,}", end="")
    print(f", not asked {report.not_asked:,}")
    used = report.usage
    print(f"{used.input:,} tokens in ({used.cached:,} cached), {used.output:,} out; cost {cost}")
    for query, why in report.failed:
        print(f"  {query}: {why}")


def _said(options: argparse.Namespace, data: dict[str, object]) -> None:
    if options.json:
        print_json(data)
    else:
        print(", ".join(f"{key}: {value}" for key, value in data.items()))
