"""What is known of the neighbours of a prediction, and remarks on who they are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from lgr_core.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Neighbor, Rejected
from pages.predict.piece_cards import Card
from pages.shared import asking, pieces, state
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import count, listed


def refused(rejected: Sequence[Rejected]) -> None:
    """What was proposed and refused, each with its reason."""
    with st.expander(f"Refused: {count(len(rejected), 'proposal')}, and why"):
        html(pieces.rejected(rejected))


def forms(asked: Asked, answer: Answer) -> None:
    """Where neighbours are forms of one compound: that each counts, and the way to count one."""
    once = asked.question.once
    pairs = [(n.same_parent_as, n.drug) for n in answer.retrieval.neighbors if n.same_parent_as]
    if not (once or pairs):
        return
    words = "Of neighbours that are forms of one compound, only the first counts."
    if not once:
        named = "; ".join(listed(pair) for pair in pairs)
        words = f"Forms of one compound, each of which counts, as in the paper: {named}."
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        html(pieces.caption(words))
        st.button(
            "Count every form" if once else "Count them once",
            key="count_once",
            on_click=asking.count_once,
            kwargs={"once": not once},
        )


def cards(store: AtlasStore, answer: Answer) -> list[Card]:
    """What is shown of each neighbour, best first."""
    query = answer.pool.query
    rows = store.rows(query.cell_line, answer.retrieval.drugs, query.dose_um)
    plates = store.named_plates
    plates = plates[plates["condition"].isin(rows.tolist())]
    n_plates = plates.groupby("condition")["plate"].nunique().to_dict()
    mechanisms = state.mechanisms(store)
    return [
        _card(store, neighbor, row, n_plates.get(row), mechanisms[neighbor.drug])
        for neighbor, row in zip(answer.retrieval.neighbors, rows.tolist(), strict=True)
    ]


def _card(
    store: AtlasStore, neighbor: Neighbor, row: int, n_plates: int | None, mechanism: str
) -> Card:
    record = store.conditions.iloc[row]
    n_cells = record.get("n_cells")
    return Card(
        rank=neighbor.rank,
        drug=neighbor.drug,
        rationale=neighbor.rationale,
        mechanism=mechanism,
        picture=picture(store, neighbor.drug),
        dose_um=store.condition(row).dose_um,
        n_cells=None if pd.isna(n_cells) else int(n_cells),
        n_plates=n_plates,
        score=None if neighbor.score is None else float(neighbor.score),
        twin_of=neighbor.same_parent_as,
        underpowered=bool(record.get("underpowered", False)),
    )


def picture(store: AtlasStore, drug: str) -> str | None:
    """The picture of a drug's structure, None where it is not known."""
    smiles = str(store.annotations[drug].get("smiles") or "")
    return state.structure(smiles) if smiles else None
