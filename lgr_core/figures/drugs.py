"""Figures with one row per drug or line: hits of a search, effects by dose."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import BoolArray, FloatArray
from lgr_core.figures.prediction import FOOT, NEIGHBOR, NOISE, with_layout, x_title

HIT = "#2b8cbe"
"""The colour of a drug that was found."""

DOSES = (HIT, "#e69f00", "#cc79a7", "#009e73", "#8d99a3")
"""The colours of doses, the highest first; more doses begin anew."""

_ROW, _LEGEND_ROW, _FEWEST_ROWS = 23, 20, 4
_WIDEST_NAMES = 190
_LONGEST_NAME = 24


def ranked_drugs(
    names: Sequence[str],
    doses: Sequence[str],
    scores: FloatArray,
    by_line: Sequence[dict[str, float]],
    *,
    passed: BoolArray,
    title: str,
) -> go.Figure:
    """One dot per drug at its mean score, over small dots at its score in each line.

    Parameters
    ----------
    names, doses
        (n,) drugs and their doses in words, drawn from the top down.
    scores
        (n,) their mean scores.
    by_line
        (n,) the score by cell line of each.
    passed
        (n,) whether it is significant; others are grey.
    title
        What the score is: the axis title.
    """
    figure = go.Figure()
    lines = [(row, line, r) for row, found in enumerate(by_line) for line, r in found.items()]
    figure.add_trace(
        go.Scatter(
            x=[r for *_, r in lines],
            y=[row for row, *_ in lines],
            mode="markers",
            marker={"color": NEIGHBOR, "size": 5, "opacity": 0.55, "line": {"width": 0}},
            name="in each cell line",
            customdata=[[escape(names[row]), doses[row], escape(line)] for row, line, _ in lines],
            hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>%{customdata[2]}: %{x:+.3f}"
            "<extra></extra>",
        )
    )
    for words, colour, these in (
        ("mean, significant", HIT, passed),
        ("mean, not significant", NOISE, ~passed),
    ):
        rows = np.flatnonzero(these).tolist()
        if rows:
            figure.add_trace(
                go.Scatter(
                    x=scores[rows],
                    y=rows,
                    mode="markers",
                    marker={"color": colour, "size": 11, "line": {"width": 1, "color": "#ffffff"}},
                    name=words,
                    customdata=[[escape(names[row]), doses[row]] for row in rows],
                    hovertemplate="<b>%{customdata[0]}</b>, %{customdata[1]}<br>mean score "
                    "%{x:+.3f}<extra></extra>",
                )
            )
    labels = [
        f"{short(name, _LONGEST_NAME - len(dose))} · {dose}"
        for name, dose in zip(names, doses, strict=True)
    ]
    return _rows(figure, labels, title)


def by_dose(
    names: Sequence[str], values: FloatArray, doses: Sequence[str], *, title: str
) -> go.Figure:
    """One dot per name and dose.

    Parameters
    ----------
    names
        (n,) drugs or cell lines, drawn from the top down.
    values
        (n, n_doses), NaN where not measured.
    doses
        (n_doses,) their words, the highest first.
    title
        What the values are: the axis title.
    """
    figure = go.Figure()
    rows = np.arange(len(names))
    for i, dose in enumerate(doses):
        here = np.isfinite(values[:, i])
        figure.add_trace(
            go.Scatter(
                x=values[here, i],
                y=rows[here],
                mode="markers",
                marker={"color": DOSES[i % len(DOSES)], "size": 9, "line": {"width": 0}},
                name=escape(dose),
                customdata=[escape(names[row]) for row in rows[here].tolist()],
                hovertemplate=f"<b>%{{customdata}}</b><br>{escape(dose)}: %{{x:.3g}}"
                "<extra></extra>",
            )
        )
    figure.update_layout(showlegend=True)
    return _rows(figure, [short(name, _LONGEST_NAME) for name in names], title)


def _rows(figure: go.Figure, names: Sequence[str], title: str) -> go.Figure:
    """One row a name, the title below, and room for the legend above."""
    figure.add_annotation(x_title(escape(title)))
    figure.update_xaxes(zeroline=True, zerolinecolor=NOISE)
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(range(len(names))),
        ticktext=[escape(name) for name in names],
        range=[len(names) - 0.4, -0.6],
        zeroline=False,
    )
    head = 14 + _LEGEND_ROW * len(figure.data)
    longest = max((len(name) for name in names), default=0)
    return with_layout(
        figure,
        height=head + FOOT + _ROW * max(len(names), _FEWEST_ROWS),
        left=min(20 + 8 * longest, _WIDEST_NAMES),
        head=head,
    )


def short(name: str, longest: int) -> str:
    """A name shortened to fit beside the figure; hovering shows it in full."""
    return name if len(name) <= longest else f"{name[: longest - 1]}…"
