"""What a batch would ask, before anything is predicted or paid."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lgr_core.batch.query_list import QueryList
from lgr_core.batch.results import most_queries
from lgr_core.config import Settings
from lgr_core.errors import UsageError
from lgr_core.llm.budget import Budget
from lgr_core.llm.endpoint import Service
from lgr_core.llm.prices import price_words
from pages.batch import batch_state
from pages.batch.batch_asking import ONCE, RESTS, Wanted
from pages.batch.batch_run import Asking, Memory, memory
from pages.predict.head import CHANGES
from pages.shared import browsing, pieces, state
from pages.shared.fault_words import plainly
from pages.shared.glossary import meaning
from pages.shared.pickers import switch
from pages.shared.widgets import html
from pages.shared.words import count

SHOWN = 200
"""Remarks shown at once; the file has all refused lines."""


def limits(wanted: Wanted) -> str:
    """How much may be asked at once."""
    return (
        f"Up to {most_queries(wanted.store):,} queries at once, kept for this visit. For more, use "
        "Python: lgr_core.predict in a loop."
    )


def dry_run(wanted: Wanted, reading: QueryList) -> bool:
    """What would be asked, before anything is; whether it may be."""
    n, most = len(reading.pools), most_queries(wanted.store)
    measured = sum(reading.store.row(pool.query) is not None for pool in reading.pools)
    html(
        pieces.section("What this list asks for", "A dry run: nothing is predicted or paid for.")
        + pieces.facts(
            [
                ("queries", f"{n:,}"),
                ("measured too", f"{measured:,}: these predictions can be scored"),
                ("without a measurement", f"{n - measured:,}: predictions that nothing can judge"),
                *_counted(
                    "new drugs", len(reading.new_drugs), ": not in this atlas, and predicted"
                ),
                ("lines refused", f"{len(reading.refused):,}"),
                *_counted("asked twice", reading.repeated, ", taken once"),
                ("predicted from", wanted.how),
            ]
        )
    )
    if len(batch_state.changes(wanted.store)) > 1:
        changes = {str(change): words for change, words in CHANGES.items()}
        switch("Change", "change", changes, str(wanted.change), help=meaning("specific change"))
    if wanted.averages and wanted.store.drugs["parent"].duplicated().any():
        switch("Among the neighbours", "once", ONCE, "1" if wanted.once else "")
    _refused(wanted, reading)
    _read_as(reading)
    if n > most:
        do = "Shorten the list, or split it."
        html(pieces.error_box(UsageError(f"{n:,} queries", f"this page takes {most:,}", do)))
    return 0 < n <= most


def _counted(name: str, n: int, words: str) -> list[tuple[str, str]]:
    """A fact that is said where there are any."""
    return [(name, f"{n:,}{words}")] if n else []


def _refused(wanted: Wanted, reading: QueryList) -> None:
    if not reading.refused:
        return
    errors = [(refused.text, plainly(refused.error)) for refused in reading.refused]
    table = pd.DataFrame(
        [(text, error.asked, error.found, error.do) for text, error in errors],
        columns=["line", "asked", "found", "what to do"],
    )
    with st.expander(f"{count(len(table), 'line')} refused, and why", expanded=True):
        browsing.show_table(table, f"{wanted.store.name}_refused", columns={})


def _read_as(reading: QueryList) -> None:
    if reading.notes:
        with st.expander(f"{count(len(reading.notes), 'remark')} on how names were read"):
            html(pieces.notes(reading.notes[:SHOWN]))
            more = len(reading.notes) - SHOWN
            html(pieces.caption(f"And {more:,} more." if more > 0 else ""))


def asking(wanted: Wanted, reading: QueryList) -> tuple[bool, Asking | None]:
    """For a language model, what becomes of queries without an answer; whether it may run."""
    if not wanted.ranked_by_model:
        return True, None
    found = _memory(wanted, reading)
    n, unknown = len(reading.pools), len(found.open)
    html(
        pieces.section(
            "What language models have answered",
            f"{n - unknown:,} of {n:,} queries are remembered and cost nothing.",
        )
    )
    if not unknown:
        return True, None
    html(pieces.facts(_price(found)))
    switch(f"The others ({unknown:,})", "rest", RESTS, wanted.rest)
    return _live(found) if wanted.rest == "ask" else (True, None)


def _memory(wanted: Wanted, reading: QueryList) -> Memory:
    """What is remembered, looked up once until a batch has run."""
    job = st.session_state.get("batch")
    ran = None if job is None or job.under_way else (id(job), len(job.many.outcomes))
    key = (wanted.store.build_id, *wanted.link().values(), ran)
    kept = st.session_state.get("batch_memory")
    if kept is None or kept[0] != key:
        with st.spinner("Looking up answers"):
            kept = (key, memory(reading.store, reading.pools, wanted.k))
        st.session_state["batch_memory"] = kept
    return kept[1]


def _price(found: Memory) -> list[tuple[str, str]]:
    told = found.estimate
    return [
        ("model", Settings.from_environment().llm_model),
        ("questions to ask", f"{told.questions:,}"),
        ("tokens", f"{told.usage.input:,} in, {told.usage.output:,} out (estimated)"),
        ("price of asking all (estimated)", price_words(told.usd, told.usd_at_most)),
    ]


def _live(found: Memory) -> tuple[bool, Asking | None]:
    """Who pays, and how many questions are asked."""
    settings = Settings.from_environment()
    service = Service.at(settings.llm_base_url)
    key = None
    if service.is_openai and settings.api_key is None:
        key = st.text_input(
            f"Your key for {service.name}",
            type="password",
            key="batch_key",
            autocomplete="off",
            help="Sent to that service only, and forgotten when this page is closed.",
        )
        if not key:
            return False, None
    elif service.is_openai and settings.llm_budget_usd is None:
        do = "Set LGR_LLM_BUDGET_USD on the server, or choose what becomes of the rest above."
        asked = "asking with this server's key"
        html(pieces.error_box(UsageError(asked, "no budget is set for it", do)))
        return False, None
    n = int(
        st.number_input(
            "Questions to ask now", 1, len(found.open), len(found.open), key="batch_questions"
        )
    )
    html(
        pieces.caption(
            f"The names in the candidate lists are sent to {service.name}. Answers are kept, so "
            "no question is paid twice. Stop ends it after the questions under way."
        )
    )
    budget = Budget(max_usd=found.estimate.usd_at_most) if key else state.budget()
    return True, Asking(found.open[:n], key, budget)
