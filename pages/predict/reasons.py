"""The sections of the page about neighbours and reasons."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.answer.baselines import verdict
from lgr_core.answer.influence import (
    NeighborInfluence,
    NeighborRanks,
    inspect_neighbors,
    rank_neighbors,
)
from lgr_core.audit.claims import ClaimKind
from lgr_core.audit.verdicts import CheckedClaim, Verdict
from lgr_core.domain import FloatArray, Neighbor
from lgr_core.drugs.mechanism_tables import Annotation
from lgr_core.figures import comparison as compare_figures
from lgr_core.retrieval.expected_drugs import expected_not_chosen
from pages.predict import judging, neighbor_cards, neighbor_heatmap, sections
from pages.predict.piece_cards import Card, Row, row_list
from pages.predict.reason_claims import annotation, claims_of, labels
from pages.predict.taking import figure_downloads
from pages.shared import asking, links, pieces, state
from pages.shared.asking import Answered
from pages.shared.browsing import SCORE, download
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import count, dose_words, listed, literal, selector_words

ON = "1"
"""How the link spells that the truth is revealed."""


class Look(NamedTuple):
    """The neighbours looked at, and the truth about them where it is known and asked for."""

    seen: NeighborInfluence
    truth: NeighborRanks | None


def look(view: Answered) -> Look:
    """Look at the neighbours; at the truth only if the link reveals it."""
    asked, answer = view.asked, view.answer
    reader = state.reader(asked.store, answer.change)
    truth = (
        rank_neighbors(asked.store, answer, reader=reader) if asked.view["reveal"] == ON else None
    )
    return Look(inspect_neighbors(asked.store, answer), truth)


def headline(view: Answered, look: Look) -> None:
    """The verdict, and what was decided on the way."""
    asked, answer = view.asked, view.answer
    found = verdict(asked.store, answer, reader=state.reader(asked.store, answer.change))
    if asked.view["reveal"] != ON:
        found = type(found)(found.agreement, found.agreement_beats, math.nan, found.n_draws)
    sentences = [sections.verdict_sentence(answer, found)]
    if look.truth is not None and len(look.truth.rank):
        best = int(look.truth.rank.min())
        middle = int(pd.Series(look.truth.rank).median())
        sentences.append(
            f"By their likeness to the truth, the picks rank from <b>{best}</b> to "
            f"<b>{int(look.truth.rank.max())}</b> of {look.truth.n_candidates:,} candidates "
            f"(median {middle}; random picks: about {(look.truth.n_candidates + 1) // 2})."
        )
    html(pieces.lead(filter(None, sentences)) + sections.remarks(asked, answer))


def editor(view: Answered) -> None:
    """Drop one, add one, go back; and lift the veil from the truth."""
    asked, answer, base = view.asked, view.answer, view.base
    question = asked.question
    offered = [*base.drugs, *(drug for drug in question.add if drug not in base.drugs)]
    used = [drug for drug in offered if drug not in question.drop]
    label = selector_words(base.selector).title
    html(
        pieces.section(
            "Who is averaged",
            f"Chosen by {label}. Click one to drop it or take it back; the prediction and its "
            "link follow at once.",
        )
    )
    st.session_state["used"] = used
    st.pills(
        "Neighbours averaged",
        offered,
        selection_mode="multi",
        key="used",
        format_func=literal,
        on_change=_used,
        args=(offered, base.drugs, question.add),
        label_visibility="collapsed",
    )
    others = [drug for drug in answer.pool.drugs if drug not in offered]
    known = state.mechanisms(asked.store)
    add, undo, veil = st.columns([3, 1, 2], vertical_alignment="bottom")
    st.session_state["another"] = None
    add.selectbox(
        "Add a neighbour",
        others,
        index=None,
        key="another",
        placeholder=f"One of {count(len(others), 'other drug')} measured here",
        format_func=lambda drug: " · ".join(filter(None, (drug, known[drug]))),
        on_change=_add,
        args=(question.add,),
        filter_mode="contains",
    )
    undo.button(
        "Undo edits",
        key="undo",
        disabled=not question.edited,
        on_click=asking.edit,
        kwargs={"drop": (), "add": ()},
    )
    st.session_state["revealed"] = asked.view["reveal"] == ON
    veil.toggle(
        "Reveal the truth",
        key="revealed",
        disabled=answer.measured is None,
        help="How like each pick is to the measured change, and its rank among all candidates. "
        "Nothing of it was known to the prediction."
        if answer.measured is not None
        else f"{question} was not measured: there is nothing to reveal.",
        on_change=_reveal,
    )


def rows(view: Answered, look: Look) -> None:
    """Each neighbour's reason beside its annotation."""
    asked, answer = view.asked, view.answer
    html(
        pieces.section(
            "Reasons and what the data say",
            "Mechanisms and targets as annotated, with the source of the annotation; a reason that "
            "speaks of another mechanism is marked.",
        )
    )
    neighbor_cards.forms(asked, answer)
    if not answer.retrieval.neighbors:
        html(pieces.caption("No neighbour is left: take one back or add one above."))
        return
    cards = neighbor_cards.cards(asked.store, answer)
    shown = [
        _row(view, look, place, neighbor, card)
        for place, (neighbor, card) in enumerate(
            zip(answer.retrieval.neighbors, cards, strict=True)
        )
    ]
    html(row_list(shown))
    judging.form(asked.store, answer)
    if answer.retrieval.rejected:
        neighbor_cards.refused(answer.retrieval.rejected)
    _left_out(view)


