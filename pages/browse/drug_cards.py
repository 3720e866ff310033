"""The page about drugs: a table that can be searched, and a card of one of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import NotFoundError
from pages.browse import effects
from pages.shared import browsing, pieces, state
from pages.shared.widgets import html
from pages.shared.words import count

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


def table(chosen: browsing.Chosen) -> None:
    """The drugs that the search leaves, each with what is known of it."""
    html(pieces.title("Drugs"))
    browsing.search_box("drugs", chosen.words, HINT)
    every = _every_drug(chosen.store)
    texts = list(every[SEARCHED].itertuples(index=False))
    read = chosen.store.drug_catalog.find(chosen.words).candidates if chosen.words else ()
    shown = every[np.array(browsing.matching(chosen.words, texts)) | every["drug"].isin(read)]
    if shown.empty:
        asked, found = f"drugs with {chosen.words!r}", "no name, target or mechanism holds that"
        html(pieces.error_box(NotFoundError(asked, found, "Search for less, or empty the box.")))
        return
    html(
        pieces.caption(
            f"{len(shown):,} of {count(len(every), 'drug')}. Click a row for its card. Mechanisms "
            "and targets were written by a language model or by the atlas's source; the card says "
            "which."
        )
    )
    name = f"{chosen.store.name}_drug_list"
    browsing.show_table(shown, name, columns=COLUMNS, pick="drug")


def card(chosen: browsing.Chosen) -> None:
    """What is known of one drug, and who says so."""
    store, drug = chosen.store, chosen.name
    row = store.annotations[drug]
    smiles = str(row.get("smiles") or "")
    known = state.book().annotate(drug, moa=row.get("moa"), targets=row.get("targets"))
    mechanism = state.mechanisms(store)[drug]
    html(
        pieces.drug_title(drug, mechanism, state.structure(smiles) if smiles else None)
        + pieces.notes(chosen.notes)
        + pieces.facts(
            [
                ("mechanism", mechanism or "unclear: none is known here"),
                ("targets", ", ".join(known.targets) or "unclear: none is known here"),
                ("who says so", known.source),
                ("in the atlas's own words", str(row.get("moa") or "") or "nothing"),
                ("other names", ", ".join(state.other_names(store).get(drug, ())) or "none known"),
                ("parent compound", str(row["parent"])),
                ("other forms here", ", ".join(store.drug_catalog.twins(drug)) or "none"),
                ("PubChem", str(row.get("pubchem_cid") or "") or "not known"),
                ("SMILES", smiles or "not known"),
            ]
        )
    )


def effect(chosen: browsing.Chosen) -> None:
    """How strongly the drug changes each line at each dose."""
    store, drug = chosen.store, chosen.name
    measure = effects.measure(store)
    html(pieces.section(f"{measure.title} in each cell line", measure.line))
    table = effects.table(store)
    table = table[table["drug"] == drug]
    if table.empty:
        html(pieces.caption("It was not measured in this atlas, but it can be predicted."))
        return
    effects.figure(table, "cell_line", measure, f"{measure.title} of {drug} by cell line and dose.")
    effects.rows(store, table, f"{store.name}_{drug}")


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
