"""Rows of dots with intervals, which most figures of a benchmark are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import ValueKind
from lgr_core.evaluation.figures.styles import MethodStyle, number
from lgr_core.figures.prediction import FOOT, NOISE, with_layout, x_title
from lgr_core.metrics import Metric

_ROW, _TALL_ROW, _HEAD, _LEFT = 24, 28, 40, 132
_BESIDE, _LETTER = 6, 6.6
"""Pixels between the plot and the words at the ends of its rows, and those that a letter takes."""

_FULL_HEIGHT = {"y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
_NAMES = 17
"""Letters of a name that fit on a line beside its row."""

FALLBACK = " (fallback)"
"""The end of a name whose method answered by its fallback; it is not cut."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A value with its interval in row ``y``, drawn in one style; ``words`` end its hover."""

    style: MethodStyle
    y: float
    value: float
    low: float
    high: float
    words: str


def draw_rows(dots: Sequence[Dot], *, named: bool = False) -> go.Figure:
    """One trace per style: its dots, their intervals as bars; ``named`` ones are in a legend."""
    figure = go.Figure()
    for style in dict.fromkeys(dot.style for dot in dots):
        own = [dot for dot in dots if dot.style == style]
        values = np.array([dot.value for dot in own], dtype=float)
        over = np.array([dot.high for dot in own], dtype=float) - values
        under = values - np.array([dot.low for dot in own], dtype=float)
        figure.add_trace(
            go.Scatter(
                x=values,
                y=[dot.y for dot in own],
                mode="markers",
                name=escape(style.label),
                showlegend=named,
                marker={
                    "color": style.colour,
                    "symbol": style.symbol,
                    "size": 9,
                    "line": {
                        "width": 2 if style.symbol.endswith("open") else 0,
                        "color": style.colour,
                    },
                },
                error_x={
                    "type": "data",
                    "array": np.nan_to_num(over),
                    "arrayminus": np.nan_to_num(under),
                    "color": style.colour,
                    "thickness": 2,
                    "width": 0,
                },
                customdata=[escape(number(dot.value) + _interval(dot)) + dot.words for dot in own],
                hovertemplate=f"<b>{escape(style.label)}</b><br>%{{customdata}}<extra></extra>",
            )
        )
    return figure


def upright(x: float, colour: str, dash: str) -> dict[str, Any]:
    """A line to read all rows against."""
    line = {"color": colour, "dash": dash, "width": 1.6}
    return {"type": "line", "x0": x, "x1": x, **_FULL_HEIGHT, "line": line}


def band(low: float, high: float, colour: str) -> dict[str, Any]:
    """A range to read all rows against."""
    line = {"color": colour, "width": 1}
    fill = {"fillcolor": colour, "opacity": 0.4, "line": line}
    return {"type": "rect", "x0": low, "x1": high, **_FULL_HEIGHT, **fill}


def divider(y: float) -> dict[str, Any]:
    """A line between two rows."""
    ends = {"x0": 0, "x1": 1, "xref": "paper", "y0": y, "y1": y}
    return {"type": "line", **ends, "line": {"color": NOISE, "width": 1}}


def head_of(n: int) -> int:
    """Pixels that a legend of n entries takes above a figure."""
    return 16 + 20 * n


def axis_words(metric: Metric, kind: ValueKind) -> str:
    """The metric with what its numbers are, where they depend on the scale."""
    return f"{metric.label}<br>{kind.label}" if metric.scale_dependent else metric.label


def rows_layout(
    figure: go.Figure,
    labels: Mapping[float, str],
    *,
    ends: Mapping[float, str],
    axis: str,
    title: str = "",
    head: int = _HEAD,
    shapes: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Names beside the rows and words at their ends, by place; the first row is at the top.

    ``title`` is HTML. The title of the axis ends where the words do, so that a long one has room.
    Notes and shapes are set at once: one by one they take plotly long.
    """
    _label_rows(figure, labels)
    right = round(2 * _BESIDE + _LETTER * max(map(len, ends.values()), default=0))
    foot = x_title(axis).update(xshift=right - _BESIDE)
    figure.update_layout(annotations=[foot, *_beside(ends)], shapes=shapes)
    if title:
        figure.update_layout(
            title={"text": title, "x": 0, "xref": "container", "y": 1, "yanchor": "top"},
            title_font={"size": 14},
            title_pad={"t": 8, "l": 2},
        )
    tall = _TALL_ROW if any("<br>" in _wrapped(label) for label in labels.values()) else _ROW
    height = int(head + FOOT + tall * (max(labels, default=0) + 1.4))
    return with_layout(figure, height=height, left=_LEFT, head=head, right=right)


def _interval(dot: Dot) -> str:
    if not math.isfinite(dot.low):
        return ", no interval"
    return f" (95 % interval {number(dot.low)} to {number(dot.high)})"


def _wrapped(label: str) -> str:
    """A label of at most two lines; a longer one is cut at dots."""
    if len(label) <= _NAMES + 2:
        return _plotly_text(label)
    cut = max(label.rfind(" ", 0, _NAMES + 1), label.rfind("-", 0, _NAMES) + 1)
    first, rest = (
        (label[:cut], label[cut:].strip()) if cut > 0 else (label[:_NAMES], label[_NAMES:])
    )
    if len(rest) > _NAMES + 2:
        end = FALLBACK if rest.endswith(FALLBACK) else ""
        rest = f"{rest[: _NAMES - len(end)]}…{end}"
    return f"{_plotly_text(first)}<br>{_plotly_text(rest)}"


def _plotly_text(words: str) -> str:
    """Plain text as plotly reads it: it knows no entity for quotation marks."""
    return escape(words, quote=False)


def _beside(labels: Mapping[float, str]) -> list[dict[str, Any]]:
    """Words at the ends of rows, by their place."""
    there = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": _BESIDE, "yref": "y"}
    how = {**there, "showarrow": False, "font": {"size": 11}}
    return [{"text": escape(words), "y": y, **how} for y, words in labels.items()]


def _label_rows(figure: go.Figure, labels: Mapping[float, str]) -> None:
    rows = list(labels)
    figure.update_yaxes(
        tickmode="array",
        tickvals=rows,
        ticktext=[_wrapped(label) for label in labels.values()],
        tickfont={"size": 11},
        range=[max(rows, default=0) + 0.7, -0.7],
        showgrid=False,
        zeroline=False,
    )
    figure.update_xaxes(zeroline=False, nticks=5, tickfont={"size": 11})
