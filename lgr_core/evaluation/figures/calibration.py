"""How far trust can be trusted: expected against observed scores, and what abstaining gains."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lgr_core.evaluation.figures.dot_plot import head_of
from lgr_core.evaluation.figures.styles import method_style
from lgr_core.figures.prediction import NOISE, below, dressed

_HEIGHT, _EXTRA = 330, 16


def reliability(table: pd.DataFrame, methods: Sequence[str]) -> go.Figure:
    """Observed over expected Pearson r by tenths with 95 % intervals; dotted where both are equal.

    ``table`` is one regime's part of the run's table of that name.
    """
    figure, shown = go.Figure(), table[table["method"].isin(methods)]
    for name in methods:
        own, how = shown[shown["method"] == name], method_style(name)
        figure.add_trace(
            go.Scatter(
                x=own["expected"],
                y=own["observed"],
                mode="lines+markers",
                name=escape(how.label),
                line={"color": how.colour, "width": 1},
                marker={"color": how.colour, "symbol": how.symbol, "size": 9},
                error_y={
                    "type": "data",
                    "array": np.nan_to_num(own["high"] - own["observed"]),
                    "arrayminus": np.nan_to_num(own["observed"] - own["low"]),
                    "color": how.colour,
                    "thickness": 1.5,
                    "width": 0,
                },
                customdata=own[["n_queries", "low", "high"]].to_numpy(float),
                hovertemplate=f"<b>{escape(how.label)}</b><br>expected %{{x:.3g}}, observed "
                "%{y:.3g}<br>95 % interval %{customdata[1]:.3g} to %{customdata[2]:.3g}"
                "<br>n = %{customdata[0]:,}<extra></extra>",
            )
        )
    ends = shown[["expected", "observed", "low", "high"]].to_numpy(float)
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    line = {"color": NOISE, "dash": "dot"}
    figure.add_shape(type="line", x0=low, y0=low, x1=high, y1=high, line=line, layer="below")
    figure.add_annotation(below("expected Pearson r"))
    figure.update_yaxes(title="observed Pearson r")
    return _dressed(figure)


def risk_coverage(table: pd.DataFrame, methods: Sequence[str]) -> go.Figure:
    """Mean Pearson r of the most trusted conditions over the share that is kept.

    ``table`` is one regime's part of the run's table of that name. Dotted: keeping the best by the
    truth, which no trust can pass.
    """
    figure = go.Figure()
    for name in methods:
        own, how = table[table["method"] == name].sort_values("kept"), method_style(name)
        for column, dash in (("mean", "solid"), ("oracle", "dot")):
            ours = column == "mean"
            words = how.label if ours else f"{how.label}, best possible"
            figure.add_trace(
                go.Scatter(
                    x=own["kept"],
                    y=own[column],
                    mode="lines+markers" if ours else "lines",
                    name=escape(words),
                    line={"color": how.colour, "dash": dash, "width": 2 if ours else 1.2},
                    marker={"color": how.colour, "symbol": how.symbol, "size": 7},
                    customdata=own["n_queries"],
                    hovertemplate=f"<b>{escape(words)}</b><br>most trusted %{{x:.0%}}: "
                    "%{y:.3g}<br>n = %{customdata:,}<extra></extra>",
                )
            )
    figure.add_annotation(below("share of conditions kept, the most trusted first"))
    figure.update_xaxes(tickformat=".0%", range=[1.03, 0.07])
    figure.update_yaxes(title="mean Pearson r")
    return _dressed(figure)


def _dressed(figure: go.Figure) -> go.Figure:
    head = head_of(len(figure.data)) + _EXTRA
    figure.update_layout(showlegend=True)
    return dressed(figure, height=_HEIGHT + head, left=74, head=head)
