"""The tab of cell lines: a table that can be searched, and cards of one or two of them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import NotFoundError
from lgr_core.retrieval import effect_grid
from pages.browse import cards
from pages.browse.browsed import Browsed
from pages.shared import browsing, pieces, tables
from pages.shared.widgets import html
from pages.shared.words import count, dose_words

HINT = "Name, organ, driver gene or id"


def show(browsed: Browsed) -> None:
    """The table, and one card below it or two side by side."""
    _table(browsed)
    html(pieces.notes(browsed.notes))
    if not browsed.beside:
        _card(browsed.store, browsed.question.cell_line)
        return
    for column, line in zip(
        st.columns(2, gap="large"), (browsed.question.cell_line, browsed.beside), strict=True
    ):
        with column:
            _card(browsed.store, line)


def _table(browsed: Browsed) -> None:
    """The lines that the search leaves, each with what is known of it."""
    store, words = browsed.store, browsed.words
    every = tables.cell_lines(store)
    texts = list(every.astype(str).itertuples(index=False))
    read = store.cell_line_catalog.candidates(words) if words else ()
    shown = every[pd.Series(browsing.matching(words, texts)) | every["cell line"].isin(read)]
    all_lines = count(len(every), "cell line")
    of_all = f"{len(shown):,} of {all_lines}" if words else all_lines
    html(pieces.title(of_all) + pieces.caption("Click a row for its card."))
    browsing.search_box("lines", words, HINT)
    if shown.empty:
        asked = f"cell lines with {words!r}"
        error = NotFoundError(
            asked, "no name, organ, driver or id holds that", "Search for less, or empty the box."
        )
        html(pieces.error_box(error))
        return
    measured = store.conditions.groupby("cell_line", observed=True)["drug"].nunique()
    shown = shown.assign(drugs=shown["cell line"].map(measured).fillna(0).astype(int))
    name = f"{store.name}_cell_lines"
    browsing.show_table(shown, name, columns=tables.LINE_COLUMNS, pick="cell_line")


def _card(store: AtlasStore, line: str) -> None:
    """What is known of one line, what was measured in it, and the genes its drugs differ in."""
    known = store.cell_lines[store.cell_lines["cell_line"] == line].iloc[0]
    at_each = [
        f"{count(len(store.measured_drugs(line, dose)), 'drug')} at {dose_words(dose)}"
        for dose in store.doses(line)
    ]
    organ = str(known.get("organ") or "")
    html(pieces.drug_title(line, organ, None))
    html(pieces.lead([f"Measured: {pieces.strong('; '.join(at_each) or 'nothing')}."]))
    mask = (store.conditions["cell_line"] == line).to_numpy()
    if mask.any():
        rows = cards.rows_at_highest_dose(store, mask, "drug")
        view, changes = cards.changes(store, rows)
        drugs = store.conditions["drug"].iloc[rows].astype(str).tolist()
        grid = effect_grid.of_line(changes, store.gene_names[: store.n_panel], drugs)
        words = (
            f"The genes in which its {len(grid.columns):,} drugs differ most, each drug at its "
            "highest dose. Drugs that act alike stand together."
        )
        cards.show_grid(store, grid, view, words, line)
    drivers = [gene for gene in str(known.get("driver_genes") or "").split(";") if gene]
    with st.expander("What is known of it"):
        html(
            pieces.facts(
                [
                    ("organ", organ or "not known"),
                    ("driver genes", ", ".join(drivers) or "none known"),
                    ("Cellosaurus", str(known.get("cellosaurus") or "") or "not known"),
                    ("DepMap", str(known.get("depmap_id") or "") or "not known"),
                ]
            )
        )
    cards.conditions(store, mask, line)
