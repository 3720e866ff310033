"""A heatmap of genes by lines or drugs: arrays in, a plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.drugs import short
from lgr_core.figures.prediction import DOWN, UP, with_layout

MIDDLE = "#f2f4f5"
"""The colour of no change in a heatmap."""

_ROW, _HEAD, _NAMES_FOOT, _LONGEST, _NAMED = 17, 30, 118, 16, 56
_WIDEST, _NARROWEST = 150, 70
_CLIPPED = 98
"""The percentile of absolute changes at which the colours of a heatmap end."""


def gene_heatmap(
    genes: Sequence[str],
    columns: Sequence[str],
    values: FloatArray,
    *,
    title: str,
    named: bool = True,
) -> go.Figure:
    """Genes from the top down by lines or drugs, (n_genes, n_columns): up red, down blue.

    Above 56 columns, or unless ``named``, columns are named by hovering only. ``title`` says what
    the numbers are.
    """
    end = float(np.percentile(np.abs(values), _CLIPPED)) or 1.0
    named = named and len(columns) <= _NAMED
    figure = go.Figure(
        go.Heatmap(
            z=values,
            customdata=np.array([[escape(name) for name in columns]] * len(genes), dtype=object),
            colorscale=[[0.0, DOWN], [0.5, MIDDLE], [1.0, UP]],
            zmin=-end,
            zmax=end,
            xgap=1 if named else 0,
            ygap=1,
            colorbar={"thickness": 10, "title": {"text": escape(title), "side": "right"}},
            hovertemplate="<b>%{y}</b>, %{customdata}: %{z:.3g}<extra></extra>",
        )
    )
    figure.update_xaxes(
        tickmode="array",
        tickvals=list(range(len(columns))) if named else [],
        ticktext=[escape(short(name, _LONGEST)) for name in columns] if named else [],
        tickangle=-60,
        ticks="",
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(genes))),
        ticktext=[escape(short(gene, _LONGEST)) for gene in genes],
        range=[len(genes) - 0.5, -0.5],
        ticks="",
        showgrid=False,
        zeroline=False,
    )
    foot = _NAMES_FOOT if named else _HEAD
    longest = max((len(gene) for gene in genes), default=0)
    left = min(max(20 + 8 * longest, _NARROWEST), _WIDEST)
    height = _HEAD + foot + _ROW * max(len(genes), 6)
    drawn = with_layout(figure, height=height, left=left, head=12, right=86)
    return drawn.update_layout(margin={"b": foot, "pad": 2})
