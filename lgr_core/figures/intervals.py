"""Intervals on a figure of predicted genes."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.prediction import NOISE

_LINE = "#5d6a74"


def name_bars(figure: go.Figure, words: str) -> go.Figure:
    """Add a legend to the bars of a figure of top genes without neighbours."""
    figure.data[0].name = words
    return figure


def add_intervals(figure: go.Figure, half_width: FloatArray) -> go.Figure:
    """Draw the 90 % interval of each bar of a figure of top genes, (n_genes,) about its end."""
    bars = figure.data[0]
    bars.error_x = {
        "type": "data",
        "array": half_width.tolist(),
        "color": _LINE,
        "thickness": 1.4,
        "width": 3,
    }
    bars.customdata = [
        [gene, f"± {width:.2f} (90 % interval)"]
        for gene, width in zip(bars.customdata, half_width, strict=True)
    ]
    bars.hovertemplate = (
        "<b>%{customdata[0]}</b><br>predicted change %{x:+.2f} %{customdata[1]}<extra></extra>"
    )
    return figure


def grey_unsure(figure: go.Figure, half_width: FloatArray) -> go.Figure:
    """Grey out bars whose interval, (n_genes,) about their ends, contains 0."""
    bars = figure.data[0]
    unsure = np.abs(np.asarray(bars.x)) <= half_width
    colours = np.asarray(bars.marker.color, dtype=object)
    bars.marker.color = np.where(unsure, NOISE, colours).tolist()
    return figure


def grey_all(figure: go.Figure) -> go.Figure:
    """Grey out every bar: no effect is claimed."""
    figure.data[0].marker.color = NOISE
    return figure
