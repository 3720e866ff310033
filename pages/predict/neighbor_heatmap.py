"""The neighbours' own changes of the strongest genes, as a heat map below the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lgr_core.answer.neighbor_genes import neighbor_genes
from lgr_core.domain import Change
from lgr_core.figures.neighbor_heatmap import neighbor_heatmap
from pages.shared import pieces
from pages.shared.asking import Answered
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOP = 15
"""Genes shown each way."""


def show(view: Answered, *, revealed: bool) -> dict[str, Figure]:
    """Draw the map; the measured change is a row of it where the truth is revealed."""
    asked, answer = view.asked, view.answer
    if not len(answer.separable_neighbors):
        return {}
    found = neighbor_genes(answer, TOP)
    kind = " specific" if answer.change is Change.SPECIFIC else ""
    hidden = answer.measured is not None and not revealed
    html(
        pieces.section(
            "Gene by gene",
            f"The{kind} change of the {count(len(found.genes), 'gene')} predicted to change most, "
            f"in each neighbour ({asked.store.value_kind.label}). Drugs and genes that are alike "
            "stand side by side." + " Reveal the truth above to see the measured change." * hidden,
        )
    )
    above = {"Prediction": found.predicted}
    if revealed and found.measured is not None:
        above["Measured"] = found.measured
    figure = neighbor_heatmap(found.genes, above, found.drugs, found.changes)
    words = (
        f"Changes of {count(len(found.genes), 'gene')} in {count(len(found.drugs), 'neighbour')}"
    )
    chart(figure, "gene_map", f"{words} beside the prediction for {asked.question}.")
    return {"Gene map": figure}
