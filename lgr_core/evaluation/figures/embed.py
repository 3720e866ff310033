"""Figures inside one file of HTML: the library once, no network, the colours of the file."""

from __future__ import annotations

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
_DRAW = """
const figures = JSON.parse(document.getElementById("lgr-figures").textContent);
const options = {displaylogo: false, responsive: true, modeBarButtons: [["toImage"]]};
for (const [id, figure] of Object.entries(figures))
  Plotly.newPlot(id, figure.data, figure.layout, options);
"""


def place(name: str, height: int) -> str:
    """Where the figure of that name will be drawn."""
    return f'<div class="lgr-figure" id="{name}" style="height:{height}px"></div>'


def scripts(figures: Mapping[str, go.Figure]) -> str:
    """The scripts that draw the figures in their places; put them at the end of the page.

    The figures take on the plain template.
    """
    texts = (f'"{name}":{_json(figure)}' for name, figure in figures.items())
    return (
        f"<script>{get_plotlyjs()}</script>"
        f'<script type="application/json" id="lgr-figures">{{{",".join(texts)}}}</script>'
        f"<script>{_DRAW}</script>"
    )


def _json(figure: go.Figure) -> str:
    """The figure as JSON; plotly spells signs so that none can end the script it stands in."""
    return figure.update_layout(template=_PLAIN).to_json()
