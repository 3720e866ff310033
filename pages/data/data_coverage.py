"""What of an atlas is measured, with how many cells, on which plates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lgr_core.atlas.coverage import (
    MOST_DRUGS,
    Grid,
    cells_histogram,
    drug_spread,
    gaps,
    grid,
    plate_table,
    under,
)
from lgr_core.atlas.plate_population import MIN_OTHERS, SHARED_WELLS
from lgr_core.atlas.store import AtlasStore
from lgr_core.figures import coverage as data_figures
from pages.data import data_state
from pages.data.data_view import Seen
from pages.shared import browsing, links, pieces
from pages.shared.charts import chart
from pages.shared.pickers import switch
from pages.shared.question import EVERY
from pages.shared.widgets import html
from pages.shared.words import count, share

SHARE = st.column_config.NumberColumn(format="percent")


def show(seen: Seen) -> None:
    """The grid of lines and drugs, cells per condition, plates and doses."""
    html(pieces.title("What is measured"))
    _grid(seen)
    _cells(seen)
    _plates(seen.store)


def _grid(seen: Seen) -> None:
    if len(seen.doses) > 1:
        switch("Dose", "coverage", seen.doses, seen.at)
    doses = {f"{dose:g}": dose for dose in seen.store.conditions["dose_um"].dropna().unique()}
    every = seen.at == EVERY
    found = grid(seen.store.conditions, doses.get(seen.at), every_dose=every)
    html(pieces.lead([_grid_words(found, seen.doses, seen.at)]))
    if found.drugs_left_out:
        words = f"Shown are the {MOST_DRUGS} drugs with the most gaps of all {_drugs(found):,}."
        html(pieces.caption(words))
    words = f"{found.measured:,} of {found.possible:,} conditions are measured"
    chart(data_figures.coverage(found), "coverage_grid", words)
    wide = pd.DataFrame(found.values, index=found.lines, columns=found.drugs)
    browsing.download(wide.rename_axis("cell line").reset_index(), f"{seen.store.name} coverage")
    _gaps(seen, doses.get(seen.at), every=every)


def _gaps(seen: Seen, dose_um: float | None, *, every: bool) -> None:
    """By name, what is not measured."""
    name, conditions = seen.store.name, seen.store.conditions
    html(pieces.section("What is not measured", "By name, the most gaps first."))
    for place, by in zip(st.tabs(["By cell line", "By drug"]), ("cell_line", "drug"), strict=True):
        found = gaps(conditions, dose_um, every_dose=every, by=by)
        words = by.replace("_", " ")
        with place:
            browsing.show_table(
                found.rename(columns={by: words, "names": "not measured"}),
                f"{name} gaps by {words}",
                columns={},
            )


def _drugs(found: Grid) -> int:
    return len(found.drugs) + found.drugs_left_out


def _grid_words(found: Grid, doses: Mapping[str, str], at: str) -> str:
    """How much of what could be measured is, as a sentence of HTML."""
    of = f"{count(len(found.lines), 'line')} × {count(_drugs(found), 'drug')}"  # noqa: RUF001
    n_doses = len(doses) - 1
    of += f" × {count(n_doses, 'dose')}" if at == EVERY else f" at {doses[at]}"  # noqa: RUF001
    part = pieces.strong(f"{found.measured:,} of {found.possible:,}")
    return f"{part} conditions are measured ({share(found.measured / found.possible)} of {of})."


def _cells(seen: Seen) -> None:
    store = seen.store
    html(pieces.section("Cells of a condition", "Few cells make a noisy measured change."))
    if not seen.steps:
        words = "This source does not say how many cells stand behind a condition."
        wells = "wells" in store.provenance
        html(pieces.lead([f"{words} Its rows are wells." if wells else words]))
        return
    st.session_state["min_cells"] = seen.min_cells
    st.select_slider(
        "Fewest cells wanted",
        seen.steps,
        key="min_cells",
        format_func=lambda n: f"{n:,}",
        on_change=links.picked,
    )
    by_line = under(store.conditions, seen.min_cells)
    few, known = int(by_line["under"].sum()), int(by_line["known"].sum())
    part = pieces.strong(f"{few:,} of {known:,}")
    words = f"{part} conditions ({share(few / known)}) have fewer than {seen.min_cells:,} cells"
    unknown = len(store.conditions) - known
    words += f"; of {unknown:,} more the cells are not known." if unknown else "."
    html(pieces.lead([words]))
    found = cells_histogram(store.conditions["n_cells"], seen.min_cells)
    drawn = data_figures.cells(*found, seen.min_cells)
    chart(
        drawn,
        "cells_of_conditions",
        f"{few:,} of {known:,} conditions under {seen.min_cells:,} cells",
    )
    if few:
        _underpowered(seen, by_line)


def _underpowered(seen: Seen, by_line: pd.DataFrame) -> None:
    store, few = seen.store, seen.store.conditions
    lines, rows = st.tabs(["By cell line", "Each condition"])
    with lines:
        names = {
            "cell_line": "cell line",
            "known": "conditions",
            "under": "under",
            "share": "share",
        }
        table = by_line.rename(columns=names)
        browsing.show_table(table, f"{store.name} lines under", columns={"share": SHARE})
    few = few[few["n_cells"] < seen.min_cells].sort_values(["n_cells", "cell_line", "drug"])
    with rows:
        doses = [browsing.spelled(dose) for dose in few["dose_um"]]
        table = pd.DataFrame(
            {
                "cell line": few["cell_line"].astype(str),
                "drug": few["drug"].astype(str),
                "dose (µM)": doses,
                "cells": few["n_cells"],
                "predict": [
                    browsing.predict_link(store, row.drug, row.cell_line, dose)
                    for row, dose in zip(few.itertuples(), doses, strict=True)
                ],
            }
        )
        columns = {"predict": browsing.PREDICT}
        browsing.show_table(table, f"{store.name} conditions under", columns=columns)


def _plates(store: AtlasStore) -> None:
    html(pieces.section("Plates and doses", "What stands on one plate alone is compared with it."))
    report = data_state.report(store)
    html(pieces.facts(_plate_facts(report["plates"])))
    if store.named_plates.empty:
        html(pieces.lead(["This source does not say on which plates its conditions stood."]))
        return
    html(pieces.notes([*_spread_words(store), _dose_words(report["doses"])]))
    table = plate_table(store).rename(
        columns={
            "cell_lines": "cell lines",
            "doses": "doses (µM)",
            "main_dose": "main dose (µM)",
            "at_main_dose": "at main dose",
            "own_vehicle": "own vehicle",
        }
    )
    columns = dict.fromkeys(["at main dose", "own vehicle"], SHARE)
    table = table.dropna(axis="columns", how="all")
    browsing.show_table(table, f"{store.name} plates", columns=columns)


def _plate_facts(plates: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Plates, how many compounds share them, and what shared wells mean."""
    others = plates["other_parents"]
    wells = SHARED_WELLS[plates["shared_wells"]].removeprefix("shared wells: ")
    if others is None:
        return [("plates", "not known"), ("shared wells", wells)]
    known = f"{plates['conditions_with_plate']:,} of {count(plates['conditions'], 'condition')}"
    spread = f"{others['min']:,} to {others['max']:,} on a plate in a line, median"
    enough = f"{share(plates['separable'])} of conditions share their plates with {MIN_OTHERS} or"
    return [
        ("plates", f"{plates['plates']:,}; {known} have one"),
        ("other compounds", f"{spread} {others['median']:g}"),
        ("plate and drug", f"{enough} more other compounds, enough to tell the two apart"),
        ("shared wells", wells),
    ]


