"""A heat map of genes in drugs: rows that are set apart above, neighbours below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.comparison import escape
from lgr_core.figures.prediction import DOWN, FOOT, UP, with_layout

_CELL, _HEAD, _GENES = 24, 20, 62
_LONGEST_NAME, _WIDEST_NAMES = 26, 210
_SCALE = [(0, DOWN), (0.5, "rgba(141,153,163,0.10)"), (1, UP)]


def gene_heatmap(
    genes: Sequence[str],
    above: Mapping[str, FloatArray],
    drugs: Sequence[str],
    changes: FloatArray,
    *,
    title: str,
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
    title
        What the numbers are: the title of the colour bar.
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
                x=list(range(len(genes))),
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
                colorbar={"thickness": 12, "len": 0.9, "title": {"text": title, "side": "right"}},
            )
        )
    figure.update_xaxes(
        tickvals=list(range(len(genes))),
        ticktext=[escape(gene) for gene in genes],
        tickangle=-90,
        zeroline=False,
    )
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
    figure = with_layout(figure, height=height, left=left, head=_HEAD, right=84)
    figure.layout.margin.b = FOOT + _GENES - 30
    return figure


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
