"""A batch under way, and what came of it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.atlas.unseen_drug import UnseenDrug
from lgr_core.batch.export import LAYOUTS, write_zip
from lgr_core.batch.query_list import QueryList
from lgr_core.batch.results import BatchRow
from lgr_core.domain import Change
from lgr_core.errors import LgrError
from pages.batch import batch_table
from pages.batch.batch_asking import RESTS, Wanted
from pages.batch.batch_run import Asking, Batch
from pages.shared import browsing, pieces, state
from pages.shared.widgets import html

SHOWN = 50
"""Failed questions that are named; the file has all refused lines."""

FEWEST = 8
"""Scores from which their spread is told."""

_STEP = 0.2


def run_button(wanted: Wanted, reading: QueryList, *, ready: bool, ask: Asking | None) -> None:
    """Start it; a batch that was stopped goes on where it is."""
    n = len(reading.pools)
    words = "Predict 1 query" if n == 1 else f"Predict {n:,} queries"
    if st.button(words, key="batch_run", type="primary", disabled=not ready):
        before = st.session_state.get("batch")
        if before is not None:
            before.stop()
        job = Batch(wanted, reading)
        job.start(ask)
        st.session_state["batch"] = job
        st.rerun()


def progress(job: Batch) -> None:
    """Show how far it is until it ends; leaving the page does not stop it."""
    if not job.under_way:
        return
    st.button("Stop", key="batch_stop", on_click=job.stop, icon=":material/stop:")
    bar = st.progress(*job.share())
    while job.under_way:
        time.sleep(_STEP)
        bar.progress(*job.share())
    st.rerun()


def results(job: Batch) -> None:
    """What came of it: in a sentence, as a table, as files."""
    if job.error is not None:
        if not isinstance(job.error, LgrError):
            raise job.error
        html(pieces.error_box(job.error))
    table = job.many.table()
    html(pieces.section("Predictions") + pieces.lead(filter(None, [_sentence(job), _trust(table)])))
    html(pieces.notes(_report(job)))
    left = len(job.many.pools) - len(table)
    if left:
        words = f"Go on with the other {left:,}"
        st.button(words, key="batch_go_on", on_click=job.start)
    if table.empty:
        return
    name = f"{job.many.store.name}_batch"
    html(pieces.caption(_columns_words(job, table)))
    browsing.show_table(batch_table.table(job), name, columns=batch_table.columns(job))
    _files(job, name)


def _columns_words(job: Batch, table: pd.DataFrame) -> str:
    """What the columns of the table say."""
    specific = "specific " if job.many.change is Change.SPECIFIC else ""
    expects = "Expected r: what a benchmark run lets one expect, with 90 % limits. "
    return (
        f"Pearson r and share of right signs: predicted against measured {specific}change over "
        f"n = {job.many.store.n_panel:,} genes, where the query was measured. "
        f"{expects * batch_table.is_expected(table)}Up and down: the strongest {specific}genes "
        "outside the noise."
    )


def _sentence(job: Batch) -> str:
    n, total = job.many.predicted, len(job.many.pools)
    scored = batch_table.scores(job)
    words = f"<b>{n:,} of {total:,}</b> queries are predicted"
    failed = len(job.many.outcomes) - n
    words += f", {failed:,} could not be" if failed else ""
    if not len(scored):
        return f"{words}. None of them was measured, so nothing tells how good they are."
    kind, spread = ("specific " if job.many.change is Change.SPECIFIC else ""), ""
    if len(scored) >= FEWEST:
        low, high = np.percentile(scored, [25, 75])
        spread = f"; half of them between {low:.2f} and {high:.2f}"
    return (
        f"{words}. Against the measured {kind}change: mean Pearson r <b>{scored.mean():.2f}</b> "
        f"(n = {len(scored):,} measured{spread})."
    )


def _trust(table: pd.DataFrame) -> str:
    """How many are expected to be good, in a sentence; empty where that is not known."""
    if not batch_table.is_expected(table):
        return ""
    n, mean = Counter(table["trust"]), table["expected_pearson"].mean()
    lights = ", ".join(f"{words} for {n[light]:,}" for light, words in batch_table.LIGHTS.items())
    return f"Trust is {lights}; mean expected Pearson r <b>{mean:.2f}</b>."


def _report(job: Batch) -> list[str]:
    """Why trust is not known where it is not, and what asking came to."""
    told = (outcome.trust_note for outcome in job.many.outcomes)
    return [*(f"Trust: {note}" for note in dict.fromkeys(filter(None, told))), *_asked(job)]


def _asked(job: Batch) -> list[str]:
    report = job.report
    if report is None:
        return []
    cost = report.paid.cost_usd
    paid = "cost not known" if cost is None else f"cost ${cost:,.4f}"
    words = (
        f"The language model answered {report.answered:,} questions now ({paid}); "
        f"{len(report.failed):,} failed, {report.not_asked:,} were not asked."
    )
    why = [] if report.stopped_by is None else [f"Ended by: {report.stopped_by}"]
    return [words, *why, *(f"{query}: {said}" for query, said in report.failed[:SHOWN])]


def _files(job: Batch, name: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        layout = st.segmented_control(
            "Predictions in the zip file as",
            list(LAYOUTS),
            default="wide",
            key="batch_layout",
            format_func=str.capitalize,
            required=True,
            help="; ".join(f"{name.capitalize()}: {words}" for name, words in LAYOUTS.items()),
        )
        st.download_button(
            "Download all as zip",
            lambda: write_zip(job.many, job.reading.refused, layout=str(layout), about=about(job)),
            file_name=f"{name}.zip",
            mime="application/zip",
            key="batch_zip",
            on_click="ignore",
            icon=":material/folder_zip:",
        )
    html(
        pieces.caption(
            "In it: predictions (CSV), a pair of h5ad files for cell-eval, what each stands on "
            "(JSONL), refused lines, and a README that says where all this comes from."
        )
    )


def _rankers(outcomes: Iterable[BatchRow]) -> str:
    """Who ranked, as each retrieval says, with the number of queries."""
    said = [outcome.retrieval.provenance for outcome in outcomes if outcome.retrieval is not None]
    names = Counter(str(of.get("model", of.get("source", "a selector by rule"))) for of in said)
    return ", ".join(f"{name} ({n:,} of the queries)" for name, n in names.most_common())


def about(job: Batch) -> dict[str, str]:
    """What the README of the zip file says of a batch, beside what the file itself tells."""
    wanted = job.wanted
    told = {"predicted from": wanted.how}
    if wanted.averages:
        told |= {"selector": wanted.selector, "seed of selector random": str(state.SEED)}
    if wanted.ranked_by_model:
        told["ranked by"] = _rankers(job.many.outcomes)
        told["where none had answered"] = RESTS[wanted.rest]
    if job.link["at_dose"]:
        told["dose asked for"] = job.link["at_dose"]
    new = job.reading.new_drugs.values()
    if new:
        told["new drugs"] = "; ".join(_described(drug) for drug in new)
    return told


def _described(drug: UnseenDrug) -> str:
    """A new drug with what is given of it."""
    given = ", ".join(filter(None, (drug.smiles, drug.moa)))
    return f"{drug.drug} ({given})" if given else drug.drug
