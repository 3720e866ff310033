"""Where one method beats another: its paired gap to a rival in each slice of the conditions."""

from __future__ import annotations

from html import escape

import numpy as np
import pandas as pd
import streamlit as st

from lgr_core.evaluation import figures
from lgr_core.evaluation.figures import method_style, number, side_words
from lgr_core.evaluation.paired_comparison import distinguishable
from lgr_core.metrics import EVERY_METRIC, Direction
from pages.benchmark import run_state
from pages.benchmark.runs import MOST_SLICES, drawn_slices
from pages.benchmark.view import SLICES, Shown
from pages.shared import browsing, pieces
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import listed

OVER = {
    "drug": ", resampled over lines: they speak of the drugs at hand",
    "cell_line": ", resampled over compounds",
    "organ": ", resampled over compounds: they speak of the lines at hand",
    "mechanism": ", resampled over lines: they speak of the compounds at hand",
}
"""What the intervals of a slice that holds few clusters are over."""

NAMED = 4
"""Slices named in a sentence; the others are counted."""


def where(shown: Shown) -> None:
    """The gap of the method to its rival, slice by slice, beside the means of both."""
    view, label = shown.view, EVERY_METRIC[shown.view.metric].label
    ours, theirs = method_style(view.scored).label, method_style(view.rival).label
    nearest = EVERY_METRIC[view.metric].direction is Direction.NEAREST
    who = f"{ours} and {theirs} differ" if nearest else f"{ours} beats {theirs}"
    title = f"Where {who}, by {SLICES[view.by]}"
    asked = (view.run, view.regime, view.metric, view.by)
    gaps = run_state.run_gaps(*asked, view.scored, view.rival)
    if gaps.empty:
        html(pieces.section(title, "No condition has a score of both."))
        return
    drawn = drawn_slices(gaps, view.by)
    which = "farthest from zero" if view.by == "drug" else "largest"
    most = f" Drawn: the {MOST_SLICES} {which} of {len(gaps)}." if len(drawn) < len(gaps) else ""
    html(
        pieces.section(
            title,
            f"{label}, {figures.better(EVERY_METRIC[view.metric])}. "
            f"Both on the same conditions, with 95 % intervals of the gap{OVER.get(view.by, '')}; "
            "where nothing differs, about one "
            f"in twenty misses zero all the same.{most}",
        )
        + pieces.lead([where_words(gaps)])
    )
    left, right = st.columns(2, gap="large")
    with left:
        html(pieces.caption(f"{ours} minus {theirs}"))
        figure = figures.slice_gaps(drawn, kind=shown.kind)
        words = f"{label} of {ours} minus that of {theirs}, slice by slice."
        chart(figure, "slice_gaps", words)
    with right:
        methods = (view.scored, view.rival)
        means = run_state.run_slices(*asked, methods, tuple(drawn["slice"]))
        html(pieces.caption("The means of both"))
        figure = figures.slices(means, methods, view.metric, kind=shown.kind)
        chart(figure, "slices", f"Means of {label} in each slice.")
    browsing.download(gaps, f"gaps {view.run} {view.regime} {view.metric} by {view.by}")


def where_words(gaps: pd.DataFrame) -> str:
    """In one sentence (HTML): in which slices either is better beyond doubt, and how many are open.

    ``gaps`` has the columns of ``compare_slices`` for one regime, pair and metric.
    """
    sides, first = distinguishable(gaps), gaps.iloc[0]
    above, below = side_words(EVERY_METRIC[first["metric"]], first["a"], first["b"])
    parts = []
    for words, side in ((above, 1), (below, -1)):
        own = gaps[sides == side].sort_values("difference", ascending=side < 0)
        if len(own):
            told = f"{words} in {len(own)} of {len(gaps)}"
            parts.append(f"{pieces.strong(told)} ({_some(own)})")
    if not parts:
        parts = [f"In {pieces.strong('none')} of {len(gaps)} are the two told apart"]
    bare = int(np.isnan(gaps["low"]).sum())
    between = len(gaps) - bare - int(np.abs(sides).sum())
    parts += [f"in {between} the interval holds zero"] if between else []
    has = "has" if bare == 1 else "have"
    parts += [f"{bare} {has} too few lines or compounds for an interval"] if bare else []
    return f"{'; '.join(parts)}."


def _some(gaps: pd.DataFrame) -> str:
    """The first slices with their gaps, and how many more there are."""
    names = [f"{row.slice} {number(row.difference, '+')}" for row in gaps.head(NAMED).itertuples()]
    more = len(gaps) - NAMED
    return escape(listed([*names, f"{more} more"] if more > 0 else names))
