"""Distributions of scores: over conditions, against a rival's, over the number of neighbours."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lgr_core.domain import FloatArray, ValueKind
from lgr_core.evaluation.figures.dot_plot import axis_words, head_of, rows_layout, upright
from lgr_core.evaluation.figures.styles import BESIDE, PERFECT, Group, method_style, number, ordered
from lgr_core.figures.prediction import FOOT, NOISE, with_layout, x_title
from lgr_core.metrics import EVERY_METRIC

_HEIGHT, _LINE = 360, 19
_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BOX = (
    "median %{customdata[2]}<br>middle half %{customdata[1]} to %{customdata[3]}"
    "<br>5 to 95 %: %{customdata[0]} to %{customdata[4]}"
)
"""The hover of a box, in place of plotly's own."""

MOST_POINTS = 2_500
"""Conditions drawn at once; beyond, a seeded draw of so many stands for all."""


def distributions(scores: pd.DataFrame, metric: str, *, kind: ValueKind) -> go.Figure:
    """How a metric spreads over the conditions: quartiles in a box, whiskers from 5 to 95 %.

    ``scores`` are one regime's rows of this metric: ``method`` and ``value``.
    """
    defined = scores.dropna(subset=["value"])
    values = dict(iter(defined.groupby("method", observed=True)["value"]))
    shown = [name for name in ordered(values) if name != PERFECT]
    figure = go.Figure()
    for y, name in enumerate(shown):
        marks = np.quantile(values[name], _SHARES)
        low, first, median, third, high = marks
        figure.add_trace(
            go.Box(
                y=[y],
                orientation="h",
                lowerfence=[low],
                q1=[first],
                median=[median],
                q3=[third],
                upperfence=[high],
                width=0.6,
                line={"color": method_style(name).colour, "width": 1.6},
                name=escape(method_style(name).label),
                showlegend=False,
                hoverinfo="skip",
            )
        )
        figure.add_trace(_hover_points(marks, y, name, len(values[name])))
    return rows_layout(
        figure,
        {float(y): method_style(name).label for y, name in enumerate(shown)},
        ends={float(y): f"n {len(values[name]):,}" for y, name in enumerate(shown)},
        axis=axis_words(EVERY_METRIC[metric], kind),
    )


def duel(both: pd.DataFrame, method: str, rival: str, metric: str, *, kind: ValueKind) -> go.Figure:
    """One point a condition, the score of a method over that of its rival.

    ``both`` has ``cell_line``, ``drug``, ``dose_um``, and a column of each method; points keep the
    order of its rows.
    """
    doses = ["pooled doses" if pd.isna(dose) else f"{dose:g} µM" for dose in both["dose_um"]]
    names = [
        [escape(str(v)) for v in row]
        for row in zip(both["drug"], both["cell_line"], doses, strict=True)
    ]
    x, y = both[rival].to_numpy(dtype=float), both[method].to_numpy(dtype=float)
    ends = [float(np.min([x, y])), float(np.max([x, y]))] if len(both) else [0.0, 1.0]
    margin = 0.04 * (ends[1] - ends[0]) + 1e-9
    reach = [ends[0] - margin, ends[1] + margin]
    figure = go.Figure(
        go.Scatter(
            x=x,
            y=y,
            mode="markers",
            customdata=names,
            marker={"color": method_style(method).colour, "size": 7, "opacity": 0.55},
            hovertemplate="<b>%{customdata[0]}</b> in %{customdata[1]}, %{customdata[2]}"
            f"<br>{escape(method_style(method).label)} %{{y:.3g}}"
            f"<br>{escape(method_style(rival).label)} %{{x:.3g}}<extra></extra>",
            showlegend=False,
        )
    )
    corners = {"x0": reach[0], "y0": reach[0], "x1": reach[1], "y1": reach[1]}
    figure.add_shape(type="line", **corners, line={"color": NOISE, "dash": "dot"})
    words = f"{escape(method_style(rival).label)}<br>{axis_words(EVERY_METRIC[metric], kind)}"
    figure.add_annotation(x_title(words))
    figure.update_xaxes(range=reach)
    figure.update_yaxes(
        range=reach, title=f"{escape(method_style(method).label)}<br>{EVERY_METRIC[metric].label}"
    )
    third = _LINE if EVERY_METRIC[metric].scale_dependent else 0
    figure = with_layout(figure, height=_HEIGHT + third, left=74, head=16)
    return figure.update_layout(margin_b=FOOT + third)


