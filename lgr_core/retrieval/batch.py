"""OpenAI Batch files: written for many queries, answered by the Batch API or by any other means.

A batch folder holds ``manifest.json`` (what was asked, of which atlas, with which options), the
shards ``requests-0001.jsonl`` … and, once submitted, ``submitted.json``. Custom ids come from the
cache key of each question, so that an import can be repeated and matches nothing by accident.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lgr_core.domain import CandidatePool, Condition, LLMReply
from lgr_core.errors import InputError, LgrError
from lgr_core.retrieval.dialects import Plan
from lgr_core.retrieval.fill import open_questions
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.prompt import PromptOptions
from lgr_core.retrieval.question import LLMOptions, Policy, Question, Scope
from lgr_core.retrieval.replies import read_reply
from lgr_core.retrieval.service import Api, Service

MAX_REQUESTS = 50_000
MAX_BYTES = 200_000_000
"""Limits of one Batch file (OpenAI API reference, Batch)."""

ENDPOINTS = {Api.RESPONSES: "/v1/responses", Api.CHAT: "/v1/chat/completions"}


@dataclass(frozen=True, slots=True)
class Export:
    """What was written: shards, questions in them, and questions that were answered already."""

    folder: Path
    shards: tuple[str, ...]
    questions: int
    remembered: int


@dataclass(slots=True)
class Import:
    """What became of every line of an answer file."""

    answered: int = 0
    repeated: int = 0
    unknown: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a batch folder was written for."""

    atlas: str
    build_id: str
    provider: str
    endpoint: str
    k: int
    options: LLMOptions
    queries: tuple[Condition, ...]
    shards: tuple[str, ...]

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a batch folder.

        Raises
        ------
        InputError
            If there is none, or it cannot be read.
        """
        try:
            data = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            return cls(
                **{key: data[key] for key in ("atlas", "build_id", "provider", "endpoint", "k")},
                options=_options(data["options"]),
                queries=tuple(Condition(*query) for query in data["queries"]),
                shards=tuple(data["shards"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as err:
            found = f"its manifest cannot be read ({type(err).__name__}: {err})"
            do = "Give a folder that `lgr batch export` wrote."
            raise InputError(f"batch folder {folder}", found, do) from err

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``."""
        queries = [[q.cell_line, q.drug, q.dose_um] for q in self.queries]
        data = {**asdict(self), "queries": queries}
        text = json.dumps(data, ensure_ascii=False, indent=1)
        (folder / "manifest.json").write_text(text, encoding="utf-8")


def custom_id(question: Question) -> str:
    """The id of a question in a batch file: from its cache key, the same at every export."""
    return f"lgr-{question.key[:48]}"


def export_batch(
    selector: LLMSelector,
    service: Service,
    pools: Sequence[CandidatePool],
    k: int,
    folder: Path,
    *,
    atlas: tuple[str, str],
    limits: tuple[int, int] = (MAX_REQUESTS, MAX_BYTES),
) -> Export:
    """Write every question that is not answered yet as Batch files, sharded under ``limits``.

    ``atlas`` is its name and build id; ``limits`` are requests and bytes a shard.

    Raises
    ------
    InputError
        If the folder holds something already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"batch folder {folder}", "it is not empty", "Give a new folder.")
    missing, remembered = open_questions(selector, pools, k)
    folder.mkdir(parents=True, exist_ok=True)
    lines = (_line(question, service) for question in missing)
    shards = tuple(_write_shards(lines, folder, limits))
    manifest = Manifest(
        atlas=atlas[0],
        build_id=atlas[1],
        provider=selector.answers.provider,
        endpoint=ENDPOINTS[service.api],
        k=k,
        options=selector.options,
        queries=tuple(pool.query for pool in pools),
        shards=shards,
    )
    manifest.write(folder)
    return Export(folder, shards, len(missing), remembered)


def import_batch(
    selector: LLMSelector,
    pools: Iterable[CandidatePool],
    k: int,
    files: Iterable[Path],
) -> Import:
    """Take the answers of output or error files into the cache; safe to repeat.

    A line is the Batch API's (``custom_id``, ``response`` or ``error``), or simply
    ``{"custom_id", "text"}``. Lines of other exports are counted as unknown, refused or unreadable
    ones as failed, and questions without any answer as missing.

    Raises
    ------
    InputError
        If a file cannot be read.
    """
    questions = {custom_id(q): q for pool in pools for q in selector.questions(pool, k)}
    report = Import()
    for path in files:
        for line in _lines(path):
            _take(selector, questions, line, report)
    remembered = selector.answers.remembered
    report.missing = sum(remembered(question) is None for question in questions.values())
    return report


def _take(
    selector: LLMSelector, questions: Mapping[str, Question], line: dict[str, Any], report: Import
) -> None:
    question = questions.get(str(line.get("custom_id")))
    if question is None:
        report.unknown += 1
        return
    if selector.answers.remembered(question) is not None:
        report.repeated += 1
        return
    try:
        selector.answers.keep(question, _reply(line))
        report.answered += 1
    except LgrError as err:
        report.failed.append((str(question.pool.query), str(err)))


def _reply(line: dict[str, Any]) -> LLMReply:
    asked = f"batch answer {line['custom_id']}"
    if isinstance(line.get("text"), str):
        return LLMReply(line["text"], provenance={"api": "by other means"})
    response = line.get("response") or {}
    if line.get("error") or response.get("status_code", 200) != 200:  # noqa: PLR2004 - HTTP OK
        said = line.get("error") or response.get("body")
        found = " ".join(json.dumps(said, ensure_ascii=False).split())[:300]
        raise InputError(asked, f"it failed: {found}", "Export again: only missing ones go in.")
    reply = read_reply(json.dumps(response.get("body")), asked)
    return LLMReply(reply.text, reply.usage, {**reply.provenance, "api": "batch"})


def _line(question: Question, service: Service) -> str:
    plan = Plan.make(service, question.request)
    line = {
        "custom_id": custom_id(question),
        "method": "POST",
        "url": ENDPOINTS[plan.api],
        "body": plan.body(question.request),
    }
    return json.dumps(line, ensure_ascii=False) + "\n"


def _write_shards(lines: Iterable[str], folder: Path, limits: tuple[int, int]) -> Iterator[str]:
    """Write lines to numbered files, each within the limits; yields their names."""
    file, number, count, size = None, 0, 0, 0
    try:
        for line in lines:
            data = line.encode()
            if file is None or count == limits[0] or size + len(data) > limits[1]:
                if file is not None:
                    file.close()
                number, count, size = number + 1, 0, 0
                name = f"requests-{number:04d}.jsonl"
                file = (folder / name).open("wb")
                yield name
            file.write(data)
            count, size = count + 1, size + len(data)
    finally:
        if file is not None:
            file.close()


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"answer file {path}", str(err), "Give a JSONL file.") from err
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
        except ValueError as err:
            raise InputError(f"answer file {path}", f"line {number}: {err}", "Mend it.") from err
        if not isinstance(data, dict):
            raise InputError(f"answer file {path}", f"line {number} is no object", "Mend it.")
        yield data


def _options(data: dict[str, Any]) -> LLMOptions:
    prompt = PromptOptions(**data.pop("prompt"))
    policy, scope = Policy(data.pop("policy")), Scope(data.pop("scope"))
    return LLMOptions(policy=policy, scope=scope, prompt=prompt, **data)
