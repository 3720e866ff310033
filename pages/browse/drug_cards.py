"""The tab of drugs: a table that can be searched, and cards of one or two of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import NotFoundError
from lgr_core.retrieval import effect_grid
from pages.browse import cards, dose_curves
from pages.browse.browsed import Browsed
from pages.shared import browsing, pieces, state
from pages.shared.question import spell_dose
from pages.shared.widgets import html
from pages.shared.words import at_dose, count

HINT = "Name, other name, target or mechanism"


COLUMNS = {
    "drug": st.column_config.Column(width=180),
    "mechanism": st.column_config.Column(width=160),
    "targets": st.column_config.Column(width=120),
    "other names": st.column_config.Column(width=120),
    "PubChem": None,
    "lines": st.column_config.Column(width=60),
    "doses (µM)": st.column_config.Column(width=90),
    "predict": browsing.PREDICT,
}
"""How the columns fit a page of 1280 pixels; what is hidden is in the file and on the card."""

SEARCHED = ["drug", "mechanism", "targets", "other names", "PubChem"]


def show(browsed: Browsed) -> None:
    """The table, and one card below it or two side by side."""
    _table(browsed)
    html(pieces.notes(browsed.notes))
    if not browsed.beside:
        _card(browsed.store, browsed.question.drug)
        dose_curves.show(browsed.store, browsed.question.drug)
        return
    for column, drug in zip(
        st.columns(2, gap="large"), (browsed.question.drug, browsed.beside), strict=True
    ):
        with column:
            _card(browsed.store, drug, narrow=True)


def _table(browsed: Browsed) -> None:
    """The drugs that the search leaves, each with what is known of it."""
    store, words = browsed.store, browsed.words
    every = _every_drug(store)
    texts = list(every[SEARCHED].itertuples(index=False))
    read = store.drug_catalog.find(words).candidates if words else ()
    shown = every[np.array(browsing.matching(words, texts)) | every["drug"].isin(read)]
    of_all = (
        f"{len(shown):,} of {count(len(every), 'drug')}" if words else count(len(every), "drug")
    )
    html(pieces.title(of_all) + pieces.caption("Click a row for its card."))
    browsing.search_box("drugs", words, HINT)
    if shown.empty:
        asked, found = f"drugs with {words!r}", "no name, target or mechanism holds that"
        html(pieces.error_box(NotFoundError(asked, found, "Search for less, or empty the box.")))
        return
    browsing.show_table(shown, f"{store.name}_drug_list", columns=COLUMNS, pick="drug")


def _card(store: AtlasStore, drug: str, *, narrow: bool = False) -> None:
    """What is known of one drug and who says so, its strength, and its strongest genes."""
    smiles = str(store.annotations[drug].get("smiles") or "")
    picture = state.structure(smiles) if smiles and not narrow else None
    mask = (store.conditions["drug"] == drug).to_numpy()
    words = "It was not measured in this atlas, but it can be predicted."
    words = cards.strength_words(store, drug) if mask.any() else words
    html(pieces.drug_title(drug, state.mechanisms(store)[drug], picture) + pieces.lead([words]))
    if not mask.any():
        _known(store, drug)
        return
    _ways(store, drug)
    rows = cards.rows_at_highest_dose(store, mask, "cell_line")
    view, changes = cards.changes(store, rows)
    lines = store.conditions["cell_line"].iloc[rows].astype(str).tolist()
    panel = store.gene_names[: store.n_panel]
    grid = effect_grid.of_drug(changes, panel, lines)
    words = f"The genes that it moves most in the mean over its cell lines, {_at(store, rows)}."
    if store.shared_wells == "yes":
        words += " The lines of one well share what is peculiar to it."
    cards.show_grid(store, grid, view, words, drug, narrow=narrow)
    _known(store, drug)
    cards.conditions(store, mask, drug)


def _at(store: AtlasStore, rows: np.ndarray) -> str:
    doses = store.conditions["dose_um"].iloc[rows].drop_duplicates().tolist()
    if len(doses) > 1:
        return "each line at its highest dose"
    return at_dose(None if np.isnan(doses[0]) else doses[0])


def _ways(store: AtlasStore, drug: str) -> None:
    """Links to the search for drugs like it, and to its place on the map."""
    first = store.conditions[store.conditions["drug"] == drug].iloc[0]
    dose = None if pd.isna(first["dose_um"]) else float(first["dose_um"])
    asked = {"atlas": store.name, "cell_line": str(first["cell_line"]), "drug": drug}
    with st.container(horizontal=True, gap="medium"):
        st.page_link(
            "pages/views/find.py",
            label="Drugs that do the same",
            icon=":material/search:",
            query_params={**asked, "from": "measured", "dose": spell_dose(dose)},
        )
        st.page_link(
            "pages/views/browse.py",
            label="On the map",
            icon=":material/scatter_plot:",
            query_params={**asked, "show": "map"},
        )


def _known(store: AtlasStore, drug: str) -> None:
    """Annotation and names, behind a click."""
    row = store.annotations[drug]
    known = state.book().annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
    with st.expander("What is known of it, and who says so"):
        html(
            pieces.facts(
                [
                    ("mechanism", state.mechanisms(store)[drug] or "unclear: none is known here"),
                    ("targets", ", ".join(known.targets) or "unclear: none is known here"),
                    ("who says so", known.source),
                    ("in the atlas's own words", str(row.get("moa") or "") or "nothing"),
                    (
                        "other names",
                        ", ".join(state.other_names(store).get(drug, ())) or "none known",
                    ),
                    ("parent compound", str(row["parent"])),
                    ("other forms here", ", ".join(store.drug_catalog.twins(drug)) or "none"),
                    ("PubChem", str(row.get("pubchem_cid") or "") or "not known"),
                    ("SMILES", str(row.get("smiles") or "") or "not known"),
                ]
            )
        )


def _every_drug(store: AtlasStore) -> pd.DataFrame:
    """One row a drug, in the order of names."""
    measured = store.conditions.groupby("drug", observed=True)
    lines, first = measured["cell_line"].nunique(), measured["cell_line"].first()
    doses = measured["dose_um"].unique()
    names, others = store.drugs["drug"], state.other_names(store)
    known = [
        state.book().annotate(row["drug"], moa=row.get("moa"), targets=row.get("targets"))
        for row in store.drugs.to_dict("records")
    ]
    return pd.DataFrame(
        {
            "drug": names,
            "mechanism": names.map(state.mechanisms(store)),
            "targets": [", ".join(annotation.targets) for annotation in known],
            "other names": [", ".join(others.get(name, ())) for name in names],
            "PubChem": store.drugs["pubchem_cid"].astype(str),
            "lines": [int(lines.get(name, 0)) for name in names],
            "doses (µM)": [", ".join(map(browsing.spelled, doses.get(name, ()))) for name in names],
            "predict": [browsing.predict_link(store, name, first.get(name, "")) for name in names],
        }
    )
