"""A map of drugs and gains of panels: tables in, plotly figures out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lgr_core.figures.drugs import DOSES, HIT, short
from lgr_core.figures.prediction import FOOT, NOISE, TRUTH, UP, with_layout, x_title

COLOURS = (
    *("#2b8cbe", "#e69f00", "#009e73", "#cc79a7"),
    *("#d55e00", "#5e4fa2", "#a6761d", "#66a61e"),
)
"""The colours of mechanisms."""

_HEIGHT = 600


def drug_scatter(
    drugs: pd.DataFrame,
    groups: Mapping[str, str],
    *,
    query: str | None,
    picks: Sequence[str],
    explained: tuple[float, float],
) -> go.Figure:
    """Drugs by two coordinates, coloured by the mechanism that ``groups`` gives some of them.

    ``drugs`` has columns drug, mechanism, x and y; drugs without a group are grey. The query and
    its picks have a ring and their names each.
    """
    figure = go.Figure()
    group = drugs["drug"].map(lambda drug: groups.get(drug, ""))
    names = sorted({name for name in groups.values() if name})
    for name, colour in [("", NOISE), *zip(names, COLOURS, strict=False)]:
        here = drugs[group == name]
        figure.add_trace(_points(here, name or "other or unknown mechanism", colour))
    for words, chosen, colour, size in (
        ("its neighbours", drugs[drugs["drug"].isin(picks)], TRUTH, 15),
        ("the drug chosen", drugs[drugs["drug"] == query], UP, 19),
    ):
        if len(chosen):
            figure.add_trace(_rings(chosen, words, colour, size))
    shares = [f"{share:.0%}".replace("%", " %") for share in explained]
    figure.add_annotation(x_title(f"component 1 ({shares[0]} of the variance)"))
    figure.update_xaxes(zeroline=False, showticklabels=False)
    figure.update_yaxes(
        zeroline=False,
        showgrid=False,
        showticklabels=False,
        title={"text": f"component 2 ({shares[1]})", "standoff": 4},
    )
    rows = (len(figure.data) + 1) // 2
    drawn = with_layout(figure, height=_HEIGHT, left=40, head=24 + 22 * rows)
    return drawn.update_layout(legend={"orientation": "h", "entrywidth": 0.5, **_FRACTION})


_FRACTION = {"entrywidthmode": "fraction"}


def _points(here: pd.DataFrame, name: str, colour: str) -> go.Scatter:
    return go.Scatter(
        x=here["x"].to_numpy(),
        y=here["y"].to_numpy(),
        mode="markers",
        marker={"color": colour, "size": 9, "opacity": 0.85, "line": {"width": 0}},
        name=escape(short(name, 34)),
        customdata=[
            [escape(drug), escape(words)]
            for drug, words in zip(here["drug"], here["mechanism"], strict=True)
        ],
        hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<extra></extra>",
    )


def _rings(chosen: pd.DataFrame, words: str, colour: str, size: int) -> go.Scatter:
    return go.Scatter(
        x=chosen["x"].to_numpy(),
        y=chosen["y"].to_numpy(),
        mode="markers+text",
        text=[escape(short(drug, 22)) for drug in chosen["drug"]],
        textposition=_beside(chosen),
        marker={"symbol": "circle-open", "color": colour, "size": size, "line": {"width": 2.5}},
        name=words,
        hoverinfo="skip",
    )


def _beside(chosen: pd.DataFrame) -> list[str]:
    """Above each point, but below it where the nearest other one stands above."""
    xy = chosen[["x", "y"]].to_numpy()
    places = []
    for i, here in enumerate(xy):
        far = np.square(xy - here).sum(axis=1)
        far[i] = np.inf
        above = len(xy) > 1 and xy[far.argmin()][1] > here[1]
        places.append("bottom center" if above else "top center")
    return places


def panel_gain(curve: pd.DataFrame, *, title: str) -> go.Figure:
    """The gain of chosen and of random panels by their size, with 95 % intervals.

    ``curve`` has columns panel (``greedy``, ``random``), size, gain, low and high.
    """
    figure = go.Figure()
    for panel, words, colour in (
        ("greedy", "chosen drugs", HIT),
        ("random", "random drugs", DOSES[-1]),
    ):
        part = curve[curve["panel"] == panel].sort_values("size")
        gain = part["gain"].to_numpy()
        figure.add_trace(
            go.Scatter(
                x=part["size"].to_numpy(),
                y=gain,
                mode="lines+markers",
                line={"color": colour, "width": 2},
                marker={"size": 7},
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": part["high"].to_numpy() - gain,
                    "arrayminus": gain - part["low"].to_numpy(),
                    "thickness": 1.2,
                    "width": 0,
                },
                name=words,
                hovertemplate=f"{words}: %{{x}} drugs, %{{y:+.3f}}<extra></extra>",
            )
        )
    figure.add_annotation(x_title("drugs measured in the line"))
    figure.update_yaxes(title={"text": title}, zeroline=True, zerolinecolor=NOISE)
    return with_layout(figure, height=270 + FOOT, left=64, head=54)
