"""The sections of the prediction page, in the order in which they are read."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core import figures, metrics
from lgr_core.answer import Answer
from lgr_core.atlas.store import AtlasStore
from lgr_core.comparison import Verdict
from lgr_core.domain import Evidence, IntArray, Neighbor
from pages.shared import pieces, state
from pages.shared.pickers import Asked
from pages.shared.recipes import methods_paragraph, python_lines, shell_line
from pages.shared.taking import chart
from pages.shared.widgets import html
from pages.shared.words import (
    EVIDENCE_WORDS,
    HEADLINE_METRICS,
    agree_words,
    at_dose,
    count,
    dose_words,
    selector_words,
    share,
)

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOP = 10
"""Genes shown each way."""

CARDS = 10
"""Neighbours shown at once; the others wait behind a click."""


def title(asked: Asked) -> None:
    """What was asked, with the drug's structure."""
    store, question = asked.store, asked.question
    html(
        pieces.headline(
            question.drug,
            question.cell_line,
            question.dose_um,
            mechanism=state.mechanisms(store)[question.drug],
            picture=picture(store, question.drug),
        )
    )


def headline(
    asked: Asked, answer: Answer, reference: Mapping[str, float], verdict: Verdict
) -> None:
    """What was asked, and the answer in a few sentences."""
    title(asked)
    sentences = [
        _answer_sentence(answer),
        _truth_sentence(answer, reference),
        verdict_sentence(answer, verdict),
    ]
    html(pieces.lead(filter(None, sentences)) + remarks(asked, answer))


def remarks(asked: Asked, answer: Answer) -> str:
    """How the question was read and answered, as far as it must be said."""
    novel = _novel_notes(asked, answer)
    control = _control_note(asked.question.selector)
    return pieces.notes((*asked.notes, *novel, *control, *answer.notes))


def neighbors(asked: Asked, answer: Answer) -> None:
    """The neighbours as cards, then what was proposed and not believed."""
    retrieval, question = answer.retrieval, asked.question
    how = selector_words(retrieval.selector)
    html(
        pieces.section(
            count(retrieval.k_used, "neighbour") if retrieval.k_used else "No neighbour",
            f"Chosen by {how.title} from {count(retrieval.pool_size, 'other drug')} measured in "
            f"{question.cell_line} {at_dose(question.dose_um)}. {'' if how.control else how.line}",
        )
    )
    shown = cards(asked.store, answer)
    if shown:
        html(pieces.cards(shown[:CARDS]))
    if len(shown) > CARDS:
        with st.expander(f"{len(shown) - CARDS} more neighbours"):
            html(pieces.cards(shown[CARDS:]))
    if retrieval.rejected:
        with st.expander(f"{count(len(retrieval.rejected), 'proposal')} not believed, and why"):
            html(pieces.rejected(retrieval.rejected))


def top_genes(asked: Asked, answer: Answer) -> Figure:
    """The genes that are predicted to change most, with every neighbour behind them."""
    html(
        pieces.section(
            "Genes that change most",
            f"Up to {TOP} genes each way, of {len(answer.genes):,}, by their predicted change. "
            + _noise_words(len(answer.neighbor_deltas)),
        )
    )
    up, down = _strongest(answer)
    rows = np.concatenate([up, down])
    figure = figures.top_genes(
        answer.genes[rows],
        answer.prediction.delta[rows],
        answer.neighbor_deltas[:, rows],
        answer.retrieval.drugs,
        kind=asked.store.value_kind,
        measured=None if answer.measured is None else answer.measured[rows],
    )
    words = f"Bars: predicted change of the strongest genes for {asked.question}."
    chart(figure, "top_genes", words)
    return figure


def changes(asked: Asked, answer: Answer) -> dict[str, Figure]:
    """The strongest genes, and beside them the truth where it is known: the figures drawn."""
    if answer.measured is None:
        drawn = {"Genes": top_genes(asked, answer)}
        against_truth(asked, answer)
        return drawn
    genes, truth = st.columns([11, 10], gap="large")
    with genes:
        drawn = {"Genes": top_genes(asked, answer)}
    with truth:
        return {**drawn, **against_truth(asked, answer)}


