"""All answers that are known to one question: cached, recorded, pasted, and of given files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lgr_core.atlas.store import AtlasStore
from lgr_core.config import Settings
from lgr_core.domain import CandidatePool, Retrieval, Selection
from lgr_core.drugs.cell_lines import line_key
from lgr_core.drugs.normalise import normalise_name
from lgr_core.errors import InputError
from lgr_core.llm.cache import AnswerCache
from lgr_core.llm.parsing.reply_parser import parse_reply
from lgr_core.retrieval.answer_source import AnsweredBy
from lgr_core.retrieval.neighbor_book import NeighborBook
from lgr_core.retrieval.neighbor_files import NeighborRecord, neighbor_files, record_of_line
from lgr_core.retrieval.recorded import drugs_beyond, is_of
from lgr_core.retrieval.resolve import resolve

_NAME = "llm"


@dataclass(frozen=True, slots=True)
class KnownAnswer:
    """One answer to a question, checked against the pool, with a label of its own."""

    label: str
    retrieval: Retrieval


def known_answers(
    store: AtlasStore,
    settings: Settings,
    pool: CandidatePool,
    k: int,
    *,
    files: Sequence[Path] = (),
) -> tuple[KnownAnswer, ...]:
    """Every answer for ``pool.query``, the first ``k`` neighbours of each.

    In order: those of ``files`` (neighbour files where they end in ``.jsonl``, else a chatbot's
    answer as text), the cache's, and those of the installation's neighbour files; of each, those
    for the query's own line before those for other lines. Answers of another dose or atlas do not
    count.

    Raises
    ------
    InputError
        If one of the files cannot be read, or names no drug.
    UsageError
        If ``k`` is not positive.
    """
    labels: dict[str, int] = {}
    answers = []
    for label, selection in _selections(store, settings, pool, files):
        labels[label] = labels.get(label, 0) + 1
        unique = label if labels[label] == 1 else f"{label} #{labels[label]}"
        found = resolve(selection, pool, store.drug_catalog, k, selector=_NAME)
        answers.append(KnownAnswer(unique, found))
    return tuple(answers)


def _selections(
    store: AtlasStore, settings: Settings, pool: CandidatePool, files: Sequence[Path]
) -> Iterator[tuple[str, Selection]]:
    texts = [path for path in files if path.suffix != ".jsonl"]
    named = [path for path in files if path.suffix == ".jsonl"]
    for path in texts:
        yield path.name, _pasted(path, pool)
    given = NeighborBook((), store.drug_catalog, named=named)
    yield from _of_book(given, store, pool)
    yield from _of_cache(AnswerCache(settings.answers), store, pool)
    folders = neighbor_files(*settings.neighbor_folders)
    yield from _of_book(NeighborBook(folders, store.drug_catalog), store, pool)


def _pasted(path: Path, pool: CandidatePool) -> Selection:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"answer {path}", str(err), "Give a text or a .jsonl file.") from err
    parsed = parse_reply(text, pool.drugs)
    if not parsed.proposals:
        do = "Give a model's whole answer, with its numbered list, or a .jsonl file."
        raise InputError(f"answer {path}", "no ranked name is in it", do)
    return Selection(parsed.proposals, raw=text, provenance={"answered_by": str(AnsweredBy.HAND)})


def _of_book(
    book: NeighborBook, store: AtlasStore, pool: CandidatePool
) -> Iterator[tuple[str, Selection]]:
    own = pool.query.cell_line
    others = [line for line in book.lines(pool.query.drug) if line_key(line) != line_key(own)]
    for line in (own, *others):
        for found in book.answers(line, pool.query.drug):
            if is_of(found.record, pool.query, store.name):
                how = {"answered_by": str(AnsweredBy.FILE), "file": found.file}
                yield _labelled(found.file, found.record, store, pool, how)


def _of_cache(
    cache: AnswerCache, store: AtlasStore, pool: CandidatePool
) -> Iterator[tuple[str, Selection]]:
    """The cached answers for the drug, those for the query's own line first."""
    records = [record_of_line(json.dumps(record)) for record in cache.records() if _names(record)]
    own = line_key(pool.query.cell_line)
    for record in sorted(records, key=lambda record: line_key(record.cell_line) != own):
        asked_of = store.drug_catalog.find(record.drug).drug == pool.query.drug
        if asked_of and is_of(record, pool.query, store.name):
            asked = record.asked
            label = " ".join(str(asked[part]) for part in ("model", "template") if part in asked)
            how = {"answered_by": str(AnsweredBy.CACHE), "model": asked.get("model")}
            yield _labelled(label, record, store, pool, how)


def _names(record: Mapping[str, object]) -> bool:
    """Whether a cached record answers a question of neighbours; there are others."""
    return bool(record.get("target_molecule") and record.get("neighbors"))


def _labelled(
    label: str,
    record: NeighborRecord,
    store: AtlasStore,
    pool: CandidatePool,
    how: Mapping[str, object],
) -> tuple[str, Selection]:
    line, query = record.cell_line, pool.query
    if line_key(line) != line_key(query.cell_line):
        label += f", for {line}"
    if normalise_name(record.drug) != normalise_name(query.drug):
        label += f", asked of {record.drug}"
    provenance = {**record.asked, **how, "source": record.source, "asked_in_line": line}
    shown = drugs_beyond(pool, store.drug_catalog)
    return label, Selection(record.proposals, shown=shown, provenance=provenance)
