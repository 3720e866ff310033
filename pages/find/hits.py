"""The sections of the page that finds drugs, in the order in which they are read."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lgr_core.figures import drugs as drug_figures
from lgr_core.retrieval.specific_change import View
from lgr_core.signatures.mechanism_enrichment import FEWEST, enriched_mechanisms
from lgr_core.signatures.search import SIGNIFICANT, DrugHits
from lgr_core.signatures.significance import FEWEST_COMPOUNDS
from pages.find.finding import Wanted
from pages.find.views import LINES
from pages.shared import browsing, pieces, state
from pages.shared.charts import chart
from pages.shared.question import POOLED
from pages.shared.score_tables import mechanism_table
from pages.shared.widgets import html
from pages.shared.words import count

TOP = 20
"""Drugs that the figure shows."""

MECHANISM_TEST = (
    f"rank-sum test, each compound once, at its highest dose, {FEWEST} compounds or more; the tags "
    "were written by a language model or by the atlas's source"
)

MECHANISMS = 5
"""Mechanisms shown."""

CONDITIONS = 1_000
"""Conditions shown at once; the file has all."""

SCORE = "score: Pearson r over genes"

PERCENTILE = st.column_config.NumberColumn(format="%.0f")

RELATIONS = {"self": "itself", "twin": "same compound", "": ""}

COLUMNS = {
    "rank": "By FDR, then by score.",
    "score": "Pearson r with what is searched for, over genes; the mean over the drug's lines.",
    "FDR": (
        f"Significant up to {SIGNIFICANT:g}. The larger of two: genes (would random genes score so "
        "high?) and changes (would the change of an unrelated compound find drugs that score so "
        "high?)."
    ),
    "percentile": (
        "Against the atlas's own compounds: of 100 other compounds, how many are less like this "
        "drug, or less opposite to it, than what is searched for; below zero where it is opposite. "
        f"Known from {FEWEST_COMPOUNDS} others on."
    ),
    "score (measured)": "The same with the measured change in the place of the predicted one.",
}
"""What the columns of the table mean."""


def ranking(wanted: Wanted, found: DrugHits) -> None:
    """The best drugs as a figure, and beside it the mechanisms that they share."""
    top = listed_drugs(found)
    top = top[top["relation"] == ""].head(TOP)
    if top.empty:
        return
    figure_side, mechanism_side = st.columns([11, 10], gap="large")
    passed = (top["fdr"] <= SIGNIFICANT).to_numpy()
    with figure_side:
        html(pieces.section(f"The first {len(top)}"))
        by_line = _by_line(found, top)
        names, doses = zip(*(_name(row) for row in top.itertuples()), strict=True)
        score = top["score"].to_numpy()
        figure = drug_figures.ranked_drugs(names, doses, score, by_line, passed=passed, title=SCORE)
        words = f"The scores of the first {len(top)} drugs against {wanted.words}."
        chart(figure, "ranked", words)
    with mechanism_side:
        _mechanisms(wanted, found)


def listed_drugs(found: DrugHits) -> pd.DataFrame:
    """All drugs by FDR, then by score; in a search for the reverse those alone that reverse it."""
    return found.significant if found.reverse else found.drugs


def drugs(wanted: Wanted, found: DrugHits, measured: pd.Series | None) -> None:
    """Every drug and dose with its tests, each with a link to its prediction.

    ``measured`` are the scores with the measured change, by drug and dose, beside a predicted one.
    """
    table = listed_drugs(found)
    if table.empty:
        return
    html(pieces.section("Every drug that reverses it" if found.reverse else "Every drug and dose"))
    best = _best_line(found, table)
    beside = {}
    if measured is not None:
        keys = pd.MultiIndex.from_frame(table[["drug", "dose_um"]])
        beside = {"score (measured)": measured.reindex(keys).to_numpy()}
    shown = pd.DataFrame(
        {
            "rank": range(1, len(table) + 1),
            "drug": table["drug"],
            "dose (µM)": [browsing.spelled(dose) for dose in table["dose_um"]],
            "predict": [
                browsing.predict_link(wanted.store, row.drug, line, browsing.spelled(row.dose_um))
                for line, row in zip(best, table.itertuples(), strict=True)
            ],
            "FDR": table["fdr"],
            "score": table["score"],
            **beside,
            "percentile": table["percentile"],
            "lines": table["n_lines"],
            "mechanism": table["drug"].map(state.mechanisms(wanted.store)),
            "note": table["relation"].map(RELATIONS),
            "FDR (genes)": table["fdr_genes"],
            "FDR (changes)": table["fdr_others"],
            "p (genes)": table["p_genes"],
            "p (changes)": table["p_others"],
        }
    )
    scores = dict.fromkeys(["score", "score (measured)"], browsing.SCORE)
    columns = {"FDR": browsing.P_VALUE, "percentile": PERCENTILE, "predict": browsing.PREDICT}
    columns |= dict.fromkeys(name for name in shown if name.endswith((" (genes)", " (changes)")))
    browsing.show_table(shown, f"{wanted.store.name}_drugs", columns={**scores, **columns})
    with st.expander("What the columns mean"):
        html(pieces.facts((name, words) for name, words in COLUMNS.items() if name in shown))


@st.fragment
def conditions(wanted: Wanted, found: DrugHits) -> None:
    """Every condition, behind a click."""
    table = found.conditions
    words = f"{count(len(table), 'condition')}, one by one"
    box = st.expander(words, key="conditions", on_change="rerun")
    if not box.open:
        return
    with box:
        shown = pd.DataFrame(
            {
                "drug": table["drug"],
                "cell line": table["cell_line"],
                "dose (µM)": [browsing.spelled(dose) for dose in table["dose_um"]],
                "score": table["score"],
                "rank in its line and dose": table["rank"],
                "of": table["of"],
                "p (genes)": table["p_genes"],
                "FDR (genes)": table["fdr_genes"],
            }
        )
        first = shown.head(CONDITIONS)
        if len(first) < len(shown):
            html(pieces.caption(f"The first {len(first):,}; the file holds all {len(shown):,}."))
        first = first.assign(
            predict=[
                browsing.predict_link(
                    wanted.store, row.drug, row.cell_line, browsing.spelled(row.dose_um)
                )
                for row in table.head(CONDITIONS).itertuples()
            ]
        )
        tests = dict.fromkeys(["p (genes)", "FDR (genes)"], browsing.P_VALUE)
        st.dataframe(
            first,
            hide_index=True,
            height=browsing.TALLEST,
            column_config={**tests, "score": browsing.SCORE, "predict": browsing.PREDICT},
        )
        browsing.download(shown, f"{wanted.store.name}_conditions")


def provenance(wanted: Wanted, found: DrugHits, notes: tuple[str, ...]) -> None:
    """How the search was made; ``notes`` are remarks on how its signature was."""
    where = wanted.where_words
    doses = "every dose" if wanted.at == "all" else f"{wanted.at} µM"
    with st.expander("How was this made?"):
        html(pieces.notes((*_unscored(wanted, found), *notes)))
        html(
            pieces.facts(
                [
                    ("searched for", wanted.words),
                    ("view", LINES[wanted.searched.view]),
                    *([("predicted from", wanted.how)] if wanted.source == "predicted" else []),
                    ("atlas", f"{wanted.store.name}, build {wanted.store.build_id}"),
                    ("searched in", f"{where}, {doses}: {len(found.conditions):,} conditions"),
                    ("genes", f"the panel of {wanted.store.n_panel:,}"),
                    ("score", "Pearson r between the signature and each measured change"),
                    ("of a gene list", "each side weighs 1 in all: mean of up less mean of down"),
                    ("genes", "gene labels permuted: exact mean and variance, t tail"),
                    (
                        "changes",
                        "up to 1,000 measured changes in the signature's place, with all drugs",
                    ),
                    ("mechanisms", MECHANISM_TEST),
                ]
            )
        )


# -- what is said ----------------------------------------------------------------------------------


def _mechanisms(wanted: Wanted, found: DrugHits) -> None:
    verb = "reversing" if found.reverse else "mimicking"
    table = enriched_mechanisms(wanted.store, found, state.book())
    words = f"Do compounds of one mechanism rank above the others in {verb} it?"
    if not len(table):
        words = f"No mechanism has {FEWEST} compounds here, so none can be tested."
    elif not (table["fdr"] <= SIGNIFICANT).any():
        words = f"None is significant at an FDR of {SIGNIFICANT:g}."
    html(pieces.section("Mechanisms that stand high", words))
    if len(table):
        html(mechanism_table(table.head(MECHANISMS).itertuples(index=False)))


def _unscored(wanted: Wanted, found: DrugHits) -> tuple[str, ...]:
    """How many conditions have no score, and why."""
    if not found.n_undefined:
        return ()
    why = {
        View.SPECIFIC: "cannot be separated from its plate",
        View.RELATIVE_TO_POOL: "is alone in its line or changes no gene",
        View.TOTAL: "changes no gene",
    }[wanted.searched.view]
    return (f"{count(found.n_undefined, 'condition')} left out: each {why}.",)


def _by_line(found: DrugHits, top: pd.DataFrame) -> list[dict[str, float]]:
    table = found.conditions[found.conditions["drug"].isin(top["drug"])]
    parts: dict[tuple[str, str], dict[str, float]] = {}
    for row in table.itertuples():
        parts.setdefault(_name(row), {})[row.cell_line] = row.score
    return [parts[_name(row)] for row in top.itertuples()]


def _best_line(found: DrugHits, table: pd.DataFrame) -> list[str]:
    """The line in which each drug scores best at its dose."""
    first = found.conditions.drop_duplicates(["drug", "dose_um"])
    lines = {_name(row): row.cell_line for row in first.itertuples()}
    return [lines[_name(row)] for row in table.itertuples()]


def _name(row: Any) -> tuple[str, str]:  # noqa: ANN401 - a row of either table
    """Drug and dose, as they stand beside each other."""
    dose = browsing.spelled(row.dose_um)
    return row.drug, dose if dose == POOLED else f"{dose} µM"
