"""Figures of a comparison: strips of scores, and similarity of neighbours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape as html_escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.prediction import DOWN, FOOT, NEIGHBOR, NOISE, UP, with_layout, x_title

escape = partial(html_escape, quote=False)
"""Names as plotly's little HTML shows them; it does not decode quotes."""

OURS, OTHER = "#2b8cbe", "#cc79a7"
"""The colours of the prediction shown and of the one it is held against."""

BAND = (2.5, 97.5)
"""Percentiles that the random band spans."""

_ROW, _LEGEND_ROW, _CELL = 60, 30, 30
_TICKS = tuple(
    f"{shape}-open"
    for shape in (
        "line-ns",
        "triangle-up",
        "square",
        "star",
        "x-thin",
        "circle",
        "triangle-down",
        "cross-thin",
        "hexagon",
        "diamond",
    )
)
_WIDEST_NAMES = 190
_LONGEST_NAME = 22


def strips(
    titles: Sequence[str],
    marks: Mapping[str, Sequence[float]],
    draws: Sequence[FloatArray],
    best: Sequence[float],
    *,
    ours: str,
    other: str | None = None,
) -> go.Figure:
    """One strip per metric from its worst to its best score, with a mark per method.

    Each strip has a scale of its own: its left end is the worst score of all that is drawn, its
    right end the best; lower is better where the best score is. Hover tells the score.

    Parameters
    ----------
    titles
        (n,) names of the metrics, drawn from the top down.
    marks
        By method, its (n,) scores, NaN where it has none.
    draws
        (n,) scores of blind picks, (n_draws,) each: the grey band from 2.5 to 97.5 %.
    best
        (n,) the score of a perfect prediction.
    ours, other
        Which methods are drawn large.
    """
    figure = go.Figure()
    ends = [
        _ends([m[row] for m in marks.values()], draws[row], best[row]) for row in range(len(titles))
    ]
    for row, blind in enumerate(draws):
        _add_band(figure, row, blind, ends[row], first=row == 0)
    others = [name for name in marks if name not in {ours, other}]
    for place, name in enumerate(others):
        symbol = _TICKS[place % len(_TICKS)]
        marker = {"symbol": symbol, "size": 13, "color": NEIGHBOR, "line": {"width": 2}}
        figure.add_trace(_mark(name, marks[name], titles, ends, marker))
    for method, colour, symbol in ((other, OTHER, "diamond"), (ours, OURS, "circle")):
        if method is not None and method in marks:
            marker = {"symbol": symbol, "size": 14, "color": colour}
            figure.add_trace(_mark(method, marks[method], titles, ends, marker))
    figure.update_xaxes(
        range=[-0.04, 1.04],
        tickvals=[0, 1],
        ticktext=["worst shown", "best shown"],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(
        range=[len(titles) - 0.5, -0.7], showticklabels=False, showgrid=False, zeroline=False
    )
    for row, title in enumerate(titles):
        figure.add_annotation(
            text=escape(title), x=0, y=row, yshift=21, xanchor="left", showarrow=False
        )
    head = 24 + _LEGEND_ROW * math.ceil((len(marks) + 1) / 2)
    height = head + FOOT + _ROW * len(titles)
    figure = with_layout(figure, height=height, left=20, head=head, right=20)
    columns = {"entrywidthmode": "fraction", "entrywidth": 0.48}  # two, however narrow it is
    return figure.update_layout(legend={"orientation": "h", "xref": "container", **columns})


def similarity_heatmap(names: Sequence[str], values: FloatArray) -> go.Figure:
    """A heat map of similarities (n, n), from -1 (blue) through 0 to 1 (red)."""
    short = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in names]
    places = list(range(len(names)))
    pairs = [[[escape(a), escape(b)] for b in names] for a in names]
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=places,
            y=places,
            zmin=-1,
            zmax=1,
            colorscale=[(0, DOWN), (0.5, "rgba(141,153,163,0.12)"), (1, UP)],
            customdata=pairs,
            hovertemplate="%{customdata[0]}<br>%{customdata[1]}<br>r = %{z:.2f}<extra></extra>",
            xgap=1,
            ygap=1,
            colorbar={"thickness": 12, "len": 0.9, "tickvals": [-1, 0, 1]},
        )
    )
    ranks = [str(place + 1) for place in places]
    figure.update_xaxes(tickvals=places, ticktext=ranks, showgrid=False, zeroline=False)
    figure.update_yaxes(
        tickvals=places,
        ticktext=[f"{escape(name)} {rank}" for name, rank in zip(short, ranks, strict=True)],
        autorange="reversed",
        showgrid=False,
        zeroline=False,
    )
    left = min(40 + 8 * max(map(len, short), default=0), _WIDEST_NAMES + 40)
    height = 20 + FOOT + max(_CELL * len(names), 4 * _CELL)
    return with_layout(figure, height=height, left=left, head=20, right=70)


