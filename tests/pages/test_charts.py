"""Figures on a page are handed over so that they are drawn once, and their code comes early."""

import asyncio
import re
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from plotly.utils import PlotlyJSONEncoder

from lgr_core.figures.prediction import with_layout
from pages.server.preload import FILES, LINK, Preload
from pages.shared.charts import settled


def handed(**trace):
    """A figure of one trace, as the browser gets it."""
    figure = with_layout(go.Figure(go.Scatter(**trace)), height=300, left=50)
    return settled(figure).to_dict()


def test_numbers_are_lists_of_five_digits():
    """Bytes would be taken for new numbers at every look; what is missing is null."""
    drawn = handed(x=np.float32([123.45678, np.nan, 0.001]), y=np.arange(3), customdata=np.eye(2))
    (trace,) = drawn["data"]
    assert PlotlyJSONEncoder().encode(trace["x"]) == "[123.46, null, 0.0]"
    assert trace["y"] == [0, 1, 2]
    assert trace["customdata"] == [[1.0, 0.0], [0.0, 1.0]]
    assert handed(x=np.array([2e-7, -1.23456e-6]))["data"][0]["x"] == pytest.approx(
        [2e-7, -1.2346e-6], abs=1e-12
    )


def test_nothing_looks_new_that_is_not():
    """One revision of the data, and no template."""
    layout = handed(x=[1], y=[1])["layout"]
    assert layout["datarevision"] == 1
    assert "template" not in layout


def answered(kind):
    """The headers of a response of that type after the layer was passed."""
    sent = []

    async def app(_scope, _receive, send):
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", kind)]})

    async def send(message):
        sent.append(dict(message["headers"]))

    asyncio.run(Preload(app)({"type": "http"}, None, send))
    return sent[0]


def test_a_page_announces_the_code_of_figures_and_nothing_else_does():
    """The files that are named are there."""
    assert answered(b"text/html; charset=utf-8")[b"link"].decode() == LINK
    named = re.findall(r"<\./(static/[^>]+)>", LINK)
    assert [Path(name).name.split(".")[0] for name in named] == [
        "PlotlyChart",
        "MaterialSymbols-Rounded",
    ]
    assert all((FILES / name).is_file() for name in named)
    assert b"link" not in answered(b"text/javascript")