def against_truth(asked: Asked, answer: Answer) -> dict[str, Figure]:
    """Predicted against measured change, or the plain sentence that there is no truth."""
    n = len(answer.genes)
    if answer.measured is None:
        html(
            pieces.section("Predicted and measured change")
            + pieces.caption(
                f"Not measured: this atlas holds no measured change of {asked.question}. "
                f"The prediction stands for itself (n = {n:,} genes)."
            )
        )
        return {}
    html(
        pieces.section(
            "Predicted and measured change",
            f"One point a gene, n = {n:,}. On the dotted line, prediction and measurement agree.",
        )
    )
    figure = figures.predicted_vs_measured(
        answer.genes,
        answer.prediction.delta,
        answer.measured,
        figures.direction(answer.prediction.delta, answer.neighbor_deltas),
        kind=asked.store.value_kind,
    )
    words = f"Predicted against measured change of {n:,} genes for {asked.question}."
    chart(figure, "scatter", words)
    return {"Scatter": figure}


def scores(asked: Asked, answer: Answer, reference: Mapping[str, float]) -> None:
    """The metrics in plain words, beside those of the pool mean."""
    if answer.metrics is None:
        return
    unit = asked.store.value_kind.label
    html(
        pieces.section(
            "How well it fits",
            f"Predicted against measured change over n = {answer.n_panel:,} genes. Beside it the "
            f"pool mean: the mean of all {count(len(answer.pool.drugs), 'other drug')} in "
            f"{asked.question.cell_line}, which knows nothing of {asked.question.drug}.",
        )
        + pieces.metric_table(answer.metrics, reference, HEADLINE_METRICS, unit)
    )
    rest = [name for name in answer.metrics if name not in HEADLINE_METRICS]
    with st.expander(f"{len(rest)} more metrics"):
        html(pieces.metric_table(answer.metrics, reference, rest, unit))


def provenance(asked: Asked, answer: Answer) -> None:
    """How the answer was made, and the lines that make it again."""
    with st.expander("How was this made?"):
        html(pieces.facts(_provenance(answer)))
        html(pieces.caption("In Python, with LGR_HOME as this app has it:"))
        st.code(python_lines(asked.question, answer), language="python")
        shell = shell_line(asked.question, answer)
        if shell:
            html(pieces.caption("In a shell:"))
            st.code(shell, language="shell", wrap_lines=True)
        html(pieces.caption("In words, for a methods section:"))
        st.code(methods_paragraph(asked, answer), language=None, wrap_lines=True)


def pool_mean_scores(answer: Answer) -> Mapping[str, float]:
    """The metrics of the line's pool mean; none without a truth."""
    if answer.measured is None:
        return {}
    panel = slice(None, answer.n_panel)
    mean = answer.pool_mean[None, panel]
    found = metrics.score(mean, answer.measured[None, panel], line_mean=mean)
    return {name: float(values[0]) for name, values in found.items()}


# -- what is said ----------------------------------------------------------------------------------


def _answer_sentence(answer: Answer) -> str:
    retrieval = answer.retrieval
    up, down = (answer.genes[rows].tolist() for rows in _strongest(answer))
    who = (
        f"The mean of the {count(retrieval.k_used, 'neighbour')}’ measured changes"  # noqa: RUF001
        if retrieval.k_used > 1
        else "The measured change of the one neighbour"
        if retrieval.k_used
        else f"With no neighbour, the mean of all {count(retrieval.pool_size, 'drug')} in the pool"
    )
    return (
        f"{who} predicts {pieces.genes(up[:3], 'up')} to go up most, "
        f"{pieces.genes(down[-3:][::-1], 'down')} to go down most."
    )


def _truth_sentence(answer: Answer, reference: Mapping[str, float]) -> str:
    if answer.metrics is None:
        return "It was not measured here, so nothing tells how good the prediction is."
    ours, mean = answer.metrics["pearson_delta"], reference["pearson_delta"]
    return (
        f"Against the measured change: Pearson r <b>{_r(ours)}</b> "
        f"(n = {answer.n_panel:,} genes); the mean of all "
        f"{count(len(answer.pool.drugs), 'other drug')} reaches {_r(mean)}."
    )