def _spread_words(store: AtlasStore) -> list[str]:
    """Whether drugs and conditions are repeated on several plates."""
    spread = drug_spread(store)
    one, drugs = spread["on_one_plate"], spread["drugs"]
    alone = f"{one:,} of {drugs:,} drugs stand on one plate alone"
    if one:
        alone += (
            ": what is peculiar to the plate looks like an effect of its drugs, and makes drugs of "
            "one plate look alike"
        )
    repeated = f"{spread['repeated']:,} of {spread['conditions']:,} conditions"
    return [
        f"{alone}.",
        f"{repeated} stand on several plates: only they tell how well a measurement repeats.",
    ]


def _dose_words(doses: Mapping[str, object]) -> str:
    """Whether doses can be told from plates."""
    if doses["confounded"] is None:
        return "There is one plate or one dose, so doses and plates need not be told apart."
    part = share(doses["share_at_the_main_dose_of_their_plate"])
    both = f"{doses['with_two_doses_on_one_plate']:,} of {doses['pairs_at_several_doses']:,}"
    said = (
        f"{part} of conditions stand at the main dose of their plate; {both} drugs in a line have "
    )
    said += "two doses on one plate."
    if doses["confounded"]:
        return (
            f"Dose and plate cannot be told apart: {said} A trend with dose may be one of plates."
        )
    return f"Dose and plate can be told apart in part: {said}"
