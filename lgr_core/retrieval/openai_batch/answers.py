"""Answers to batch files: every line is taken, named as failed, or named as malformed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lgr_core.domain import CandidatePool, LLMReply
from lgr_core.errors import InputError, LgrError
from lgr_core.llm.response import read_reply, to_utf8
from lgr_core.retrieval.answer_provider import cut_prompt
from lgr_core.retrieval.llm_question import Question
from lgr_core.retrieval.llm_selector import LLMSelector
from lgr_core.retrieval.openai_batch.export import custom_id


@dataclass(slots=True)
class Import:
    """What became of every line of the answer files, and how many questions have no answer yet.

    ``failed`` names the query and why; ``malformed`` the file and line, and why.
    """

    answered: int = 0
    repeated: int = 0
    unknown: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    malformed: list[tuple[str, str]] = field(default_factory=list)
    missing: int = 0


def import_batch(
    selector: LLMSelector,
    pools: Iterable[CandidatePool],
    k: int,
    files: Iterable[Path],
) -> Import:
    """Take the answers of output or error files into the cache; safe to repeat.

    A line is the Batch API's (``custom_id``, ``response`` or ``error``), or simply
    ``{"custom_id", "text"}``. Lines of other exports are counted as unknown, refused answers as
    failed, lines that cannot be read as malformed, and questions without any answer as missing.

    Raises
    ------
    InputError
        If a file cannot be opened.
    """
    questions = {custom_id(q): q for pool in pools for q in selector.questions(pool, k)}
    report = Import()
    for path in files:
        for place, line in _lines(path):
            try:
                _take(selector, questions, _record(line), report)
            except _MalformedError as err:
                report.malformed.append((place, str(err)))
    remembered = selector.answers.remembered
    report.missing = sum(remembered(question) is None for question in questions.values())
    return report


def _take(
    selector: LLMSelector, questions: Mapping[str, Question], line: dict[str, Any], report: Import
) -> None:
    question = questions.get(line["custom_id"])
    if question is None:
        report.unknown += 1
        return
    if selector.answers.remembered(question) is not None:
        report.repeated += 1
        return
    try:
        cut = cut_prompt(selector.answers.keep(question, _reply(line)))
        if cut:
            report.failed.append((str(question.pool.query), cut))
        else:
            report.answered += 1
    except LgrError as err:
        report.failed.append((str(question.pool.query), str(err)))


def _reply(line: dict[str, Any]) -> LLMReply:
    asked = f"batch answer {line['custom_id']}"
    if isinstance(line.get("text"), str):
        return LLMReply(to_utf8(line["text"]), provenance={"api": "by other means"})
    response = line.get("response") or {}
    if not isinstance(response, dict) or not (response or line.get("error")):
        raise _MalformedError("it holds no text, no response object and no error")
    if line.get("error") or response.get("status_code", 200) != 200:  # noqa: PLR2004 - HTTP OK
        said = line.get("error") or response.get("body")
        found = " ".join(json.dumps(said, ensure_ascii=False).split())[:300]
        raise InputError(asked, f"it failed: {found}", "Export again: only missing ones go in.")
    reply = read_reply(json.dumps(response.get("body")), asked)
    return LLMReply(reply.text, reply.usage, {**reply.provenance, "api": "batch"})


class _MalformedError(ValueError):
    """A line of an answer file that is none."""


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    """The lines that hold anything, each with its place in words."""
    try:
        file = path.open("rb")
    except OSError as err:
        raise InputError(f"answer file {path}", str(err), "Give a JSONL file.") from err
    with file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield f"{path.name} line {number}", line


def _record(line: bytes) -> dict[str, Any]:
    """The object in a line, with the id of what it answers."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as err:
        raise _MalformedError(f"it is no JSON ({err})") from None
    if not isinstance(data, dict):
        raise _MalformedError("it is no object")
    if not isinstance(data.get("custom_id"), str):
        raise _MalformedError("it has no custom_id")
    return data