def _left_out(view: Answered) -> None:
    """Drugs of the pool with the query's mechanism that were not chosen, by the annotation."""
    pool = view.answer.pool
    annotations = {drug: annotation(view, drug) for drug in (pool.query.drug, *pool.drugs)}
    found = expected_not_chosen(pool, set(view.answer.retrieval.drugs), annotations)
    if not found:
        return
    own = annotations[pool.query.drug]
    words = f"{count(len(found), 'drug')} measured here {'share' if len(found) > 1 else 'shares'}"
    words += f" a mechanism with {pool.query.drug} ({listed(labels(own.tags))}; {own.source})."
    rows = [(one.drug, f"{listed(labels(one.mechanisms))} ({one.source})") for one in found]
    with st.expander(f"Expected but not chosen: {count(len(found), 'drug')}"):
        html(pieces.caption(words) + pieces.facts(rows))


def numbers(view: Answered, look: Look) -> None:
    """How alike the neighbours are, and what each is worth, as a figure, a table and files."""
    asked, answer = view.asked, view.answer
    drugs = answer.retrieval.drugs
    if not drugs:
        return
    drawn = neighbor_heatmap.show(view, revealed=asked.view["reveal"] == ON)
    table = _table(view, look)
    html(
        pieces.section(
            "What each is worth",
            "Left out: how far the prediction moves without it, as a share of its length."
            + " Gain: what it adds to the Pearson r with the truth." * bool(look.truth),
        )
    )
    st.dataframe(
        table.drop(columns=["reason", "mechanism", "targets", "source"]),
        hide_index=True,
        height=min(420, 35 * (len(table) + 1) + 3),
        column_config={
            "left out": st.column_config.NumberColumn(format="percent"),
            "agreement": SCORE,
            "structure": SCORE,
            "r with truth": SCORE,
            "gain": st.column_config.NumberColumn(format="%+.3f"),
        },
        key="worth",
    )
    download(table, f"neighbours {asked.question}")
    html(
        pieces.section(
            "How alike they are",
            f"Pearson r of their measured changes, n = {answer.n_panel:,} genes; by rank.",
        )
    )
    figure = compare_figures.similarity_heatmap(drugs, look.seen.alike)
    chart(figure, "alike", f"How alike {count(len(drugs), 'neighbour')} are, pair by pair.")
    figure_downloads({**drawn, "Likeness": figure})


# -- callbacks -------------------------------------------------------------------------------------


def _used(offered: list[str], base: tuple[str, ...], added: tuple[str, ...]) -> None:
    kept = set(st.session_state["used"])
    drop = tuple(drug for drug in offered if drug not in kept and drug in base)
    asking.edit(drop=drop, add=tuple(drug for drug in added if drug in kept))


def _add(added: tuple[str, ...]) -> None:
    drug = st.session_state["another"]
    if drug is not None:
        asking.edit(add=(*added, drug))


