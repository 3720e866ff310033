"""The six panels as a file for a paper or a talk: SVG, PNG, and a slide of 16 to 9."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from lgr_core.evaluation.figures.six_panels import KEYS, ScorePanel, SixPanels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK, _FAINT, _WHISKER = "#1d2a33", "#d5dbe0", "#1d2a33"
_GAP, _COLUMNS = 0.5, 3
_POINT = 14 * 72 / 96
"""Points of a text of 14 pixels, at 96 pixels an inch."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A format of the printed figure: its size in inches, dots per inch, and what it is called."""

    label: str
    ending: str
    mime: str
    size: tuple[float, float]
    dpi: int
    font: float
    headed: bool = False


SHEETS: Mapping[str, Sheet] = MappingProxyType(
    {
        "svg": Sheet("SVG", "svg", "image/svg+xml", (13.5, 9.0), 96, _POINT),
        "png": Sheet("PNG", "png", "image/png", (13.5, 9.0), 200, _POINT),
        "slide": Sheet("Slide (16:9)", "png", "image/png", (40 / 3, 7.5), 144, _POINT, headed=True),
    }
)
"""The formats that are offered; a slide is 1,920 by 1,080 pixels."""


def print_panels(figure: SixPanels, sheet: str, *, sentence: str = "") -> bytes:
    """The figure as a file of that format; ``sentence`` stands below a slide's title.

    Text stays text in SVG, so that it can be edited.
    """
    form = SHEETS[sheet]
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": figure.file, "text.color": _INK}):
        drawn = Figure(figsize=form.size, facecolor="white")
        top = _head(drawn, figure, form, sentence)
        axes = drawn.subplots(2, _COLUMNS, squeeze=False).ravel()
        for place, ax in enumerate(axes):
            if place < len(figure.panels):
                letter = "abcdef"[place]
                _draw(ax, figure.panels[place], letter, form.font)
            else:
                ax.set_axis_off()
        drawn.subplots_adjust(
            left=0.125, right=0.955, top=top, bottom=0.075, wspace=0.88, hspace=0.26
        )
        _keys(drawn, form.font)
        file = io.BytesIO()
        metadata = {"Date": None} if form.ending == "svg" else {"Software": None}
        drawn.savefig(file, format=form.ending, dpi=form.dpi, metadata=metadata)
    return file.getvalue()


def _head(drawn: Figure, figure: SixPanels, form: Sheet, sentence: str) -> float:
    """Write title and subtitle; returns where the panels begin, as a share of the height."""
    large = form.font * (1.9 if form.headed else 1.35)
    drawn.text(0.015, 0.985, figure.title, size=large, weight="bold", va="top")
    if not form.headed:
        drawn.text(0.015, 0.948, figure.subtitle, size=form.font, va="top", color="#5b6b77")
        return 0.885
    drawn.text(0.015, 0.925, sentence or figure.subtitle, size=form.font * 1.15, va="top")
    return 0.83


def _draw(ax: Axes, panel: ScorePanel, letter: str, font: float) -> None:
    """One panel: bars from zero, intervals as lines, values at the right."""
    places = np.cumsum([1.0 + _GAP * bar.gap for bar in panel.bars]) - 1.0
    size = min(font, _fitting(len(panel.bars), font))
    for y, bar in zip(places, panel.bars, strict=True):
        if bar.known:
            ax.barh(
                y,
                bar.value,
                height=0.72,
                facecolor="white" if bar.control else bar.colour,
                edgecolor=bar.colour,
                linewidth=1.2 if bar.control else 0,
            )
        if bar.has_interval:
            ax.plot([bar.low, bar.high], [y, y], color=_WHISKER, linewidth=1.3)
        ax.annotate(bar.text, (1.02, y), xycoords=("axes fraction", "data"), size=size, va="center")
    ax.set_title(f"{letter}  {panel.title}", size=font, weight="bold", loc="left", pad=16)
    ax.annotate(panel.better, (0, 1.0), (0, 3), "axes fraction", "offset points", size=size * 0.85)
    ax.set_yticks(places, [bar.name for bar in panel.bars], size=size)
    ax.set_ylim(float(places.max(initial=0.0)) + 0.6, -0.6)
    ax.set_xlim(panel.low, panel.high * 1.02)
    ax.tick_params(axis="x", labelsize=size * 0.9, color=_FAINT)
    ax.tick_params(axis="y", length=0)
    ax.locator_params(axis="x", nbins=4)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(_FAINT)
    ax.axvline(0, color=_INK, linewidth=0.8)


def _fitting(rows: int, font: float) -> float:
    """Points at which so many rows of text do not touch."""
    return min(font, font * 17 / max(rows, 1))


def _keys(drawn: Figure, font: float) -> None:
    """What the colours mean, below the panels."""
    x = 0.015
    for colour, words, hollow in KEYS:
        drawn.text(x, 0.014, "□" if hollow else "■", size=font, color=colour)
        drawn.text(x + 0.016, 0.014, words, size=font * 0.95)
        x += 0.045 + 0.0075 * len(words)