def verdict_sentence(answer: Answer, verdict: Verdict) -> str:
    """In one sentence: who was used, how well they agree, and how blind picks would have done."""
    retrieval = answer.retrieval
    if not retrieval.k_used:
        return ""
    parts = [f"<b>{retrieval.k_used} of {count(retrieval.k, 'neighbour')}</b> used"]
    if math.isfinite(verdict.agreement):
        parts.append(
            f"they agree {agree_words(verdict.agreement)} (mean Pearson r of their pairs "
            f"{verdict.agreement:.2f}; {share(verdict.agreement_beats)} of random picks agree less)"
        )
    blind = f"{verdict.n_draws:,} random picks from the same pool"
    if verdict.beats is None:
        parts.append("whether the prediction is right is not known")
    elif math.isfinite(verdict.beats):
        parts.append(f"better than <b>{share(verdict.beats)}</b> of {blind}, by Pearson r")
    return f"{'; '.join(parts)}."


def _novel_notes(asked: Asked, answer: Answer) -> tuple[str, ...]:
    if asked.question.novel is None:
        return ()
    known = bool(asked.store.annotations[asked.question.drug]["smiles"])
    words = "Its structure was standardised" if known else "No structure is known of it"
    twins = "" if answer.pool.twins else "; no drug of the atlas is the same compound"
    return (f"{asked.question.drug} is not in this atlas. {words}{twins}.",)


def _noise_words(n: int) -> str:
    if n < figures.FEWEST_FOR_SPREAD:
        return f"Of {count(n, 'neighbour')} no spread is known: none is called noise."
    return f"Grey: within 2 standard errors of zero over the {n} neighbours."


def _r(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else "undefined"


def _control_note(selector: str) -> tuple[str, ...]:
    words = selector_words(selector)
    return (f"{words.label} is a control, not a method. {words.line}",) if words.control else ()


def _strongest(answer: Answer) -> tuple[IntArray, IntArray]:
    """Columns of the genes that go up most and down most, from the highest to the lowest value."""
    delta = answer.prediction.delta
    order = np.argsort(-delta, kind="stable")
    up, down = order[:TOP], order[-TOP:]
    return up[delta[up] > 0], down[delta[down] < 0]


def cards(store: AtlasStore, answer: Answer) -> list[pieces.Card]:
    """What is shown of each neighbour, best first."""
    query = answer.pool.query
    rows = store.rows(query.cell_line, answer.retrieval.drugs, query.dose_um)
    plates = store.plates.loc[store.plates["condition"].isin(rows.tolist())]
    n_plates = plates.groupby("condition")["plate"].nunique().to_dict()
    mechanisms = state.mechanisms(store)
    return [
        _card(store, neighbor, row, n_plates.get(row), mechanisms[neighbor.drug])
        for neighbor, row in zip(answer.retrieval.neighbors, rows.tolist(), strict=True)
    ]


def _card(
    store: AtlasStore, neighbor: Neighbor, row: int, n_plates: int | None, mechanism: str
) -> pieces.Card:
    record = store.conditions.iloc[row]
    n_cells = record.get("n_cells")
    return pieces.Card(
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


def _provenance(answer: Answer) -> list[tuple[str, str]]:
    made, query = answer.provenance, answer.pool.query
    evidence = [EVIDENCE_WORDS[Evidence(name)] for name in made["evidence"]]
    twins = ", ".join(made["twins_left_out"])
    return [
        ("question", f"{query.drug} in {query.cell_line}, {dose_words(query.dose_um)}"),
        ("atlas", f"{made['atlas']}, {'simulated' if made['simulated'] else 'measured'}"),
        ("build id", made["build_id"]),
        ("method", made["method"]),
        ("evidence read", "; ".join(evidence)),
        ("neighbours combined by", made["aggregate"]),
        ("selector says", json.dumps(made["selector"], ensure_ascii=False, default=str)),
        ("left out as the same compound", twins or "none"),
        ("mechanism labels", "written by a language model or by the atlas's source: see data/"),
        ("made with", f"lgr-explorer {made['lgr_version']}"),
    ]
