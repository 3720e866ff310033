"""Commands on kept answers: cache ls, show, verify, export, import, forget; and tags."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from lgr_core.atlas.store import open_atlas
from lgr_core.cli.common import DEMO, Commands, actions_of, command, print_json, unanswered
from lgr_core.config import Settings
from lgr_core.errors import InputError, LgrError
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.cache_check import CacheReport
from lgr_core.retrieval.imports import forget, imported, take_file
from lgr_core.retrieval.neighbor_files import NeighborRecord
from lgr_core.retrieval.setup import live_client, tag_inference
from lgr_core.retrieval.tags import TagReport


def add(commands: Commands) -> None:
    """Add the commands of this group."""
    actions = actions_of(commands, "cache")
    command(actions, "ls", _ls, "what is cached and imported, one row an answer")
    show = command(actions, "show", _show, "one cached answer, whole")
    show.add_argument("key", metavar="KEY", help="the first signs of its key")
    command(actions, "verify", _verify, "read every line of the cache")
    export = command(actions, "export", _export, "write answers as a neighbour file")
    export.add_argument("file", type=Path, metavar="FILE")
    taken = command(actions, "import", _import, "take a neighbour file into the installation")
    taken.add_argument("file", type=Path, metavar="FILE")
    taken.add_argument("--overwrite", action="store_true", help="replace one of that name")
    gone = command(actions, "forget", _forget, "remove imported answers")
    what = "the first signs of an answer's key, or a file's name, as ls shows them"
    gone.add_argument("names", nargs="+", metavar="KEY", help=what)
    tags = command(commands, "tags", _tags)
    tags.add_argument("--atlas", default=DEMO, metavar="NAME")
    tags.add_argument("--model", help="default: LGR_LLM_MODEL, else the paper's")


def _ls(options: argparse.Namespace, settings: Settings) -> None:
    columns = ["key", "cell_line", "drug", "dose_um", "model", "k_used", "at"]
    cached = AnswerCache(settings.answers).table()[columns]
    folder = settings.neighbor_folders[0]
    taken = pd.DataFrame([_import_row(*found) for found in imported(folder)], columns=_IMPORTED)
    if options.json:
        rows = [json.loads(table.to_json(orient="records")) for table in (cached, taken)]
        print_json(rows[0] + rows[1])
        return
    for table, place in ((cached, settings.answers), (taken, folder)):
        print(f"{len(table):,} answers in {place}")
        if len(table):
            print(table.assign(key=table["key"].str[:12]).to_string(index=False, na_rep="-"))


_IMPORTED = ["key", "cell_line", "drug", "dose_um", "model", "names", "at", "atlas", "file"]


def _import_row(file: str, record: NeighborRecord) -> tuple[object, ...]:
    by = record.asked.get("model", record.source)
    query = (record.cell_line, record.drug, record.dose_um)
    return (record.key, *query, by, len(record.proposals), record.at, record.atlas, file)


def _forget(options: argparse.Namespace, settings: Settings) -> None:
    _print_result(options, {"forgotten": forget(settings.neighbor_folders[0], options.names)})


def _show(options: argparse.Namespace, settings: Settings) -> None:
    record = AnswerCache(settings.answers).find(options.key)
    if options.json:
        print_json(record)
    else:
        print(json.dumps(record, ensure_ascii=False, indent=2))


def _verify(options: argparse.Namespace, settings: Settings) -> None:
    cache = AnswerCache(settings.answers)
    found = cache.verify()
    if options.json:
        said = {name: what for name, what in asdict(found).items() if what or name == "wrong"}
        print_json({"answers": len(cache), **said})
    else:
        print("\n".join(_verified(len(cache), found)))
    if found.wrong or found.conflicts:
        count = (
            f"{len(found.wrong)} lines are passed over, {len(found.conflicts)} contradict others"
        )
        raise InputError(f"cache {cache.path}", count, "Remove these lines, or ask again.")


def _verified(answers: int, found: CacheReport) -> Iterator[str]:
    yield f"{answers:,} answers, {len(found.wrong)} unreadable lines"
    yield from found.wrong
    yield from found.conflicts
    if found.repeated:
        yield f"{found.repeated:,} answers were replaced by a later one to the same question"
    for template, count in found.versions.items():
        yield f"{count:,} answers to a prompt of another version ({template}): nothing asks it now"


def _export(options: argparse.Namespace, settings: Settings) -> None:
    keys = ("target_cell_type", "target_molecule", "neighbors", "dose_um", "k", "k_used", "request")
    if options.file.exists():
        raise InputError(f"file {options.file}", "it exists already", "Give a new name.")
    needed = ("target_cell_type", "target_molecule", "neighbors")
    records = [r for r in AnswerCache(settings.answers).records() if all(map(r.get, needed))]
    rows = [{key: record[key] for key in keys if key in record} for record in records]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    options.file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    _print_result(options, {"answers": len(lines), "file": str(options.file)})


def _import(options: argparse.Namespace, settings: Settings) -> None:
    folder = settings.neighbor_folders[0]
    target, count = take_file(options.file, folder, overwrite=options.overwrite)
    _print_result(options, {"answers": count, "file": str(target)})


def _tags(options: argparse.Namespace, settings: Settings) -> None:
    store = open_atlas(options.atlas, settings.atlases)
    client = live_client(settings)
    inference = tag_inference(settings, model=options.model, client=client)
    report = inference.infer(store.drugs["drug"].tolist())
    tags = {drug: list(note.tags) for drug, note in report.annotations.items()}
    if options.json:
        rest = {"unknown": list(report.unknown), "unanswered": list(report.unanswered)}
        print_json({"tags": tags, **rest, "cost_usd": client.cost})
    else:
        print("\n".join(_tag_lines(report)))
    if report.unanswered:
        raise untagged(report)


def _tag_lines(report: TagReport) -> Iterator[str]:
    for drug, note in report.annotations.items():
        yield f"{drug}: {', '.join(note.tags) or 'none'}"
    yield f"words that are no tags: {', '.join(report.unknown) or 'none'}"
    yield f"drugs left out of the answers: {', '.join(report.unanswered) or 'none'}"


def untagged(report: TagReport) -> LgrError:
    """The error for drugs without tags; its exit code depends on what stopped the inference."""
    missing = len(report.unanswered)
    found = f"{missing:,} of {missing + len(report.annotations):,} drugs have no answer"
    do = "Run the same command again: it asks for the rest."
    if report.stopped_by is None:
        do = "Ask another model with --model."
    return unanswered("tags", found, do, report.stopped_by)


def _print_result(options: argparse.Namespace, data: dict[str, object]) -> None:
    if options.json:
        print_json(data)
    else:
        print(", ".join(f"{key}: {value}" for key, value in data.items()))
