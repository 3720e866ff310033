"""Figures over doses: curves of genes and programmes, with the Hill curves fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.domain import FloatArray
from lgr_core.figures.drugs import DOSES as COLOURS
from lgr_core.figures.prediction import FOOT, NOISE, with_layout, x_title
from lgr_core.prediction.hill import HillFit

_HEIGHT, _LEGEND_ROW, _FINE = 250, 20, 80


def dose_curves(
    names: Sequence[str],
    doses_um: FloatArray,
    values: FloatArray,
    fits: Sequence[HillFit | None],
    *,
    title: str,
) -> go.Figure:
    """Dots at the measured doses on a log axis, over the fitted curve or a line from dot to dot.

    Parameters
    ----------
    names
        (n,) genes or programmes, one colour each.
    doses_um
        (n_doses,) in micromolar, ascending.
    values
        (n, n_doses) their changes.
    fits
        (n,) Hill curves; one without an EC50 is not drawn.
    title
        What the values are: the axis title.
    """
    figure = go.Figure()
    fine = np.geomspace(doses_um[0], doses_um[-1], _FINE)
    for i, (name, row, fit) in enumerate(zip(names, values, fits, strict=True)):
        colour = COLOURS[i % len(COLOURS)]
        known = fit is not None and fit.ec50_um is not None
        ending = f" · EC50 {fit.ec50_um:.2g} µM" if fit is not None and known else ""
        figure.add_trace(
            go.Scatter(
                x=doses_um,
                y=row,
                mode="markers" if known else "lines+markers",
                marker={"color": colour, "size": 9},
                line={"color": colour, "width": 1, "dash": "dot"},
                name=f"{escape(name)}{ending}",
                legendgroup=str(i),
                hovertemplate=f"<b>{escape(name)}</b><br>%{{x:.3g}} µM: %{{y:+.3g}}<extra></extra>",
            )
        )
        if fit is not None and known:
            figure.add_trace(
                go.Scatter(
                    x=fine,
                    y=fit.at(fine),
                    mode="lines",
                    line={"color": colour, "width": 2},
                    legendgroup=str(i),
                    showlegend=False,
                    hoverinfo="skip",
                )
            )
    figure.update_layout(showlegend=True)
    figure.add_annotation(x_title("dose (µM)"))
    figure.update_xaxes(
        type="log", tickvals=doses_um.tolist(), ticktext=[f"{dose:g}" for dose in doses_um]
    )
    figure.update_yaxes(title=escape(title), zeroline=True, zerolinecolor=NOISE)
    head = 14 + _LEGEND_ROW * len(names)
    return with_layout(figure, height=head + FOOT + _HEIGHT, left=70, head=head)
