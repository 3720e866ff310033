"""How genes and programmes change over the doses of a drug in one line."""

from __future__ import annotations

import streamlit as st

from lgr_core.answer.dose_curves import DoseCurves, DoseReader, gene_curves, programme_curves
from lgr_core.atlas.store import AtlasStore
from lgr_core.figures import doses as dose_figures
from pages.shared import browsing, pieces, state
from pages.shared.charts import chart
from pages.shared.widgets import html

FEWEST = 3
"""Doses of a drug in one line from which on there is a curve to see."""

_DRAWN = 5
_SHOWN = {"genes": "Genes", "programmes": "Programmes"}


def show(store: AtlasStore, drug: str) -> None:
    """The curves of the drug's strongest genes or programmes; nothing where doses are few."""
    lines = lines_with_doses(store, drug)
    if not lines:
        return
    html(
        pieces.section(
            "Over the dose",
            "The genes that change most over the drug's doses. A curve is drawn, and its EC50 "
            "named, where a Hill curve explains at least half of what four doses or more show.",
        )
    )
    first, second = st.columns(2, vertical_alignment="bottom")
    line = first.selectbox("Cell line", lines, key="dose_curve_line", filter_mode="contains")
    what = second.segmented_control(
        "Curves of",
        list(_SHOWN),
        default="genes",
        key="dose_curve_what",
        format_func=_SHOWN.get,
        required=True,
        label_visibility="collapsed",
    )
    genes, programmes = _curves(store, line, drug)
    curves = programmes if what == "programmes" and programmes.names else genes
    if what == "programmes" and not programmes.names:
        html(pieces.caption("No programme has five genes in this atlas's panel."))
    figure = dose_figures.dose_curves(
        curves.names[:_DRAWN],
        curves.doses_um,
        curves.changes[:_DRAWN],
        curves.fits[:_DRAWN],
        title=store.value_kind.label,
    )
    chart(figure, "dose_curves", f"{what} of {drug} in {line} at each measured dose.")
    browsing.download(curves.table(), f"dose curves {drug} {line} {what}")


def lines_with_doses(store: AtlasStore, drug: str) -> list[str]:
    """Lines in which the drug has three doses or more, those with most first."""
    rows = store.conditions[store.conditions["drug"] == drug]
    counts = rows[rows["dose_um"] > 0].groupby("cell_line", observed=True)["dose_um"].nunique()
    enough = counts[counts >= FEWEST]
    return sorted(map(str, enough.index), key=lambda line: (-int(enough[line]), line))


def _curves(store: AtlasStore, line: str, drug: str) -> tuple[DoseCurves, DoseCurves]:
    reader = DoseReader(store, line)
    return gene_curves(reader, drug), programme_curves(reader, drug, state.book().signatures)