def _reveal() -> None:
    links.keep({"reveal": ON if st.session_state["revealed"] else ""})
    links.picked()


# -- what is said ----------------------------------------------------------------------------------


def _row(view: Answered, look: Look, place: int, neighbor: Neighbor, card: Card) -> Row:
    known = annotation(view, neighbor.drug)
    claims = claims_of(view, neighbor)
    against = dict.fromkeys(
        one.claim.what
        for one in claims
        if one.claim.kind is ClaimKind.MECHANISM and one.verdict is Verdict.CONTRADICTED
    )
    facts = [dose_words(card.dose_um)]
    facts += [count(card.n_cells, "cell")] if card.n_cells is not None else []
    facts += ["few cells"] if card.underpowered else []
    facts += [count(card.n_plates, "plate")] if card.n_plates is not None else []
    structure = look.seen.structure[place]
    facts += [f"structure alike {structure:.2f}"] if math.isfinite(structure) else []
    shift = look.seen.shift[place]
    facts += [f"left out, the prediction moves by {shift:.0%}"] if math.isfinite(shift) else []
    revealed = []
    if look.truth is not None:
        truth = look.truth
        rank = f"true rank {truth.rank[place]} of {truth.n_candidates:,}"
        r = truth.r[place]
        likeness = f"{rank} (r {r:.2f} with the truth)"
        revealed = [
            likeness if math.isfinite(r) else "no specific change to compare with the truth"
        ]
    return Row(
        rank=neighbor.rank,
        drug=neighbor.drug,
        picture=card.picture,
        reason=neighbor.rationale,
        annotated=_annotated(known),
        facts=facts,
        revealed=revealed,
        against=listed(labels(against)),
        claims=[_claim_words(one, view) for one in claims],
        twin_of=neighbor.same_parent_as,
        stated=() if neighbor.structured is None else neighbor.structured.in_words(),
    )


def _claim_words(one: CheckedClaim, view: Answered) -> str:
    """A claim and its verdict; what the query's own change says stays veiled with the truth."""
    claim = one.claim
    if claim.kind is ClaimKind.MECHANISM:
        what = f"{claim.subject}: {state.book().mechanism(claim.what).label}"
    else:
        what = str(claim)
    query = view.answer.retrieval.query.drug
    if claim.rests_on_change_of(query) and view.asked.view["reveal"] != ON:
        return f"{what}: hidden with the truth"
    place = "" if one.rank is None else f" (rank {one.rank:,} of {one.n_genes:,} by change)"
    return f"{what}: {one.verdict.label}{place}"


def _annotated(known: Annotation) -> list[tuple[str, str]]:
    return [
        ("mechanism", listed(labels(known.tags)) or "unclear"),
        ("targets", ", ".join(known.targets) or "none known"),
        ("source", known.source),
    ]


def _agreement(alike: FloatArray) -> FloatArray:
    """The mean correlation of each with the others, of those that have one; NaN without any."""
    n_others = np.isfinite(alike).sum(axis=1) - 1
    sums = np.nansum(alike, axis=1) - np.diag(alike)
    return np.divide(sums, n_others, out=np.full(len(alike), np.nan), where=n_others > 0)


def _table(view: Answered, look: Look) -> pd.DataFrame:
    neighbors = view.answer.retrieval.neighbors
    n = len(neighbors)
    known = [annotation(view, neighbor.drug) for neighbor in neighbors]
    others = _agreement(look.seen.alike) if n > 1 else [math.nan]
    columns = {
        "rank": [neighbor.rank for neighbor in neighbors],
        "drug": [neighbor.drug for neighbor in neighbors],
        "left out": look.seen.shift,
        "agreement": others,
        "structure": look.seen.structure,
    }
    if look.truth is not None:
        columns["r with truth"] = look.truth.r
        columns["true rank"] = look.truth.rank
        columns["gain"] = look.truth.gain
    columns["reason"] = [neighbor.rationale for neighbor in neighbors]
    columns["mechanism"] = [listed(labels(note.tags)) or "unclear" for note in known]
    columns["targets"] = [", ".join(note.targets) for note in known]
    columns["source"] = [note.source for note in known]
    return pd.DataFrame(columns)
