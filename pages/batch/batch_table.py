"""The predictions of a batch as a table, with what could not be predicted beside its row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.domain import Change
from lgr_core.errors import LgrError
from lgr_core.metrics import EVERY_METRIC
from pages.batch import batch_state
from pages.batch.batch_run import Batch
from pages.shared import browsing
from pages.shared.fault_words import plainly
from pages.shared.trust import LIGHT_WORDS
from pages.shared.words import selector_words

LIGHTS = {str(light): words.removeprefix("Trust: ") for light, words in LIGHT_WORDS.items()}
"""Levels of trust in words."""

WHY_NOT = "not predicted because"

_WIDTHS = {"drug": 150, WHY_NOT: 260, "up": 190, "down": 190}
"""Pixels of columns of names and sentences."""

_SCORES = {
    Change.TOTAL: {"Pearson r": "pearson_delta", "signs right": "sign_accuracy"},
    Change.SPECIFIC: {"Pearson r": "pearson_specific", "signs right": "sign_specific_top50"},
}
"""The scores that are shown of each change, by their heads."""


def is_expected(table: pd.DataFrame) -> bool:
    """Whether a benchmark run tells how far any of them may be trusted."""
    return bool(table["expected_pearson"].notna().any())


def scores(job: Batch) -> pd.Series:
    """Pearson r of the change that was predicted, one a query that was measured."""
    metric = _SCORES[job.many.change]["Pearson r"]
    found = [(outcome.metrics or {}).get(metric, np.nan) for outcome in job.many.outcomes]
    return pd.Series(found, dtype=float).dropna()


def columns(job: Batch) -> dict[str, object]:
    """How the columns are shown."""
    metrics = _SCORES[job.many.change]
    heads = dict.fromkeys(("Pearson r", "expected r"), browsing.SCORE)
    signs = EVERY_METRIC[metrics["signs right"]].label
    heads["signs right"] = st.column_config.NumberColumn(help=signs, format="%.3f")
    widths = {name: st.column_config.Column(width=w) for name, w in _WIDTHS.items()}
    return {**widths, **heads, "predict": browsing.PREDICT}


def table(job: Batch) -> pd.DataFrame:
    """A row a line of the list, in its order: predictions with their ways, refusals with reasons.

    The column of reasons is there only where something was not predicted.
    """
    predicted = _predicted(job, job.many.table())
    refused = pd.DataFrame(
        [(row.text, _reason(row.error)) for row in job.reading.refused],
        columns=["drug", WHY_NOT],
        index=pd.Index([row.place - 0.5 for row in job.reading.refused], dtype=float),
    )
    last = max(predicted.index, default=-1.0)
    whole = pd.concat([predicted, refused[refused.index <= last + 1]])[list(predicted.columns)]
    whole = whole.sort_index(kind="stable").reset_index(drop=True)
    words = whole.select_dtypes(["object", "string"]).columns
    whole[words] = whole[words].fillna("")
    return whole if whole[WHY_NOT].any() else whole.drop(columns=WHY_NOT)


def _predicted(job: Batch, table: pd.DataFrame) -> pd.DataFrame:
    """What was tried, by its place in the list."""
    outcomes = job.many.outcomes
    scored = {
        head: [(outcome.metrics or {}).get(metric, np.nan) for outcome in outcomes]
        for head, metric in _SCORES[job.many.change].items()
    }
    return pd.DataFrame(
        {
            "drug": table["drug"],
            "cell line": table["cell_line"],
            "dose (µM)": [browsing.spelled(dose) for dose in table["dose_um"]],
            WHY_NOT: ["" if one.error is None else _reason(one.error) for one in outcomes],
            "predict": [_link(job, row) for row in table.itertuples()],
            "up": table["up"],
            "down": table["down"],
            **scored,
            **_trusted(table),
            **_stands_on(job, table),
            "note": [" ".join(outcome.notes) for outcome in outcomes],
        }
    ).set_axis([float(outcome.place) for outcome in outcomes])


def _link(job: Batch, row: object) -> str:
    """The way to a prediction; a new drug takes along what is given of it."""
    fields = ("method", "selector", "k", "once")
    how = {name: job.link[name] for name in fields}
    novel = job.reading.new_drugs.get(row.drug)
    if novel is not None:
        how |= {"new": "1", "smiles": novel.smiles, "moa": novel.moa}
    if job.many.change is Change.TOTAL and len(batch_state.changes(job.wanted.store)) > 1:
        how["change"] = str(Change.TOTAL)
    dose = browsing.spelled(row.dose_um)
    return browsing.predict_link(job.many.store, row.drug, row.cell_line, dose, **how)


def _reason(error: LgrError) -> str:
    """Why there is no prediction, and what to do, in one line."""
    said = plainly(error)
    return f"{said.asked}: {said.found}. {said.do}"


def _stands_on(job: Batch, table: pd.DataFrame) -> dict[str, object]:
    """What each prediction is made of: neighbours and who chose them, or all that was weighed."""
    if job.many.is_linear:
        return {"measured changes": table["n_conditions"], "stands on": table["stands_on"]}
    return {
        "neighbours": [f"{k_used} of {job.many.k}" for k_used in table["k_used"]],
        "chosen by": [selector_words(name).label if name else "" for name in table["selector"]],
    }


def _trusted(table: pd.DataFrame) -> dict[str, object]:
    """What is expected of each, where a benchmark run has calibrated the method."""
    if not is_expected(table):
        return {}
    limits = zip(table["expected_low"], table["expected_high"], strict=True)
    return {
        "expected r": table["expected_pearson"],
        "90 % limits": [
            "" if np.isnan(low) else f"{low:.2f} to {high:.2f}" for low, high in limits
        ],
        "trust": [LIGHTS.get(light, "") for light in table["trust"]],
    }
