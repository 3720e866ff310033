"""The genes of a prediction as figures: the strongest, and predicted against measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from lgr_core import evidence_figures, figures
from lgr_core.answer import Answer
from lgr_core.domain import BoolArray, IntArray
from pages.shared import pieces
from pages.shared.charts import chart
from pages.shared.method_words import weighs_all
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOP = 10
"""Genes shown each way."""


def top_genes(asked: Asked, answer: Answer) -> Figure:
    """The genes that are predicted to change most, with every neighbour behind them."""
    html(
        pieces.section(
            "Genes that change most",
            f"Up to {TOP} genes each way, of {len(answer.genes):,}, by their predicted change. "
            + _noise_words(answer),
        )
    )
    up, down = strongest(answer)
    rows = np.concatenate([up, down])
    shown = slice(0, 0) if weighs_all(answer) else slice(None)
    figure = figures.top_genes(
        answer.genes[rows],
        answer.prediction.delta[rows],
        answer.neighbor_deltas[shown, rows],
        answer.retrieval.drugs[shown],
        kind=asked.store.value_kind,
        measured=None if answer.measured is None else answer.measured[rows],
    )
    if weighs_all(answer):
        evidence_figures.name_bars(figure, "predicted change (weighted sum)")
    if answer.trust is not None:
        widths = answer.trust.half_width[rows]
        evidence_figures.add_intervals(figure, widths)
        if weighs_all(answer):
            evidence_figures.grey_unsure(figure, widths)
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
        _directions(answer),
        kind=asked.store.value_kind,
    )
    words = f"Predicted against measured change of {n:,} genes for {asked.question}."
    chart(figure, "scatter", words)
    return {"Scatter": figure}


def strongest(answer: Answer, *, sure: bool = False) -> tuple[IntArray, IntArray]:
    """Columns of the genes that go up most and down most, from the highest to the lowest value.

    With ``sure``, only of those that are not within noise.
    """
    delta = answer.prediction.delta
    ways = _directions(answer) if sure else np.sign(delta)
    order = np.argsort(-delta, kind="stable")
    return order[ways[order] > 0][:TOP], order[ways[order] < 0][-TOP:]


def _directions(answer: Answer) -> IntArray:
    """Which way each gene is predicted to go, (n_genes,), 0 within noise."""
    delta = answer.prediction.delta
    if not weighs_all(answer):
        return figures.direction(delta, answer.neighbor_deltas)
    sign = np.sign(delta).astype(np.intp)
    return sign if answer.trust is None else np.where(_unsure(answer), 0, sign)


def _unsure(answer: Answer) -> BoolArray:
    """(n_genes,) whether a gene's 90 % interval holds 0."""
    return np.abs(answer.prediction.delta) <= answer.trust.half_width


def _noise_words(answer: Answer) -> str:
    n = len(answer.neighbor_deltas)
    interval = "" if answer.trust is None else " Thin lines: 90 % interval of each gene."
    if weighs_all(answer):
        return f"{interval} Grey: it holds zero.".strip() if interval else ""
    if n < figures.FEWEST_FOR_SPREAD:
        words = f"Of {count(n, 'neighbour')} no spread is known: none is called noise."
        return words + interval
    return f"Grey: within 2 standard errors of zero over the {n} neighbours.{interval}"
