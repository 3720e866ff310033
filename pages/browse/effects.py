"""How much each condition changes: an effect size where the values have one, else distinctness."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.figures import drugs as drug_figures
from pages.shared import browsing, pieces, state
from pages.shared.charts import chart
from pages.shared.widgets import html

TOP = 30
"""Rows of the figure."""


class Measure(NamedTuple):
    """What is shown of a condition: the column, its name, one line of explanation, its axis."""

    column: str
    title: str
    line: str
    axis: str


def measure(store: AtlasStore) -> Measure:
    """Effect size where the values have one, else how unlike the other drugs a change is."""
    distinct = (
        "1 - Pearson r with the mean of the other drugs in the same line at the same dose: near 0 "
        "a drug does what all do, near 1 it does something of its own."
    )
    if store.value_kind.has_effect_size:
        line = "Euclidean norm of the measured change over the gene panel: noise counts as well."
        return Measure(
            "effect", "Effect size", line, f"effect size: norm, {store.value_kind.label}"
        )
    line = f"Rank scores have no effect size. Shown instead: distinctness, {distinct}"
    return Measure("distinct", "Distinctness", line, "distinctness: 1 - r with the other drugs")


def table(store: AtlasStore) -> pd.DataFrame:
    """Every condition with its measures, in row order."""
    return pd.concat([store.conditions, state.strength(store)], axis=1)


def figure(conditions: pd.DataFrame, by: str, shown: Measure, words: str) -> None:
    """A dot a dose, one row a value of the column ``by``: the highest first."""
    wide = conditions.assign(dose=conditions["dose_um"].fillna(0.0)).pivot_table(
        index=by, columns="dose", values=shown.column, observed=True
    )
    wide = wide[sorted(wide, reverse=True)]
    top = wide.loc[wide.max(axis=1).sort_values(ascending=False, kind="stable").index[:TOP]]
    if top.empty:
        html(pieces.caption("It is alone in its line and dose, so there is nothing to compare."))
        return
    if len(wide) > len(top):
        html(pieces.caption(f"The {TOP} highest of {len(wide):,}; the table below holds all."))
    doses = ["pooled doses" if dose == 0 else f"{dose:g} µM" for dose in top]
    drawn = drug_figures.by_dose(
        top.index.tolist(), top.to_numpy(np.float64), doses, title=shown.axis
    )
    chart(drawn, "by_dose", words)


def rows(store: AtlasStore, conditions: pd.DataFrame, name: str) -> None:
    """The same as a table with links to each prediction, and its file."""
    order = conditions.sort_values(["cell_line", "drug", "dose_um"], ascending=[True, True, False])
    spelled = [browsing.spelled(dose) for dose in order["dose_um"]]
    columns = {
        "cell line": order["cell_line"].astype(str),
        "drug": order["drug"].astype(str),
        "dose (µM)": spelled,
        **({"effect size": order["effect"]} if store.value_kind.has_effect_size else {}),
        "distinctness": order["distinct"],
        "cells": order.get("n_cells"),
        "predict": [
            browsing.predict_link(store, row.drug, row.cell_line, dose)
            for row, dose in zip(order.itertuples(), spelled, strict=True)
        ],
    }
    shown = pd.DataFrame({key: value for key, value in columns.items() if value is not None})
    formats = dict.fromkeys(["effect size", "distinctness"], browsing.SCORE)
    browsing.show_table(shown, name, columns={**formats, "predict": browsing.PREDICT})
