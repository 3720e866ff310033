"""The page about cell lines: a table that can be searched, and a card of one of them."""

from __future__ import annotations

import pandas as pd

from lgr_core.errors import NotFoundError
from pages.browse import effects
from pages.shared import browsing, pieces, tables
from pages.shared.widgets import html
from pages.shared.words import count, dose_words

HINT = "Name, organ, driver gene or id"


def table(chosen: browsing.Chosen) -> None:
    """The lines that the search leaves, each with what is known of it."""
    html(pieces.title("Cell lines"))
    browsing.search_box("lines", chosen.words, HINT)
    every = tables.cell_lines(chosen.store)
    texts = list(every.astype(str).itertuples(index=False))
    read = chosen.store.cell_line_catalog.candidates(chosen.words) if chosen.words else ()
    shown = every[pd.Series(browsing.matching(chosen.words, texts)) | every["cell line"].isin(read)]
    if shown.empty:
        asked, found = (
            f"cell lines with {chosen.words!r}",
            "no name, organ, driver or id holds that",
        )
        html(pieces.error_box(NotFoundError(asked, found, "Search for less, or empty the box.")))
        return
    html(
        pieces.caption(
            f"{len(shown):,} of {count(len(every), 'cell line')}. Click one for its card."
        )
    )
    measured = chosen.store.conditions.groupby("cell_line", observed=True)["drug"].nunique()
    shown = shown.assign(drugs=shown["cell line"].map(measured).fillna(0).astype(int))
    name = f"{chosen.store.name}_cell_lines"
    browsing.show_table(shown, name, columns=tables.LINE_COLUMNS, pick="cell_line")


def card(chosen: browsing.Chosen) -> None:
    """What is known of one line, and what was measured in it."""
    store, line = chosen.store, chosen.name
    known = store.cell_lines[store.cell_lines["cell_line"] == line].iloc[0]
    doses = store.doses(line)
    at_each = (
        f"{count(len(store.measured_drugs(line, d)), 'drug')} at {dose_words(d)}" for d in doses
    )
    drivers = [gene for gene in str(known.get("driver_genes") or "").split(";") if gene]
    html(
        pieces.title(line)
        + pieces.notes(chosen.notes)
        + pieces.facts(
            [
                ("organ", str(known.get("organ") or "") or "not known"),
                ("driver genes", ", ".join(drivers) or "none known"),
                ("Cellosaurus", str(known.get("cellosaurus") or "") or "not known"),
                ("DepMap", str(known.get("depmap_id") or "") or "not known"),
                ("measured", "; ".join(at_each) or "nothing"),
            ]
        )
    )


def effect(chosen: browsing.Chosen) -> None:
    """How strongly each drug changes the line at each dose."""
    store, line = chosen.store, chosen.name
    measure = effects.measure(store)
    html(pieces.section(f"{measure.title} of each drug", measure.line))
    table = effects.table(store)
    table = table[table["cell_line"] == line]
    effects.figure(table, "drug", measure, f"{measure.title} of drugs in {line} by dose.")
    effects.rows(store, table, f"{store.name}_{line}")
