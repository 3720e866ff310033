"""The sections of the page that finds drugs, in the order in which they are read."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lgr_core.figures import drugs as drug_figures
from lgr_core.signatures.gene_lists import MatchedGenes, read_genes, split_genes
from lgr_core.signatures.mechanism_enrichment import FEWEST, enriched_mechanisms
from lgr_core.signatures.search import DrugHits
from pages.find.finding import LOOKS, Wanted
from pages.shared import browsing, pieces, state
from pages.shared.charts import chart
from pages.shared.question import POOLED
from pages.shared.score_tables import mechanism_table
from pages.shared.widgets import html
from pages.shared.words import count, listed

TOP = 20
"""Drugs that the figure shows."""

SURE = 0.05
"""A drug is significant with an FDR of at most this."""

NAMED = 3
"""Hits named in the first sentence."""

MECHANISMS = 8
"""Mechanisms shown."""

CONDITIONS = 1_000
"""Conditions shown at once; the file has all."""

SCORE = "score: Pearson r with the signature over genes"

RELATIONS = {"self": "itself", "twin": "same compound", "": ""}


def genes_read(wanted: Wanted) -> None:
    """What became of each pasted gene."""
    if wanted.source != "genes":
        return
    columns = st.columns(2)
    for column, way, text in zip(columns, ("up", "down"), (wanted.up, wanted.down), strict=True):
        reading = read_genes(wanted.store, split_genes(text))
        with column:
            html(pieces.facts(_pile_words(way, reading)))


def headline(wanted: Wanted, found: DrugHits, notes: tuple[str, ...]) -> None:
    """The answer in two sentences."""
    unscored = (
        (f"{count(found.n_undefined, 'condition')} without any change could not be scored.",)
        if found.n_undefined
        else ()
    )
    html(
        pieces.title(title(wanted, found))
        + pieces.lead([lead(wanted, found)])
        + pieces.notes((*wanted.notes, *notes, *unscored))
    )


def ranking(wanted: Wanted, found: DrugHits) -> None:
    """The best drugs as a figure, and beside it the mechanisms that they share."""
    figure_side, mechanism_side = st.columns([11, 10], gap="large")
    top = _others(found).head(TOP)
    passed = (top["fdr"] <= SURE).to_numpy()
    with figure_side:
        html(
            pieces.section(
                f"The first {len(top)}" + ", none significant" * (not passed.any()),
                "By FDR, then by score. Each drug at its dose: mean score over its lines, small "
                "dots its lines. At 1 the same genes move in proportion, at -1 all the other way.",
            )
        )
        if top.empty:
            return
        by_line = _by_line(found, top)
        names, doses = zip(*(_name(row) for row in top.itertuples()), strict=True)
        score = top["score"].to_numpy()
        figure = drug_figures.ranked_drugs(names, doses, score, by_line, passed=passed, title=SCORE)
        words = f"The scores of the first {len(top)} drugs against {wanted.words}."
        chart(figure, "ranked", words)
    with mechanism_side:
        _mechanisms(wanted, found)


def drugs(wanted: Wanted, found: DrugHits) -> None:
    """Every drug and dose with its two tests, each with a link to its prediction."""
    html(
        pieces.section(
            "Every drug and dose",
            f"Significant: FDR of {SURE:g} or less. It is the larger of two false discovery rates, "
            "one a question. Genes: would as many random genes score so high? A whole change "
            "passes easily, since the drugs of a plate share their vehicle. Changes: would the "
            "measured change of an unrelated compound find as many that score so high? The file "
            "holds p and FDR of each question.",
        )
    )
    table = found.drugs
    best = _best_line(found, table)
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
            "lines": table["n_lines"],
            "mechanism": table["drug"].map(state.mechanisms(wanted.store)),
            "note": table["relation"].map(RELATIONS),
            "FDR (genes)": table["fdr_genes"],
            "FDR (changes)": table["fdr_others"],
            "p (genes)": table["p_genes"],
            "p (changes)": table["p_others"],
        }
    )
    columns = {"FDR": browsing.P_VALUE, "score": browsing.SCORE, "predict": browsing.PREDICT}
    columns |= dict.fromkeys(name for name in shown if name.endswith((" (genes)", " (changes)")))
    browsing.show_table(shown, f"{wanted.store.name}_drugs", columns=columns)


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


def provenance(wanted: Wanted, found: DrugHits) -> None:
    """How the search was made."""
    where = "all cell lines" if wanted.cell_line is None else wanted.cell_line
    doses = "every dose" if wanted.at == "all" else f"{wanted.at} µM"
    with st.expander("How was this made?"):
        html(
            pieces.facts(
                [
                    ("searched for", wanted.words),
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
                    ("mechanisms", "rank-sum test, each compound once, at its highest dose"),
                ]
            )
        )


# -- what is said ----------------------------------------------------------------------------------


def _mechanisms(wanted: Wanted, found: DrugHits) -> None:
    verb = "reversing" if found.reverse else "mimicking"
    html(
        pieces.section(
            "Mechanisms that stand high",
            f"Do compounds of one mechanism rank above the others in {verb} it? Each compound "
            f"counts once, at its highest dose; {FEWEST} or more are needed. The mechanism tags "
            "were written by a language model or by the atlas's source.",
        )
    )
    table = enriched_mechanisms(wanted.store, found, state.book())
    if table.empty:
        words = f"No mechanism has {FEWEST} compounds here, so none can be tested."
        html(pieces.caption(words))
        return
    if not (table["fdr"] <= SURE).any():
        html(pieces.caption(f"None is significant at an FDR of {SURE:g}."))
    html(mechanism_table(table.head(MECHANISMS).itertuples(index=False)))


def title(wanted: Wanted, found: DrugHits) -> str:
    """What the list is: finds only where there are any."""
    others, verb = _others(found), "reverse" if found.reverse else "mimic"
    if (others["fdr"] <= SURE).any():
        return f"{LOOKS[verb].removesuffix(' it')} {wanted.words}"
    if not found.reverse:
        return f"Closest to {wanted.words}, none significant"
    if (others["score"] < 0).any():
        return f"Most opposed to {wanted.words}, none significant"
    return f"No drug opposes {wanted.words}"


def lead(wanted: Wanted, found: DrugHits) -> str:
    """Which drugs are significant, or which come nearest to it, as HTML."""
    others = _others(found)
    where = "all cell lines" if wanted.cell_line is None else wanted.cell_line
    of_all = f"Of {count(others['drug'].nunique(), 'drug')} in {pieces.strong(where)}, "
    sure = list(dict.fromkeys(others.loc[others["fdr"] <= SURE, "drug"]))
    if sure:
        more = f" and {count(len(sure) - NAMED, 'other')}" if len(sure) > NAMED else ""
        verb = "is" if len(sure) == 1 else "are"
        fdr = f"lowest FDR {others['fdr'].min():.2g}"
        return f"{of_all}{pieces.strong(listed(sure[:NAMED]))}{more} {verb} significant ({fdr})."
    if others.empty:
        return f"{of_all}the compound asked about left out, none can be compared."
    first = pieces.strong(listed(list(dict.fromkeys(others["drug"]))[:NAMED]))
    if found.reverse and (others["score"] >= 0).all():
        return f"{of_all}none opposes it: every score is above zero. Least alike are {first}."
    lowest = f"the lowest FDR is {others['fdr'].min():.2g}, and {SURE:g} would pass"
    return f"{of_all}none is significant: {lowest}. First, perhaps by chance, come {first}."


def _pile_words(way: str, reading: MatchedGenes) -> list[tuple[str, str]]:
    piles = (
        (f"{way}: used", reading.used),
        ("measured, but outside the panel that is searched", reading.outside),
        ("known, but not measured here", reading.not_measured),
        ("unknown", reading.unknown),
        ("read as", tuple(f"{given} → {gene}" for given, gene in reading.read_as)),
    )
    shown = [(f"{words} ({len(genes):,})", genes) for words, genes in piles if genes]
    none = [(f"{way}: used", ("none",))] if not reading.used else []
    return [(words, ", ".join(genes)) for words, genes in (*none, *shown)]


def _others(found: DrugHits) -> pd.DataFrame:
    """The drugs but for the compound asked about."""
    return found.drugs[found.drugs["relation"] == ""]


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
