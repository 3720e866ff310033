"""Commands on batch folders: batch export, submit, status, import."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import Commands, actions_of, command, echo, print_json, unanswered
from lgr_core.cli.llm_flags import add_llm_flags, llm_options
from lgr_core.cli.query_flags import add_many_flags, pools_of
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool
from lgr_core.errors import InputError, NotFoundError
from lgr_core.llm.endpoint import Service
from lgr_core.llm.prices import price_words
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.fill_cache import estimate
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.openai_batch.answers import Import, import_batch
from lgr_core.retrieval.openai_batch.export import Manifest, export_batch
from lgr_core.retrieval.openai_batch.submit import fetch_answers, status_of, submit
from lgr_core.retrieval.setup import llm_selector, open_client


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    actions = actions_of(commands, "batch")
    export = command(actions, "export", _export, "write the questions not answered yet")
    add_many_flags(export)
    add_llm_flags(export)
    export.add_argument("--out", type=Path, required=True, metavar="DIR")
    for name, run, summary in (
        ("submit", _submit, "upload a folder's shards and start their batches"),
        ("status", _status, "how far the batches are"),
    ):
        command(actions, name, run, summary).add_argument("folder", type=Path, metavar="DIR")
    taken = command(actions, "import", _import, "take answers into the cache; may be repeated")
    taken.add_argument("folder", type=Path, metavar="DIR")
    what = "answer files; none: fetch those of the submitted batches"
    taken.add_argument("files", type=Path, nargs="*", metavar="FILE", help=what)


def _export(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    pools = pools_of(options, store)
    selector = llm_selector(store, settings, llm_options(options, settings))
    cost = estimate(selector, pools, options.k)
    service = Service.at(settings.llm_base_url)
    identity = (store.name, store.build_id)
    found = export_batch(selector, service, pools, options.k, options.out, atlas=identity)
    data = {
        "folder": str(found.folder),
        "shards": list(found.shards),
        "questions": found.questions,
        "remembered": found.remembered,
        "input_tokens": cost.usage.input,
        "output_tokens": cost.usage.output,
        "usd_without_discount": cost.usd,
    }
    if options.json:
        print_json(data)
        return
    print(f"{found.questions:,} questions in {len(found.shards)} file(s) in {found.folder}")
    discount = "" if cost.usd is None else " before the batch discount"
    tokens = f"{cost.usage.input:,} tokens in, {cost.usage.output:,} out (estimated)"
    print(f"{tokens}: {price_words(cost.usd)}{discount}")
    print(f"{found.remembered:,} were answered before and are left out")


def _submit(options: argparse.Namespace, settings: Settings) -> None:
    _show(options, submit(options.folder, _manifest(options, settings), open_client(settings)))


def _status(options: argparse.Namespace, settings: Settings) -> None:
    _manifest(options, settings)
    _show(options, status_of(options.folder, open_client(settings)))


def _import(options: argparse.Namespace, settings: Settings) -> None:
    manifest = _manifest(options, settings)
    selector, pools = _exported_request(manifest, settings)
    files = options.files or fetch_answers(options.folder, open_client(settings))
    report = import_batch(selector, pools, manifest.k, files)
    gone = len(manifest.queries) - len(pools)
    if options.json:
        print_json({**asdict(report), "gone": gone})
    else:
        print(_import_lines(report, gone))
    asked, do = f"import of {options.folder}", "The rest was taken; export again what is missing."
    if report.malformed:
        raise InputError(asked, f"{len(report.malformed):,} lines cannot be read", do)
    if report.failed or report.missing:
        found = f"{len(report.failed):,} answers failed, {report.missing:,} questions have none yet"
        raise unanswered(asked, found, do)


def _manifest(options: argparse.Namespace, settings: Settings) -> Manifest:
    """The manifest of a batch folder; the settings must name the same service."""
    manifest = Manifest.read(options.folder)
    manifest.check_provider(Service.at(settings.llm_base_url).name, options.folder)
    return manifest


def _exported_request(
    manifest: Manifest, settings: Settings
) -> tuple[LLMSelector, list[CandidatePool]]:
    """The selector and pools of an exported folder, without queries that no longer exist."""
    store = open_atlas(manifest.atlas, settings.atlases)
    if store.build_id != manifest.build_id:
        echo(f"lgr: atlas {store.name} was built anew since the export; what still fits is taken")
    selector, pools = llm_selector(store, settings, manifest.options), []
    for query in manifest.queries:
        with suppress(NotFoundError):
            pools.append(candidate_pool(store, query))
    return selector, pools


def _import_lines(report: Import, gone: int) -> str:
    counts = f"answered {report.answered:,}, known before {report.repeated:,}, of other exports "
    counts += f"{report.unknown:,}, failed {len(report.failed):,}, malformed "
    counts += f"{len(report.malformed):,}, still missing {report.missing:,}"
    counts += f", no longer in the atlas {gone:,}" if gone else ""
    return "\n".join([counts, *(f"  {x}: {why}" for x, why in report.failed + report.malformed)])


def _show(options: argparse.Namespace, rows: list[dict[str, object]]) -> None:
    if options.json:
        print_json(rows)
    else:
        print("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
