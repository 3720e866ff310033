"""The genes of a prediction as figures: the strongest, and predicted against measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lgr_core.answer import Answer
from lgr_core.answer.top_genes import directions, strongest_genes
from lgr_core.figures import intervals as evidence_figures
from lgr_core.figures import prediction as figures
from lgr_core.prediction.significance import FEWEST_FOR_SPREAD
from pages.shared import pieces
from pages.shared.charts import chart
from pages.shared.pickers import Asked
from pages.shared.widgets import html
from pages.shared.words import count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOP = 8
"""Genes shown each way."""


def top_genes(asked: Asked, answer: Answer, *, grey: bool) -> Figure:
    """The genes that are predicted to change most, with every neighbour behind them.

    ``grey`` draws all without a colour: no effect is claimed.
    """
    html(pieces.section("Genes up and down", _noise_words(answer)))
    return draw_top_genes(asked, answer, key="top_genes", grey=grey)


def draw_top_genes(asked: Asked, answer: Answer, *, key: str, grey: bool = False) -> Figure:
    """The figure of the strongest genes alone; ``key`` tells several on a page apart."""
    up, down = strongest_genes(answer, TOP)
    rows = np.concatenate([up, down])
    known = np.isfinite(answer.neighbor_deltas).all(axis=1) & (not answer.is_linear)
    figure = figures.top_genes(
        answer.genes[rows],
        answer.prediction.delta[rows],
        answer.neighbor_deltas[np.ix_(known, rows)],
        np.array(answer.retrieval.drugs, dtype=object)[known].tolist(),
        kind=asked.store.value_kind,
        measured=None if answer.measured is None else answer.measured[rows],
    )
    if answer.is_linear:
        evidence_figures.name_bars(figure, "predicted change (weighted sum)")
    if answer.trust is not None:
        widths = answer.trust.half_width[rows]
        evidence_figures.add_intervals(figure, widths)
        if answer.is_linear:
            evidence_figures.grey_unsure(figure, widths)
    if grey:
        evidence_figures.grey_all(figure)
    words = f"Bars: predicted change of the strongest genes for {asked.question}."
    chart(figure, key, words)
    return figure


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
        directions(answer),
        kind=asked.store.value_kind,
    )
    words = f"Predicted against measured change of {n:,} genes for {asked.question}."
    chart(figure, "scatter", words)
    return {"Scatter": figure}


def _noise_words(answer: Answer) -> str:
    interval = "" if answer.trust is None else " Thin lines: 90 % interval of each gene."
    if answer.is_linear:
        return f"{interval} Grey: it holds zero.".strip() if interval else ""
    n = len(answer.separable_neighbors)
    if n < FEWEST_FOR_SPREAD:
        return f"Of {count(n, 'neighbour')} no spread is known: none is called noise.{interval}"
    return f"Grey: within noise.{interval}"
