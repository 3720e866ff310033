"""Figures embedded in one HTML file: the library once, no network, the file's colours."""

from __future__ import annotations

import json
from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

_FAINT = "rgba(128,140,150,0.25)"
_CLEAR = "rgba(0,0,0,0)"
_AXIS = {"gridcolor": _FAINT, "linecolor": _FAINT, "zerolinecolor": _FAINT}
_PLAIN = go.layout.Template(
    layout={
        "paper_bgcolor": _CLEAR,
        "plot_bgcolor": _CLEAR,
        "font": {"family": "system-ui, sans-serif"},
        "hoverlabel": {"align": "left"},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
    }
)


def plotly_js() -> str:
    """The library that draws, as a script."""
    return get_plotlyjs()


def figures_json(figures: Mapping[str, go.Figure]) -> str:
    """The figures by name as JSON that can stand in a script; they take on the plain template."""
    return f"{{{','.join(f'{json.dumps(name)}:{_json(each)}' for name, each in figures.items())}}}"


def _json(figure: go.Figure) -> str:
    """The figure as JSON; plotly spells signs so that none can end the script it stands in."""
    return figure.update_layout(template=_PLAIN).to_json()
