"""Bars of every method's score for one query, with their numbers and the band of random picks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.comparison import BAND, OTHER, OURS, escape
from lgr_core.figures.prediction import FOOT, NEIGHBOR, NOISE, TRUTH, with_layout, x_title


class BarKind(StrEnum):
    """What a bar of a score stands for."""

    OURS = "ours"
    RIVAL = "rival"
    METHOD = "method"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """One row of a figure of scores; without a ``score``, ``missing`` says why there is none."""

    label: str
    score: float | None
    kind: BarKind = BarKind.METHOD
    missing: str = "no answer"

    @property
    def known(self) -> float | None:
        """The score, None where there is none or it is undefined."""
        return None if self.score is None or not math.isfinite(self.score) else self.score

    @property
    def words(self) -> str:
        """The score with two digits, or why there is none."""
        return self.missing if self.known is None else f"{self.known:.2f}"


_COLOURS = {
    BarKind.OURS: OURS,
    BarKind.RIVAL: OTHER,
    BarKind.METHOD: NEIGHBOR,
    BarKind.REPEAT: TRUTH,
}
_ROW, _HEAD = 26, 44
_WIDEST_NAMES = 190
_ROOM_FOR_NUMBERS = 0.16
"""Part of the axis that is left for the numbers beyond the longest bar."""


def method_bars(bars: Sequence[ScoreBar], draws: FloatArray, *, title: str) -> go.Figure:
    """Draw a bar with its number for each score, from the top down.

    Parameters
    ----------
    bars
        The rows; one without a score, or with an undefined one, shows in words that it has none.
    draws
        (n_draws,) scores of random picks: the grey band from 2.5 to 97.5 %.
    title
        The metric: the title of the axis.
    """
    figure = go.Figure()
    known = [bar.known for bar in bars]
    ends = [0.0, *(value for value in known if value is not None)]
    ends += _add_band(figure, draws, len(bars))
    for row, bar in enumerate(bars):
        figure.add_trace(_bar(bar, row))
    room = _ROOM_FOR_NUMBERS * (max(ends) - min(ends) or 1.0)
    low = min(ends) - (room if min(ends) < 0 else 0)
    figure.update_xaxes(range=[low, max(ends) + room], zeroline=True, zerolinecolor=NOISE)
    figure.update_yaxes(
        tickvals=list(range(len(bars))),
        ticktext=[escape(bar.label) for bar in bars],
        range=[len(bars) - 0.4, -0.6],
        showgrid=False,
        zeroline=False,
    )
    figure.add_annotation(x_title(title))
    longest = max((len(bar.label) for bar in bars), default=0)
    left = min(20 + 7 * longest, _WIDEST_NAMES)
    height = _HEAD + FOOT + _ROW * len(bars)
    figure = with_layout(figure, height=height, left=left, head=_HEAD)
    return figure.update_layout(legend={"xref": "container"})  # as wide as the figure


def _bar(bar: ScoreBar, row: int) -> go.Bar:
    return go.Bar(
        x=[0.0 if bar.known is None else bar.known],
        y=[row],
        orientation="h",
        width=0.62,
        marker={"color": _COLOURS[bar.kind], "opacity": 0.85, "line": {"width": 0}},
        text=[f"<b>{bar.words}</b>" if bar.kind is BarKind.OURS else bar.words],
        textposition="outside",
        cliponaxis=False,
        name=escape(bar.label),
        showlegend=False,
        hovertemplate=f"<b>{escape(bar.label)}</b><br>{bar.words}<extra></extra>",
    )


def _add_band(figure: go.Figure, draws: FloatArray, n_bars: int) -> list[float]:
    """Draw the band of random picks behind the bars, and return its ends; none without scores."""
    if not np.isfinite(draws).any():
        return []
    low, high = np.nanpercentile(draws, BAND).tolist()
    figure.add_trace(
        go.Scatter(
            x=[low, high, high, low, low],
            y=[-0.6, -0.6, n_bars - 0.4, n_bars - 0.4, -0.6],
            mode="lines",
            fill="toself",
            fillcolor="rgba(141,153,163,0.28)",
            line={"width": 0},
            name=f"random picks: {low:.2f} to {high:.2f} (95 %)",
            hoverinfo="skip",
        )
    )
    return [low, high]
