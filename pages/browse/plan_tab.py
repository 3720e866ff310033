"""The tab that says what to test next in a cell line, and what such tests gain."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lgr_core.answer.plan import PanelChoice, PanelGains
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import WellScope
from lgr_core.errors import LgrError
from lgr_core.figures import drug_map
from pages.browse import browse_state
from pages.browse.browsed import Browsed, plan_doses
from pages.shared import browsing, pieces, state
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import at_dose, count

HOW = (
    "Chosen one by one: each next drug is the one whose measurement tells most about what the "
    "others do in a line beyond their means over lines, learned on the other cell lines."
)
SCOPES = {
    WellScope.ANY: "On any plate",
    WellScope.OTHER_PLATES: "From drugs on other plates alone",
}


def show(browsed: Browsed) -> None:
    """The drugs in order, with a file; below them what such panels gain in lines held out."""
    store, k = browsed.store, browsed.plan_k
    line, dose = browsed.plan_line or None, plan_doses(store)[browsed.plan_dose]
    html(pieces.notes(browsed.notes))
    try:
        choice = browse_state.choice(store, line, dose, k)
    except LgrError as err:
        html(pieces.error_box(err))
        return
    html(pieces.title("What to test next") + pieces.lead([_lead(choice)]) + pieces.caption(HOW))
    _table(store, choice)
    _gains(browsed, dose)


def _lead(choice: PanelChoice) -> str:
    """The first drugs, and where, as HTML."""
    where = "a new cell line" if choice.cell_line is None else choice.cell_line
    known = f", where {count(choice.n_measured, 'drug')} are known" if choice.n_measured else ""
    first = pieces.strong(choice.drugs[0]) if choice.drugs else "no drug"
    return (
        f"Test {first} first in {pieces.strong(where)} {at_dose(choice.dose_um)}{known}: of all "
        "drugs it tells most about the others."
    )


def _table(store: AtlasStore, choice: PanelChoice) -> None:
    lines = store.conditions.groupby("drug", observed=True)["cell_line"].nunique()
    shown = pd.DataFrame(
        {
            "order": range(1, len(choice.drugs) + 1),
            "drug": choice.drugs,
            "mechanism": [state.mechanisms(store)[drug] for drug in choice.drugs],
            "lines measured": [int(lines[drug]) for drug in choice.drugs],
            "predict": [
                browsing.predict_link(store, drug, choice.cell_line or "") for drug in choice.drugs
            ],
        }
    )
    name = f"{store.name}_what_to_test_next"
    browsing.show_table(shown, name, columns={"predict": browsing.PREDICT})


def _gains(browsed: Browsed, dose: float | None) -> None:
    """What panels gain beside random ones; worked out at a click where it is not known yet."""
    store, k = browsed.store, browsed.plan_k
    found = browse_state.known_gains(store, dose, k)
    words = (
        "Each cell line held out in turn: how much better the other drugs are predicted after the "
        "panel was measured there, over their means in the other lines."
    )
    html(pieces.section("What such a panel gains", words))
    if found is None:
        label = "Work it out (about a minute)"
        if not st.button(label, key="gains", icon=":material/play_arrow:"):
            return
        found = browse_state.gains(store, dose, k)
    _draw(store, found)


def _draw(store: AtlasStore, found: PanelGains) -> None:
    scopes = [scope for scope in SCOPES if str(scope) in found.scopes]
    for column, scope in zip(st.columns(len(scopes), gap="large"), scopes, strict=True):
        curve = found.curve[found.curve["scope"] == str(scope)]
        with column:
            html(pieces.caption(f"{SCOPES[scope]}: {found.scopes[str(scope)]}."))
            if len(curve):
                figure = drug_map.panel_gain(curve, title="gain in Pearson r")
                last = curve[curve["panel"] == "greedy"].iloc[-1]
                words = f"{last['size']} chosen drugs gain {last['gain']:+.3f} in Pearson r."
                chart(figure, f"gain_{scope}", words)
    browsing.download(found.curve, f"{store.name}_panel_gains")
