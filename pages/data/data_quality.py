"""How good the data of an atlas are: what was lost, what is missing, how well they repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.figures import drugs as drug_figures
from pages.data import data_state
from pages.data.data_view import Seen
from pages.shared import browsing, pieces
from pages.shared.browsing import SCORE
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import count, listed

Report = Mapping[str, Any]

CEILING = (
    "Two plates of one condition never agree wholly. The ceiling is how well a prediction of the "
    "true change, without any error, would correlate with what was measured: no honest method can "
    "pass it by much."
)


def show(seen: Seen) -> None:
    """One line a check, then the tables behind them."""
    store, report = seen.store, data_state.report(seen.store)
    html(
        pieces.title("Quality of the data")
        + pieces.section("What was checked")
        + pieces.facts(
            [
                ("kept and left out", _rows_words(report["rows"])),
                ("few cells", _cells_words(report["conditions"])),
                ("vehicles", _vehicle_words(report["vehicles"])),
                ("doses and plates", _dose_words(report["doses"])),
                ("structures", _structure_words(report["drugs"])),
                ("forms of one compound", _twin_words(report["drugs"])),
                ("replicates", _replicate_words(report["replicates"])),
            ]
        )
    )
    _replicates(store, report["replicates"])
    _left_out(store, report["rows"])
    _vehicles(store, report["vehicles"])
    _drugs(store, report["drugs"])


def _rows_words(rows: Report) -> str:
    kept = "an unknown number of" if rows["kept"] is None else f"{rows['kept']:,}"
    lost = rows["left_out"]
    words = f"{kept} {rows['unit']} kept"
    return f"{words}; left out for {count(len(lost), 'reason')}, see below" if lost else words


def _cells_words(conditions: Report) -> str:
    known = conditions["total"] - conditions["cells_unknown"]
    if not known:
        return f"cells are not known for any of {count(conditions['total'], 'condition')}"
    few = f"{conditions['under_minimum']:,} of {count(known, 'condition')}"
    return f"{few} under the {conditions['min_cells']} cells set when it was built"


def _vehicle_words(vehicles: Report) -> str:
    if vehicles["compared_by"] == "publisher":
        return "the publisher compared with them; how is not known here"
    lacking = vehicles["plates_without"]
    own = "every plate has its own for each of its lines"
    if lacking:
        own = f"{count(len(lacking), 'plate')} without one of their own for some line, see below"
    few = f"{vehicles['under_minimum']:,} of {vehicles['profiles']:,} vehicle profiles of few cells"
    return f"{own}; {few}"


def _dose_words(doses: Report) -> str:
    if doses["confounded"] is None:
        return "one dose or one plate: nothing to tell apart"
    told = "cannot be told apart" if doses["confounded"] else "can be told apart in part"
    return f"{told}; see Coverage"


def _structure_words(drugs: Report) -> str:
    known = drugs["total"] - len(drugs["without_structure"])
    return f"known for {known:,} of {count(drugs['total'], 'drug')}"


def _twin_words(drugs: Report) -> str:
    if not drugs["twins"]:
        return "none: each drug is a compound of its own"
    return (
        f"{count(len(drugs['twins']), 'compound')} in several forms, never neighbours of each other"
    )


def _replicate_words(replicates: Report) -> str:
    if not replicates["lines"]:
        return "of no condition are changes on several plates known, so the noise is not known"
    n = count(replicates["conditions"], "condition")
    return f"{n} on several plates, in {count(len(replicates['lines']), 'line')}"


def _replicates(store: AtlasStore, replicates: Report) -> None:
    table = pd.DataFrame(replicates["lines"])
    if table.empty:
        return
    table = table.astype(dict.fromkeys(table.columns.drop("cell_line"), float))
    html(pieces.section("Replicate agreement: the noise ceiling", CEILING))
    order = table.sort_values("ceiling", ascending=False, na_position="last")
    drawn = drug_figures.by_dose(
        order["cell_line"].tolist(),
        order[["ceiling", "replicate_r"]].to_numpy(float),
        ["noise ceiling", "r between two plates"],
        title="Pearson r over the gene panel",
    )
    lowest, highest = table["ceiling"].min(), table["ceiling"].max()
    chart(drawn, "noise_ceiling", f"noise ceilings of the lines, {lowest:.2f} to {highest:.2f}")
    names = {
        "cell_line": "cell line",
        "n_conditions": "conditions",
        "n_plates": "plates of each",
        "replicate_r": "r between two plates",
        "reliability": "reliability",
        "ceiling": "noise ceiling",
    }
    formats = dict.fromkeys(["r between two plates", "reliability", "noise ceiling"], SCORE)
    formats["plates of each"] = st.column_config.NumberColumn(format="%.1f")
    browsing.show_table(
        order[list(names)].rename(columns=names), f"{store.name} noise ceiling", columns=formats
    )


def _left_out(store: AtlasStore, rows: Report) -> None:
    if rows["left_out"]:
        html(pieces.section("Left out", f"Read in the source, and not used ({rows['unit']})."))
        table = pd.DataFrame(rows["left_out"].items(), columns=["reason", "n"])
        browsing.show_table(table, f"{store.name} left out", columns={})


def _vehicles(store: AtlasStore, vehicles: Report) -> None:
    lacking = vehicles["plates_without"]
    if lacking:
        words = "There the line's vehicle of all its plates stands in: effects of the plate remain."
        html(pieces.section("Plates without a vehicle of their own", words))
        rows = [(plate, len(lines), ", ".join(lines)) for plate, lines in lacking.items()]
        table = pd.DataFrame(rows, columns=["plate", "n", "cell lines"])
        browsing.show_table(table, f"{store.name} plates without vehicle", columns={})


def _drugs(store: AtlasStore, drugs: Report) -> None:
    lacking = drugs["without_structure"]
    if lacking:
        words = "Chemistry cannot choose neighbours for them, and their other forms are unknown."
        html(pieces.section("Drugs without a structure", words))
        table = pd.DataFrame({"drug": lacking})
        browsing.show_table(table, f"{store.name} drugs without structure", columns={})
    for key, title, words in (
        ("twins", "Forms of one compound", "Salts and hydrates of one parent compound."),
        (
            "alike",
            "Names that differ in signs alone",
            "Perhaps one drug under two names: check the source.",
        ),
    ):
        if drugs[key]:
            html(pieces.section(title, words))
            table = pd.DataFrame({"drugs": [listed(names) for names in drugs[key]]})
            browsing.show_table(table, f"{store.name} {title.lower()}", columns={})
