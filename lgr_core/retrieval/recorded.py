"""When a recorded answer stands for a question, and what of the question it does not honour.

A record answers the question that it was put: the drug and line; the dose and the atlas, where it
names them; with names hidden or facts told only if it says that it was asked so. Every other
setting that is chosen by name or departs from the plain question (``LLMOptions()``), and that the
record does not say it was asked with, is not honoured, and the answer says so. Where the model may
be asked instead, such a record is passed over, unless the user named its file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from lgr_core.domain import CandidatePool, Condition, Selection
from lgr_core.drugs.catalog import DrugCatalog
from lgr_core.drugs.cell_lines import line_key
from lgr_core.llm.prompt import PAPER, TEMPLATE_VERSION
from lgr_core.retrieval.answer_source import NOT_STATED, AnsweredBy
from lgr_core.retrieval.llm_question import LLMOptions, Policy
from lgr_core.retrieval.neighbor_book import Found, NeighborBook
from lgr_core.retrieval.neighbor_files import NeighborRecord


def find_recorded(
    book: NeighborBook,
    pool: CandidatePool,
    lines: Sequence[str],
    options: LLMOptions,
    atlas: str,
) -> Found | None:
    """The record that answers for ``pool.query`` when it is asked in ``lines``; None if none may.

    Named files go first, then the record that honours most settings, then one of the user's own
    folder, then the one whose candidate list covers the pool best (:func:`list_fit`), then one of
    an earlier line, then one that was asked of the drug by this very name, then the newest.
    """
    fitting = [
        (found, place)
        for place, line in enumerate(lines)
        for found in book.answers(line, pool.query.drug)
        if _is_asked(found.record, pool.query, options, atlas) and _may_answer(found, options)
    ]

    def order(candidate: tuple[Found, int]) -> tuple[bool, int, int, float, int, bool]:
        found, place = candidate
        departures = len(not_honoured(options, found.record))
        form = found.record.drug != pool.query.drug
        return not found.named, departures, found.place, -list_fit(found, pool), place, form

    return min(fitting, key=order)[0] if fitting else None


def list_fit(found: Found, pool: CandidatePool) -> float:
    """How well the candidate list of a record covers a pool, from 0 to 1.

    The Jaccard index of the drugs that the file names and those of the line: shared by both, over
    all in either. A list of 379 drugs holds a pool of 110 too, but few of its fifteen best stand in
    it; so a longer list covers worse. A record of one atlas was asked for that atlas: 1.
    """
    if found.record.atlas:
        return 1.0
    here = {pool.query.drug, *pool.drugs, *pool.twins, *pool.withheld}
    return len(here & found.listed) / len(here | found.listed)


def recorded_selection(
    found: Found, pool: CandidatePool, options: LLMOptions, catalog: DrugCatalog
) -> Selection:
    """The ranking of a record, with how it was asked as far as it says, and what must be said."""
    record = found.record
    provenance = {
        **record.asked,
        "answered_by": str(AnsweredBy.FILE),
        "file": found.file,
        "source": record.source or NOT_STATED,
        "scope": str(options.scope),
        "asked_in_line": record.cell_line,
        "names_in_file": len(record.proposals),
        "listed": len(found.listed),
        "listed_in_pool": len(found.listed.intersection(pool.drugs)),
        "pool_size": len(pool.drugs),
        "of_any_atlas": not (found.named or record.atlas),
        "not_honoured": list(not_honoured(options, record)),
    }
    shown = drugs_beyond(pool, catalog)
    return Selection(record.proposals, shown=shown, provenance=provenance)


def drugs_beyond(pool: CandidatePool, catalog: DrugCatalog) -> frozenset[str]:
    """The drugs of the atlas that a list made elsewhere may name: those not in the pool."""
    return frozenset(catalog.names) - {*pool.drugs, pool.query.drug, *pool.twins}


def is_of(record: NeighborRecord, query: Condition, atlas: str) -> bool:
    """Whether a record is of the query's dose and of this atlas, as far as it names them."""
    of_dose = record.dose_um is None or _is_same(record.dose_um, query.dose_um)
    return of_dose and record.atlas in {"", atlas}


