"""Figures of an atlas as a whole: what is measured, and with how many cells."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from lgr_core.atlas.coverage import Grid
from lgr_core.domain import FloatArray
from lgr_core.figures.drugs import HIT, short
from lgr_core.figures.prediction import FOOT, TRUTH, below, dressed

SCALE = ((0.0, "#b7e2cf"), (0.5, "#4eb3d3"), (1.0, "#0b5aa0"))
"""From few to many; both ends are told from the grey of what is not measured."""

MISSING = "rgba(128, 140, 150, 0.22)"
"""The ground on which nothing is measured."""

_ROW, _LOW_ROW, _NAMED_LINES, _NAMED_DRUGS = 22, 9, 60, 14
_APART = 40
_WIDEST_NAMES, _LONGEST_NAME = 130, 16
_BAR_HEIGHT = 230
_HEAD, _FOOT, _NAMES_FOOT = 24, 52, 120


def coverage(found: Grid) -> go.Figure:
    """A tile a line and drug, coloured by doses or cells; grey where nothing is measured."""
    cells = found.counts == "cells"
    values = np.log10(np.maximum(found.values, 1)) if cells else found.values
    words = {"cells": "cells", "doses": "doses measured", "conditions": "measured"}[found.counts]
    one = words == "measured" or np.nanmin(values) == np.nanmax(values)
    figure = go.Figure(
        go.Heatmap(
            z=values,
            x=[escape(drug) for drug in found.drugs],
            y=[escape(line) for line in found.lines],
            customdata=found.values,
            colorscale=[[place, colour] for place, colour in (SCALE if not one else _FLAT)],
            showscale=not one,
            colorbar={
                "title": {"text": words.split()[0], "side": "right"},
                "thickness": 12,
                **_ticks(found),
            },
            xgap=1 if len(found.drugs) <= _APART else 0,
            ygap=1,
            hoverongaps=False,
            hovertemplate="<b>%{x}</b> in <b>%{y}</b><br>"
            + ("measured" if words == "measured" else f"{words}: %{{customdata:,.0f}}")
            + "<extra></extra>",
        )
    )
    drugs, lines = len(found.drugs) <= _NAMED_DRUGS, len(found.lines) <= _NAMED_LINES
    if not drugs:
        figure.add_annotation(below(f"{len(found.drugs):,} drugs, the best covered first"))
    figure.update_xaxes(range=[-0.5, len(found.drugs) - 0.5], **_names(found.drugs, shown=drugs))
    figure.update_xaxes(tickangle=-60)
    figure.update_yaxes(range=[len(found.lines) - 0.5, -0.5], **_names(found.lines, shown=lines))
    longest = max(len(short(line, _LONGEST_NAME)) for line in found.lines)
    foot = _NAMES_FOOT if drugs else _FOOT
    height = _HEAD + foot + (_ROW if lines else _LOW_ROW) * max(len(found.lines), 4)
    left = min(16 + 8 * longest, _WIDEST_NAMES) if lines else 12
    drawn = dressed(figure, height=height, left=left, head=_HEAD, right=12 if one else 86)
    return drawn.update_layout(plot_bgcolor=MISSING, margin={"b": foot, "pad": 0})


def _names(names: Sequence[str], *, shown: bool) -> dict[str, object]:
    """An axis of names, or without them; hovering tells them whole."""
    return {
        "type": "category",
        "showticklabels": shown,
        "showgrid": False,
        "ticks": "",
        "ticklabelstandoff": 4,
        "tickmode": "array",
        "tickvals": list(range(len(names))),
        "ticktext": [escape(short(name, _LONGEST_NAME)) for name in names],
    }


def cells(edges: FloatArray, conditions: FloatArray, min_cells: int) -> go.Figure:
    """Conditions by their number of cells, those under ``min_cells`` in another colour.

    Parameters
    ----------
    edges
        (n + 1,) bounds of the bins, whole numbers.
    conditions
        (n,) how many conditions lie in each.
    min_cells
        Where the line is drawn.
    """
    places = np.log10(edges)
    under = edges[1:] <= min_cells
    within = np.column_stack([edges[:-1], edges[1:] - 1]).astype(int)
    figure = go.Figure()
    for these, colour, name in (
        (under, TRUTH, f"under {min_cells:,} cells"),
        (~under, HIT, f"{min_cells:,} cells or more"),
    ):
        figure.add_trace(
            go.Bar(
                x=((places[:-1] + places[1:]) / 2)[these],
                y=conditions[these],
                width=np.diff(places)[these] * 0.96,
                marker={"color": colour, "line": {"width": 0}},
                name=name,
                customdata=within[these],
                hovertemplate="%{customdata[0]:,} to %{customdata[1]:,} cells: "
                "<b>%{y:,}</b> conditions<extra></extra>",
                showlegend=bool(these.any()),
            )
        )
    figure.add_vline(x=np.log10(max(min_cells, 1)), line={"width": 1.5, "color": TRUTH})
    low, high = min(edges[0], max(min_cells, 1)), max(edges[-1], min_cells)
    ticks = _round_numbers(low, high)
    figure.update_xaxes(
        tickmode="array",
        tickvals=np.log10(ticks),
        ticktext=[f"{tick:,}" for tick in ticks],
        range=[np.log10(low) - 0.03, np.log10(high) + 0.03],
        showgrid=False,
        zeroline=False,
    )
    figure.update_yaxes(title={"text": "conditions"}, rangemode="tozero")
    figure.add_annotation(below("cells of a condition"))
    return dressed(figure, height=_BAR_HEIGHT + FOOT, left=64, head=46)


_FLAT = ((0.0, HIT), (1.0, HIT))


def _ticks(found: Grid) -> dict[str, object]:
    """Ticks of the colour bar: whole doses, round numbers of cells."""
    low, high = float(np.nanmin(found.values)), float(np.nanmax(found.values))
    if found.counts == "cells":
        ticks = _round_numbers(max(low, 1.0), high)
        return {
            "tickvals": np.log10(ticks).tolist(),
            "ticktext": [f"{tick:,}" for tick in ticks],
        }
    return {"tickvals": list(range(int(low), int(high) + 1))}


def _round_numbers(low: float, high: float) -> list[int]:
    """Numbers to read an axis in log10 by: powers of ten, or what fits a range of less than ten."""
    if high < low * 10:
        return sorted({round(number) for number in np.linspace(low, high, 5)})
    powers = range(int(np.ceil(np.log10(low))), int(np.floor(np.log10(high))) + 1)
    return [10**power for power in powers]