def ranked_genes(
    genes: Sequence[str], delta: FloatArray, marked: Sequence[int], *, title: str
) -> go.Figure:
    """All genes ranked by change, as a curve, with those of a list as lines across it.

    ``delta`` is (n_genes,), ``marked`` are places of the list's genes; ``title`` is the y axis.
    """
    order = np.argsort(-delta, kind="stable")
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(1, len(order) + 1)
    figure = go.Figure(
        go.Scattergl(
            x=np.arange(1, len(order) + 1),
            y=delta[order],
            mode="lines",
            line={"color": NOISE, "width": 2},
            name=f"all genes (n = {len(delta):,})",
            hoverinfo="skip",
        )
    )
    here = np.asarray(marked, dtype=np.intp)
    figure.add_trace(
        go.Scatter(
            x=rank[here],
            y=delta[here],
            mode="markers",
            marker={
                "symbol": "line-ns-open",
                "size": 16,
                "color": [UP if value > 0 else DOWN for value in delta[here]],
                "line": {"width": 2},
            },
            name=f"genes of the list (n = {len(here):,})",
            customdata=[escape(genes[i]) for i in here],
            hovertemplate="<b>%{customdata}</b><br>rank %{x:,}<br>predicted change %{y:+.2f}"
            "<extra></extra>",
        )
    )
    figure.add_annotation(x_title("rank by predicted change, 1 goes up most"))
    figure.update_xaxes(showgrid=False, range=[-0.02 * len(delta), 1.02 * len(delta)])
    figure.update_yaxes(title=title, zeroline=True, zerolinecolor=NOISE)
    return with_layout(figure, height=330, left=80, head=60)


def _ends(scores: Sequence[float], draws: FloatArray, best: float) -> tuple[float, float]:
    """The worst and the best score that a strip shows: the ends of its scale."""
    known = [score for score in scores if np.isfinite(score)]
    known += np.nanpercentile(draws, BAND).tolist() if np.isfinite(draws).any() else []
    known = known or [best]
    farthest = max(known, key=lambda score: abs(score - best))
    nearest = min(known, key=lambda score: abs(score - best))
    return farthest, nearest if nearest != farthest else best


def _scaled(score: float, ends: tuple[float, float]) -> float:
    worst, best = ends
    return (score - worst) / (best - worst) if best != worst else 0.5


def _add_band(
    figure: go.Figure, row: int, draws: FloatArray, ends: tuple[float, float], *, first: bool
) -> None:
    if not np.isfinite(draws).any():
        return
    low, high = np.nanpercentile(draws, BAND)
    middle = float(np.nanmedian(draws))
    words = f"{len(draws):,} random picks: {low:.3f} to {high:.3f}, median {middle:.3f}"
    figure.add_trace(
        go.Scatter(
            x=[_scaled(low, ends), _scaled(middle, ends), _scaled(high, ends)],
            y=[row] * 3,
            mode="lines",
            line={"color": NOISE, "width": 14},
            opacity=0.35,
            name="random picks (95 %)",
            legendgroup="blind",
            showlegend=first,
            hovertemplate=f"{words}<extra></extra>",
        )
    )


def _mark(
    name: str,
    scores: Sequence[float],
    titles: Sequence[str],
    ends: Sequence[tuple[float, float]],
    marker: Mapping[str, object],
) -> go.Scatter:
    rows = [row for row, score in enumerate(scores) if np.isfinite(score)]
    return go.Scatter(
        x=[_scaled(scores[row], ends[row]) for row in rows],
        y=rows,
        mode="markers",
        marker=marker,
        name=escape(name),
        customdata=[[escape(titles[row]), scores[row]] for row in rows],
        hovertemplate=f"<b>{escape(name)}</b><br>%{{customdata[0]}}: %{{customdata[1]:.3f}}"
        "<extra></extra>",
    )
