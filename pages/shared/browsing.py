"""Tables of drugs and cell lines: links into the other pages, numbers, files to take home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from lgr_core.answer.export import table_csv
from lgr_core.atlas.store import AtlasStore
from lgr_core.drugs.normalise import safe_name
from lgr_core.metrics import EVERY_METRIC
from pages.shared import links
from pages.shared.question import NOVEL, spell_dose

P_VALUE = st.column_config.NumberColumn(format="%.2g")
SCORE = st.column_config.NumberColumn(format="%.3f")
SHORT = {
    "pearson_vs_line_mean": "r beyond line",
    "sign_accuracy_top50": "Sign, top 50",
    "overlap_at_50": "Overlap 50",
    "pearson_specific": "r",
    "cosine_specific": "Cosine",
    "sign_specific_top50": "Sign, top 50",
    "overlap_specific_at_50": "Overlap 50",
}
"""Heads of columns for metrics whose label is too long for one."""

PREDICT = st.column_config.LinkColumn("predict", display_text="Predict", width="small")

TALLEST = 420
"""Pixels of a table before it scrolls in itself."""

_ROW = 35


def predict_link(
    store: AtlasStore, drug: str, cell_line: str = "", dose: str = "", **how: str
) -> str:
    """The address of a drug's prediction, beside this page; what is left out takes its default.

    ``how`` are further fields of a question: ``selector``, ``k``.
    """
    link = {"atlas": store.name, "cell_line": cell_line, "drug": drug, "dose": dose, **how}
    return f"./?{urlencode({key: value for key, value in link.items() if value})}"


def spelled(dose_um: float) -> str:
    """A dose of a table, where NaN is pooled, as a link spells it."""
    return spell_dose(None if pd.isna(dose_um) else float(dose_um))


def metric_column(metric: str) -> object:
    """A column of scores on a metric, headed in few words; its whole name is read by hovering."""
    label = EVERY_METRIC[metric].label
    short = SHORT.get(metric, label)
    return st.column_config.NumberColumn(short, help=label, format="%.3f")


def show_table(
    table: pd.DataFrame,
    name: str,
    *,
    columns: Mapping[str, object],
    pick: str | None = None,
) -> None:
    """A table and its file.

    A row that is clicked becomes the value of the picker ``pick``; the column of that name, with
    a blank for its underscore, says which.
    """
    options = {}
    if pick is not None:
        names = table[pick.replace("_", " ")].tolist()
        options = {
            "selection_mode": "single-row",
            "on_select": lambda: _pick(f"table_{name}", pick, names),
        }
    st.dataframe(
        table,
        hide_index=True,
        height=min(TALLEST, _ROW * (len(table) + 1) + 3),
        column_config=dict(columns),
        key=f"table_{name}",
        **options,
    )
    download(table.drop(columns="predict", errors="ignore"), name)


def download(table: pd.DataFrame, name: str) -> None:
    """The button that takes a table home as CSV; the file is made when it is asked for."""
    st.download_button(
        "This table (csv)",
        lambda: table_csv(table).encode(),
        file_name=f"{safe_name(name)}.csv",
        mime="text/csv",
        key=f"download_{name}",
        on_click="ignore",
        icon=":material/download:",
    )


def search_box(key: str, words: str, hint: str) -> None:
    """The box that filters a table, bound to the link of the page."""
    st.session_state[key] = words
    st.text_input(
        "Search",
        key=key,
        placeholder=hint,
        max_chars=200,
        on_change=links.picked,
        icon=":material/search:",
    )


def matching(words: str, texts: Sequence[Iterable[str]]) -> list[bool]:
    """Which rows hold every word of the search, in any of their texts, without regard to case."""
    wanted = words.casefold().split()
    rows = ("\n".join(text).casefold() for text in texts)
    return [all(word in row for word in wanted) for row in rows]


def _pick(table: str, key: str, names: Sequence[str]) -> None:
    rows = st.session_state[table]["selection"]["rows"]
    if rows:
        st.session_state[key] = names[rows[0]]
        if key == "drug":
            links.keep(dict.fromkeys(NOVEL, ""))
        links.picked()
