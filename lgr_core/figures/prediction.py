"""Figures: arrays in, plotly figures out. Nothing here knows who shows them.

Colours read on light and on dark ground and to the colour-blind: up red, down blue, grey where the
neighbours do not agree that there is a change. Words are dark; a dark page colours them itself.
Names come from files and models, and plotly reads a little HTML: every name is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray, IntArray, ValueKind
from lgr_core.prediction.significance import direction

UP, DOWN, NOISE = "#d6604d", "#4393c3", "#8d99a3"
"""The colours of a change: up, down, within the neighbours' noise."""

NEIGHBOR, TRUTH = "#7c8893", "#d99a00"
"""The colours of a neighbour's own change and of the measured change asked about."""

_MANY_POINTS, _LABELS = 5_000, 10
_HEAD, FOOT, _ROW, _FEWEST_ROWS, _WIDEST_NAMES = 70, 66, 23, 5, 170
_HEIGHT = _HEAD + FOOT + 20 * _ROW
_FONT = {"family": '"Source Sans", system-ui, sans-serif', "size": 12, "color": "#1d2a33"}
_FAINT, _CLEAR = "rgba(128,140,150,0.25)", "rgba(0,0,0,0)"


def top_genes(
    genes: Sequence[str],
    predicted: FloatArray,
    neighbor_deltas: FloatArray,
    neighbors: Sequence[str],
    *,
    kind: ValueKind,
    measured: FloatArray | None = None,
) -> go.Figure:
    """Bars of the predicted change, over them the measured change of each neighbour as a dot.

    Parameters
    ----------
    genes
        (n_genes,) names, drawn from the top down.
    predicted
        (n_genes,) predicted change.
    neighbor_deltas
        (n, n_genes) measured change of each neighbour, best first.
    neighbors
        (n,) their names.
    kind
        What the numbers are: the axis title.
    measured
        (n_genes,) measured change of the condition asked about, where it is known.
    """
    rows = np.arange(len(genes))
    figure = go.Figure(_bars(genes, predicted, neighbor_deltas, rows))
    if len(neighbors):
        figure.add_trace(_dots(genes, neighbor_deltas, neighbors, rows))
    if measured is not None:
        figure.add_trace(_diamonds(genes, measured, rows))
    figure.add_annotation(below(kind.label))
    figure.update_xaxes(zeroline=True, zerolinecolor=NOISE)
    figure.update_yaxes(
        tickmode="array",
        tickvals=rows.tolist(),
        ticktext=[escape(gene) for gene in genes],
        range=[len(genes) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    height = _HEAD + FOOT + _ROW * max(len(genes), _FEWEST_ROWS)
    longest = max((len(gene) for gene in genes), default=0)
    return dressed(figure, height=height, left=min(20 + 8 * longest, _WIDEST_NAMES))


def predicted_vs_measured(
    genes: Sequence[str],
    predicted: FloatArray,
    measured: FloatArray,
    directions: IntArray,
    *,
    kind: ValueKind,
    misses: bool = False,
) -> go.Figure:
    """One point a gene, predicted against measured change, with the line of equality.

    Parameters
    ----------
    genes
        (n_genes,) names; the strongest are written beside their points.
    predicted, measured
        (n_genes,) changes.
    directions
        (n_genes,) 1 up, -1 down, 0 within noise: the colours.
    kind
        What the numbers are: the axis titles.
    misses
        Name the genes farthest from the line of equality instead of the strongest.
    """
    figure = go.Figure()
    reach = 1.12 * float(max(np.abs(predicted).max(), np.abs(measured).max(), 1e-9))
    figure.add_shape(
        type="line", x0=-reach, y0=-reach, x1=reach, y1=reach, line={"color": NOISE, "dash": "dot"}
    )
    names = np.array([escape(gene) for gene in genes], dtype=object)
    trace = go.Scattergl if len(genes) > _MANY_POINTS else go.Scatter
    for rank, value, colour, words in (
        (3, 0, NOISE, "predicted change within noise"),
        (2, -1, DOWN, "predicted down"),
        (1, 1, UP, "predicted up"),
    ):
        here = directions == value
        figure.add_trace(
            trace(
                x=predicted[here],
                y=measured[here],
                customdata=names[here],
                mode="markers",
                name=f"{words} (n = {int(here.sum()):,})",
                legendrank=1000 + rank,
                marker={"color": colour, "size": 5, "opacity": 0.45 if value == 0 else 0.75},
                hovertemplate="<b>%{customdata}</b><br>predicted change %{x:+.2f}"
                "<br>measured change %{y:+.2f}<extra></extra>",
            )
        )
    weight = np.abs(predicted - measured if misses else np.abs(predicted) + np.abs(measured))
    figure.add_trace(_labels(names, predicted, measured, weight, reach))
    axis = {"range": [-reach, reach], "zeroline": True, "zerolinecolor": NOISE}
    figure.add_annotation(below(f"predicted change<br>{kind.label}"))
    figure.update_xaxes(**axis)
    figure.update_yaxes(title=f"measured change<br>{kind.label}", **axis)
    return dressed(figure, height=_HEIGHT, left=80)


# -- pieces ----------------------------------------------------------------------------------------


def _bars(
    genes: Sequence[str], predicted: FloatArray, neighbor_deltas: FloatArray, rows: IntArray
) -> go.Bar:
    colours = {1: UP, -1: DOWN, 0: NOISE}
    n = len(neighbor_deltas)
    mean = f"mean of {n} neighbours" if n > 1 else "of the one neighbour" if n else "fallback"
    return go.Bar(
        x=predicted,
        y=rows,
        orientation="h",
        width=0.66,
        marker={
            "color": [colours[d] for d in direction(predicted, neighbor_deltas).tolist()],
            "opacity": 0.7,
            "line": {"width": 0},
        },
        name=f"predicted change ({mean})",
        customdata=[escape(gene) for gene in genes],
        hovertemplate="<b>%{customdata}</b><br>predicted change %{x:+.2f}<extra></extra>",
    )


def _dots(
    genes: Sequence[str], neighbor_deltas: FloatArray, neighbors: Sequence[str], rows: IntArray
) -> go.Scatter:
    n = len(neighbors)
    shift = np.linspace(-0.24, 0.24, n) if n > 1 else np.zeros(1)
    labels = [f"{escape(drug)}, neighbour {i}" for i, drug in enumerate(neighbors, start=1)]
    return go.Scatter(
        x=neighbor_deltas.ravel(),
        y=(rows[None, :] + shift[:, None]).ravel(),
        mode="markers",
        marker={"color": NEIGHBOR, "size": 5.5, "opacity": 0.85, "line": {"width": 0}},
        name="measured change of each neighbour",
        customdata=[[label, escape(gene)] for label in labels for gene in genes],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}: measured change %{x:+.2f}"
        "<extra></extra>",
    )


def _diamonds(genes: Sequence[str], measured: FloatArray, rows: IntArray) -> go.Scatter:
    return go.Scatter(
        x=measured,
        y=rows,
        mode="markers",
        marker={
            "symbol": "diamond-open",
            "color": TRUTH,
            "size": 10,
            "line": {"width": 2.2, "color": TRUTH},
        },
        name="measured change of the drug itself",
        customdata=[escape(gene) for gene in genes],
        hovertemplate="<b>%{customdata}</b><br>measured change %{x:+.2f}<extra></extra>",
    )


def _labels(
    names: np.ndarray,
    predicted: FloatArray,
    measured: FloatArray,
    weight: FloatArray,
    reach: float,
) -> go.Scatter:
    """Names of the genes of most weight, leaving out those that would cover one another."""
    placed: list[int] = []
    for i in np.argsort(-weight, kind="stable")[:60].tolist():
        apart = all(
            abs(predicted[i] - predicted[j]) > 0.34 * reach
            or abs(measured[i] - measured[j]) > 0.1 * reach
            for j in placed
        )
        if apart and abs(predicted[i]) < 0.86 * reach:
            placed.append(i)
        if len(placed) == _LABELS:
            break
    return go.Scatter(
        x=predicted[placed],
        y=measured[placed],
        text=names[placed],
        mode="markers+text",
        marker={"size": 9, "opacity": 0},
        textposition=["top center" if measured[i] >= 0 else "bottom center" for i in placed],
        textfont={"size": 12},
        hoverinfo="skip",
        showlegend=False,
    )


def below(title: str) -> go.layout.Annotation:
    """The title of the x axis, set flush right: a centred one is cut where the figure is narrow."""
    return go.layout.Annotation(
        text=title,
        x=1,
        xref="paper",
        xanchor="right",
        y=0,
        yref="paper",
        yanchor="top",
        yshift=-22,
        align="right",
        showarrow=False,
        font={"size": 14},
    )


def dressed(
    figure: go.Figure, *, height: int, left: int, head: int = _HEAD, right: int = 12
) -> go.Figure:
    """The layout that all figures share; the page scrolls under a finger, the figure does not.

    Margins are fixed and labels unmeasured: to fit them, plotly draws every figure twice.
    """
    axis = {"automargin": False, "ticklabeloverflow": "allow", "gridcolor": _FAINT}
    figure.update_xaxes(showgrid=False, **axis)
    figure.update_yaxes(**axis)
    figure.layout.template = None
    return figure.update_layout(
        height=height,
        margin={"l": left, "r": right, "t": head, "b": FOOT, "pad": 8, "autoexpand": False},
        font=_FONT,
        hoverlabel={"font": _FONT},
        plot_bgcolor=_CLEAR,
        barmode="overlay",
        dragmode=False,
        hovermode="closest",
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",
            "yref": "paper",
            "itemsizing": "constant",
            "font": {"size": 13},
            "bgcolor": _CLEAR,
        },
        modebar={"bgcolor": _CLEAR, "color": NOISE, "activecolor": NEIGHBOR},
    )
