"""The command fill: ask a language model many queries, within a budget."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import (
    Commands,
    ProgressBars,
    command,
    echo,
    positive_int,
    print_json,
    unanswered,
)
from lgr_core.cli.llm_flags import add_llm_flags, llm_options
from lgr_core.cli.query_flags import add_many_flags, pools_of
from lgr_core.config import Settings
from lgr_core.errors import LgrError
from lgr_core.llm.budget import Budget
from lgr_core.llm.prices import price_words
from lgr_core.retrieval.fill_cache import Estimate, FillReport, estimate, fill
from lgr_core.retrieval.llm_question import Policy
from lgr_core.retrieval.setup import live_client, llm_selector


def add(commands: Commands) -> None:
    """Add the command."""
    filled = command(commands, "fill", _fill)
    add_many_flags(filled)
    add_llm_flags(filled)
    filled.set_defaults(cache="fill")
    flag = filled.add_argument
    flag("--dry-run", action="store_true", help="say what it would cost, ask nothing")
    flag("--concurrency", type=positive_int, default=4, metavar="N")
    flag("--max-requests", type=int, metavar="N")
    flag("--max-tokens", type=int, metavar="N")
    flag("--max-usd", type=float, metavar="USD", help="default: LGR_LLM_BUDGET_USD")


def _fill(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    pools = pools_of(options, store)
    asked = llm_options(options, settings)
    if options.dry_run:
        selector = llm_selector(store, settings, llm_options(options, settings, Policy.REPLAY))
        _show_estimate(options, estimate(selector, pools, options.k))
        return
    usd = settings.llm_budget_usd if options.max_usd is None else options.max_usd
    budget = Budget(max_requests=options.max_requests, max_tokens=options.max_tokens, max_usd=usd)
    with _stopping() as cancel, ProgressBars() as progress:
        client = live_client(settings, budget=budget, cancel=cancel)
        selector = llm_selector(store, settings, asked, neighbors=options.neighbors, client=client)
        report = fill(
            selector,
            client,
            pools,
            options.k,
            concurrency=options.concurrency,
            cancel=cancel,
            progress=progress,
        )
    _show_report(options, report)
    if report.failed or report.not_asked or report.rescued_to or report.lost:
        raise unfinished("fill", report)


def unfinished(command_name: str, report: FillReport) -> LgrError:
    """The error for unanswered queries; its exit code depends on what stopped the run."""
    do = "Run the same command again: it goes on there."
    found = f"{len(report.failed):,} failed, {report.not_asked:,} not asked"
    return unanswered(command_name, found, do, report.stopped_by)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that requests under way are still recorded."""
    cancel = threading.Event()

    def stop(*_: object) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        echo("lgr: stopping after what is under way; once more to stop at once")
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
        "usd_at_most": found.usd_at_most,
        "estimated": True,
    }
    if options.json:
        print_json(data)
        return
    price = price_words(found.usd, found.usd_at_most)
    tokens = f"{found.usage.input:,} tokens in, {found.usage.output:,} out (estimated)"
    print(f"{found.questions:,} questions to ask, {found.remembered:,} answered before")
    print(f"{tokens}: {price}, without prompt caching")


def _show_report(options: argparse.Namespace, report: FillReport) -> None:
    used = report.paid.usage
    data = {
        "answered": report.answered,
        "remembered": report.remembered,
        "recorded": report.recorded,
        "failed": [{"query": str(query), "why": why} for query, why in report.failed],
        "not_asked": report.not_asked,
        "stopped_by": "" if report.stopped_by is None else str(report.stopped_by),
        "k_used": {str(k_used): report.k_used[k_used] for k_used in sorted(report.k_used)},
        "below_k": report.below(options.k),
        "without_neighbor": report.k_used[0],
        "requests": used.requests,
        "input_tokens": used.input,
        "cached_tokens": used.cached,
        "output_tokens": used.output,
        "cost_usd": report.paid.cost_usd,
        "requests_of_unknown_use": report.paid.unknown,
        "rescued_to": None if report.rescued_to is None else str(report.rescued_to),
        "lost": report.lost,
    }
    if options.json:
        print_json(data)
    else:
        print("\n".join(_report_lines(report, options.k)))


def _report_lines(report: FillReport, k: int) -> Iterator[str]:
    yield (
        f"answered {report.answered:,}, from the cache {report.remembered:,}, from files "
        f"{report.recorded:,}, failed {len(report.failed):,}, not asked {report.not_asked:,}"
    )
    yield (
        f"fewer than {k} neighbours stand in {report.below(k):,} of {report.k_used.total():,} "
        f"answers, none in {report.k_used[0]:,}"
    )
    used, cost = report.paid.usage, report.paid.cost_usd
    yield (
        f"{used.requests:,} requests, {used.input:,} tokens in ({used.cached:,} cached), "
        f"{used.output:,} out; cost {'unknown' if cost is None else f'${cost:,.4f}'}"
    )
    if report.paid.unknown:
        yield f"{report.paid.unknown:,} of them did not say what they used: counted at the most"
    if report.rescued_to is not None:
        yield f"the disk is full: answers are in {report.rescued_to}; once there is room, append "
        yield "them: cat FILE >> $LGR_HOME/cache/answers.jsonl"
    if report.lost:
        yield f"{report.lost:,} answers found no room anywhere"
    for query, why in report.failed:
        yield f"  {query}: {why}"