def k_histogram(scores: pd.DataFrame, k: int) -> go.Figure:
    """How many neighbours were averaged: share of conditions, a bar a number and retrieval method.

    ``scores`` has one row a method and condition: ``method`` and ``k_used``.
    """
    retrieval = [
        name for name in scores["method"].unique() if method_style(name).group is Group.RETRIEVAL
    ]
    known = scores[scores["method"].isin(retrieval)].dropna(subset=["k_used"])
    most = int(max([k, *known["k_used"]]))
    figure = go.Figure()
    for name in ordered(known["method"].unique()):
        used = known.loc[known["method"] == name, "k_used"].astype(int)
        share = used.value_counts(normalize=True).reindex(range(most + 1), fill_value=0)
        figure.add_trace(
            go.Bar(
                x=share.index,
                y=share.to_numpy(),
                name=escape(method_style(name).label),
                marker={"color": method_style(name).colour},
                hovertemplate=f"<b>{escape(method_style(name).label)}</b><br>%{{x}} neighbours"
                f"<br>%{{y:.1%}} of {len(used):,}<extra></extra>",
            )
        )
    figure.add_annotation(x_title("neighbours averaged"))
    figure.update_xaxes(range=[-0.5, most + 0.5])
    figure.update_yaxes(title="share of conditions", tickformat=".0%", rangemode="tozero")
    head = head_of(len(figure.data))
    figure = with_layout(figure, height=_HEIGHT + head, left=74, head=head)
    return figure.update_layout(barmode="group")


def k_curves(curve: pd.DataFrame, metric: str, k: int, *, kind: ValueKind) -> go.Figure:
    """A metric's mean over the number of neighbours, one line a method; ``k`` is the run's own.

    ``curve`` has one regime's rows of the run's table of that name; uniform weights are drawn.
    """
    rows = curve[curve["metric"] == metric].sort_values("k")
    if "weights" in rows:  # runs of older versions had uniform weights alone
        rows = rows[rows["weights"] == "mean"]
    figure = go.Figure()
    for name in ordered(rows["method"].unique()):
        own, how = rows[rows["method"] == name], method_style(name)
        figure.add_trace(
            go.Scatter(
                x=own["k"],
                y=own["mean"],
                mode="lines+markers",
                name=escape(how.label),
                line={"color": how.colour, "dash": "dot" if name in BESIDE else "solid"},
                marker={"color": how.colour, "symbol": how.symbol, "size": 8},
                hovertemplate=f"<b>{escape(how.label)}</b><br>k = %{{x}}: %{{y:.3g}}"
                "<extra></extra>",
            )
        )
    figure.add_shape(upright(float(k), NOISE, "dot"))
    figure.add_annotation(x_title("neighbours asked for (k)"))
    figure.update_yaxes(title=axis_words(EVERY_METRIC[metric], kind))
    head = head_of(len(figure.data))
    return with_layout(figure, height=_HEIGHT + head, left=74, head=head)


def _hover_points(marks: FloatArray, y: float, name: str, n: int) -> go.Scatter:
    """Invisible points at the five marks of a box, which carry its hover."""
    return go.Scatter(
        x=marks,
        y=np.full(len(marks), y),
        mode="markers",
        marker={"size": 14, "opacity": 0, "color": method_style(name).colour},
        customdata=[[escape(number(mark)) for mark in marks]] * len(marks),
        hovertemplate=f"<b>{escape(method_style(name).label)}</b><br>{_BOX}"
        f"<br>n = {n:,}<extra></extra>",
        showlegend=False,
    )