def not_honoured(options: LLMOptions, record: NeighborRecord) -> tuple[str, ...]:
    """The settings, as ``model=gpt-x``, that the options name and the record was not asked with.

    A setting is named if it was chosen by name, or is not the default.
    """
    usual, wanted, had = _settings(LLMOptions()), _settings(options), _had(record)
    named = {name for name in wanted if wanted[name] != usual[name]} | {*options.chosen}
    return tuple(
        f"{name}={wanted[name]}"
        for name in wanted
        if name in named and wanted[name] not in had.get(name, ())
    )


def said_of(provenance: Mapping[str, Any]) -> str | None:
    """One sentence for people where a recorded answer does not honour the settings, else None."""
    settings = provenance.get("not_honoured")
    if not settings:
        return None
    who = provenance["source"]
    return f"Recorded answer ({who}): it was not asked with {', '.join(settings)}."


def choice_words(provenance: Mapping[str, Any], line: str) -> str | None:
    """Why this file answers, in words: whose answer it is, and what its candidate list covers.

    None where no neighbour file answered.
    """
    if "listed_in_pool" not in provenance:
        return None
    asked = other_line(provenance, line)
    whose = "recorded for this line" if asked is None else f"recorded for {asked}"
    covered = f"{provenance['listed_in_pool']:,} of the {provenance['pool_size']:,} candidates here"
    return f"{whose}; its file names {provenance['listed']:,} drugs, {covered}"


def covers_all(provenance: Mapping[str, Any]) -> bool:
    """Whether the candidate list of a recorded answer holds the pool; true of other answers."""
    return provenance.get("listed_in_pool") == provenance.get("pool_size")


def other_line(provenance: Mapping[str, Any], line: str) -> str | None:
    """The line that the model was asked about, where it is not the query's; None where it is."""
    asked = provenance.get("asked_in_line")
    return None if asked is None or line_key(asked) == line_key(line) else str(asked)


def _is_asked(record: NeighborRecord, query: Condition, options: LLMOptions, atlas: str) -> bool:
    """Whether the record was put this very question."""
    flags = _flags(record)
    told = ("masked" in flags, "facts" in flags)
    return is_of(record, query, atlas) and told == (options.prompt.masked, options.prompt.facts)


def _may_answer(found: Found, options: LLMOptions) -> bool:
    match options.policy:
        case Policy.REPLAY:
            return True
        case Policy.ONLY_MISSING:
            return found.named or not not_honoured(options, found.record)
        case Policy.FILL:
            return found.named
    return False


def _is_same(dose: float, asked: float | None) -> bool:
    return asked is not None and math.isclose(dose, asked, rel_tol=1e-6)


def _flags(record: NeighborRecord) -> set[str]:
    """The template's name and flags: ``structured/1+facts`` is structured/1 and facts."""
    return set(str(record.asked.get("template", "")).split("+"))


def _settings(options: LLMOptions) -> dict[str, Any]:
    """What could be named and left unhonoured."""
    return {
        "model": options.model,
        "mode": options.prompt.mode,
        "temperature": options.temperature,
        "effort": options.effort,
        "cache_friendly": options.prompt.cache_friendly,
        "samples": options.samples,
        "ask_for": options.ask_for,
        "repair": options.repair,
    }


def _had(record: NeighborRecord) -> dict[str, set[Any]]:
    """The values of these settings that the record was asked with, as far as it says."""
    flags = _flags(record)
    modes = {flag.partition("/")[0] for flag in flags} & TEMPLATE_VERSION.keys()
    mode = next(iter(modes), PAPER.mode)
    had = {name: {record.asked[name]} for name in record.asked}
    return {
        **had,
        "model": {record.source, record.asked.get("model")},
        "mode": {mode},
        "cache_friendly": {"cache" in flags},
    }
