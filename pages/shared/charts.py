"""Figures on a page: drawn once, with a camera, and words for who cannot see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PICTURES = ("svg", "png")
"""What the camera in a figure's corner saves."""

_DIGITS = 5


def chart(figure: Figure, key: str, words: str, **selection: str) -> object:
    """Draw a figure; ``words`` say what it shows to who cannot see it.

    The camera in its corner, its only button, saves it as the picture that the visitor chose.
    ``selection`` is passed on to Streamlit, whose answer is returned.
    """
    ending = st.session_state.get("picture") or PICTURES[0]
    config = {
        "displaylogo": False,
        "modeBarButtons": [["toImage"]],
        "toImageButtonOptions": {"format": ending, "filename": key, "scale": 2},
    }
    return st.plotly_chart(
        settled(figure), key=key, config=config, alt=words, theme=None, **selection
    )


def settled(figure: Figure) -> Figure:
    """The figure so that a viewer who is handed it twice draws it once.

    Streamlit hands plotly each figure twice: before and after it knows the width. plotly takes an
    array of bytes or a template for a new one whenever it meets it, and draws all anew; plain lists
    it knows again under one revision. Of each array five digits are kept.
    """
    for trace in figure.data:
        for name, values in trace.to_plotly_json().items():
            if isinstance(values, np.ndarray):
                trace[name] = None  # else an array that equals the list stays
                trace[name] = _plain(values)
    return figure.update_layout(datarevision=1)


def _plain(values: np.ndarray) -> list[object]:
    """An array as lists; five digits of its largest number, as many after the point of all."""
    if values.dtype.kind != "f":
        return values.tolist()
    largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    after_point = _DIGITS - 1 - int(np.floor(np.log10(largest))) if largest else 0
    return np.round(values.astype(np.float64), after_point).tolist()
