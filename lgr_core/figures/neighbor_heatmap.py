"""A heat map of genes in drugs: rows that are set apart above, neighbours below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.comparison import escape
from lgr_core.figures.prediction import DOWN, FOOT, UP, with_layout

_CELL, _HEAD, _GENES = 24, 44, 62
_LONGEST_NAME, _WIDEST_NAMES = 20, 160
_COLOURBAR = {
    "orientation": "h",
    "thickness": 10,
    "len": 0.6,
    "x": 1,
    "xanchor": "right",
    "y": 1,
    "yanchor": "bottom",
    "nticks": 5,
}
_SCALE = [(0, DOWN), (0.5, "rgba(141,153,163,0.10)"), (1, UP)]


def neighbor_heatmap(
    genes: Sequence[str],
    above: Mapping[str, FloatArray],
    drugs: Sequence[str],
    changes: FloatArray,
) -> go.Figure:
    """Changes of genes, blue down and red up, on one scale that is the same both ways.

    Parameters
    ----------
    genes
        (n_genes,) names, from the left to the right.
    above
        Rows of (n_genes,) above the others by name, with a gap below them: prediction, truth.
    drugs, changes
        (n,) names and their (n, n_genes) changes.
    """
    names = [*above, *drugs]
    values = np.vstack([*above.values(), changes])
    places = [*range(len(above)), *(len(above) + 0.5 + row for row in range(len(drugs)))]
    reach = float(np.abs(values).max(initial=0.0)) or 1.0
    figure = go.Figure()
    for start, end, shown in ((0, len(above), True), (len(above), len(names), False)):
        if start == end:
            continue
        figure.add_trace(
            go.Heatmap(
                z=values[start:end],
                x=[escape(gene) for gene in genes],
                y=places[start:end],
                zmin=-reach,
                zmax=reach,
                colorscale=_SCALE,
                customdata=[
                    [[escape(name), escape(g)] for g in genes] for name in names[start:end]
                ],
                hovertemplate="<b>%{customdata[1]}</b><br>%{customdata[0]}: %{z:+.2f}"
                "<extra></extra>",
                xgap=1,
                ygap=1,
                showscale=shown,
                colorbar=_COLOURBAR,
            )
        )
    # No list of ticks: where genes are too narrow for their names, plotly leaves some out.
    figure.update_xaxes(type="category", tickangle=-90, zeroline=False)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[escape(_short(name)) for name in names],
        range=[len(names) + 0.1, -0.6],
        showgrid=False,
        zeroline=False,
    )
    longest = max((len(_short(name)) for name in names), default=0)
    height = _HEAD + FOOT + _GENES + _CELL * (len(names) + 1)
    left = min(20 + 7 * longest, _WIDEST_NAMES)
    figure = with_layout(figure, height=height, left=left, head=_HEAD)
    figure.layout.margin.b = FOOT + _GENES - 30
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
