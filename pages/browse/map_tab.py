"""The tab with the map: drugs by their specific changes, a drug and its neighbours marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from lgr_core.answer import retrieve
from lgr_core.atlas.store import AtlasStore
from lgr_core.errors import LgrError
from lgr_core.figures import drug_map as map_figure
from pages.browse import browse_state
from pages.browse.browsed import Browsed
from pages.shared import browsing, guide, pieces, state
from pages.shared.charts import chart
from pages.shared.pickers import Asked
from pages.shared.question import spell_dose
from pages.shared.widgets import html
from pages.shared.words import count, selector_words

READING = (
    "Drugs that stand together do the same beyond what their plate shares. How far a drug stands "
    "from the middle says nothing about the strength of its effect."
)


def show(browsed: Browsed) -> None:
    """The map, what it shows in a sentence, and its file."""
    store, question = browsed.store, browsed.question
    html(pieces.notes(browsed.notes))
    try:
        found = browse_state.drug_map(store)
    except LgrError as err:
        html(pieces.error_box(err))
        return
    picks = _picks(browsed)
    drugs = found.drugs
    here = set(drugs["drug"])
    groups = mechanism_groups(store, drugs["drug"].tolist())
    html(
        pieces.title(f"Map of {count(len(drugs), 'drug')}")
        + pieces.lead([_lead(browsed, here, picks)])
        + pieces.caption(READING)
    )
    figure = map_figure.drug_scatter(
        drugs.assign(mechanism=drugs["drug"].map(state.mechanisms(store))),
        groups,
        query=question.drug,
        picks=picks,
        explained=found.explained,
    )
    words = f"Map of {len(drugs):,} drugs by their specific changes."
    event = chart(figure, "map", words, on_select="rerun", selection_mode="points")
    if event.selection.points:
        _open(browsed, drugs, event.selection.points[0])
    table = drugs.assign(mechanism=drugs["drug"].map(state.mechanisms(store)))
    browsing.download(table, f"{store.name}_map")
    if found.left_out:
        with st.expander(f"{count(len(found.left_out), 'drug')} not on the map"):
            why = "None of their changes can be separated from its plate: "
            html(pieces.caption(f"{why}{', '.join(found.left_out)}."))


def mechanism_groups(store: AtlasStore, drugs: Sequence[str]) -> Mapping[str, str]:
    """The commonest programmes of mechanisms by drug; a drug of several has the commonest."""
    book, each = state.book(), {}
    for drug in drugs:
        row = store.annotations[drug]
        tags = book.tags(drug, moa=row.get("moa"), targets=row.get("targets"))
        each[drug] = book.programmes(tags)
    counts = Counter(name for names in each.values() for name in names)
    shown = [name for name, n in counts.most_common(len(map_figure.COLOURS)) if n > 1]
    known = {drug: [name for name in names if name in shown] for drug, names in each.items()}
    return {drug: min(names, key=shown.index) for drug, names in known.items() if names}


def _picks(browsed: Browsed) -> tuple[str, ...]:
    """The neighbours by which the drug is predicted; none where it cannot be."""
    question, store = browsed.question, browsed.store
    try:
        chosen = guide.choose(Asked(store, question, ()))
        found = retrieve(
            store,
            cell_line=question.cell_line,
            drug=question.drug,
            dose_um=question.dose_um,
            selector=chosen.selector,
            k=question.k,
            reader=state.reader(store),
        )
    except LgrError:
        return ()
    return found.drugs


def _lead(browsed: Browsed, here: set[str], picks: Sequence[str]) -> str:
    """Which drug is marked, and by what its neighbours were chosen, as HTML."""
    question = browsed.question
    drug = pieces.strong(question.drug)
    if question.drug not in here:
        return f"{drug} is not on the map: it cannot be separated from its plate."
    marked = sum(pick in here for pick in picks)
    by = selector_words(question.selector).title
    line = pieces.strong(question.cell_line)
    return (
        f"{drug} and {count(marked, 'neighbour')} of it in {line}, chosen by {by}, are marked. "
        "Click a drug to open it in Predict."
    )


def _open(browsed: Browsed, drugs: pd.DataFrame, point: Mapping[str, object]) -> None:
    """Open the drug of a point in Predict."""
    drug = _drug_at(drugs, point)
    if drug is None:
        return
    store, question = browsed.store, browsed.question
    doses = store.doses(question.cell_line, drug)
    link = {"atlas": store.name, "cell_line": question.cell_line, "drug": drug}
    link |= {"dose": spell_dose(doses[0])} if doses else {}
    st.switch_page("pages/views/predict.py", query_params=link)


def _drug_at(drugs: pd.DataFrame, point: Mapping[str, object]) -> str | None:
    """The drug at a point's coordinates, which a browser may have rounded."""
    x, y = float(str(point["x"])), float(str(point["y"]))
    far = (drugs["x"] - x) ** 2 + (drugs["y"] - y) ** 2
    return None if far.empty else str(drugs["drug"].iloc[int(far.to_numpy().argmin())])
