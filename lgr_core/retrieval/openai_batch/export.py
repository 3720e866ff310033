"""OpenAI Batch files: written for many queries, answered by the Batch API or by any other means.

A batch folder holds ``manifest.json`` (what was asked, of which atlas, with which options), the
shards ``requests-0001.jsonl`` … and, once submitted, ``submitted.json``. Custom ids come from the
cache key of each question, so that an import can be repeated and matches nothing by accident.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lgr_core.domain import CandidatePool, Condition
from lgr_core.errors import InputError
from lgr_core.llm.capabilities import Plan
from lgr_core.llm.endpoint import Api, Service
from lgr_core.llm.prompt import PromptOptions
from lgr_core.retrieval.fill_cache import open_questions
from lgr_core.retrieval.llm_question import LLMOptions, Policy, Question, Scope
from lgr_core.retrieval.llm_selector import LLMSelector

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
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
            found = f"its manifest cannot be read ({type(err).__name__}: {err})"
            do = "Give a folder that `lgr batch export` wrote."
            raise InputError(f"batch folder {folder}", found, do) from err

    def check_provider(self, provider: str, folder: Path) -> None:
        """Refuse another service than the one exported for: its answers have other keys.

        Raises
        ------
        InputError
            If it is another.
        """
        if provider != self.provider:
            found = f"it was exported for {self.provider}, the settings name {provider}"
            do = "Set LGR_LLM_BASE_URL as it was then (unset for openai)."
            raise InputError(f"batch folder {folder}", found, do)

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


def _options(data: dict[str, Any]) -> LLMOptions:
    prompt = PromptOptions(**data.pop("prompt"))
    policy, scope = Policy(data.pop("policy")), Scope(data.pop("scope"))
    chosen = tuple(data.pop("chosen"))
    return LLMOptions(policy=policy, scope=scope, prompt=prompt, chosen=chosen, **data)
