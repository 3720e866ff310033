"""Mean scores of the methods side by side: a panel per metric, paired gaps, slices."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from lgr_core.domain import ValueKind
from lgr_core.evaluation.figures.dot_plot import (
    FALLBACK,
    Dot,
    axis_words,
    band,
    divider,
    draw_rows,
    head_of,
    rows_layout,
    upright,
)
from lgr_core.evaluation.figures.styles import (
    BESIDE,
    CONTROL,
    ORACLE,
    PERFECT,
    RANDOM,
    MethodStyle,
    better,
    method_style,
    number,
    ordered,
    side_words,
)
from lgr_core.evaluation.paired_comparison import distinguishable
from lgr_core.figures.prediction import DOWN, NOISE, TRUTH, UP
from lgr_core.metrics import EVERY_METRIC

_SLICES_HEAD = head_of(4)
"""Figures of slices stand side by side: whatever their legends, their rows are level."""


def metric_panel(
    summary: pd.DataFrame,
    seeds: pd.DataFrame,
    metric: str,
    *,
    kind: ValueKind,
    apart: Collection[str] = (),
) -> go.Figure:
    """A metric's mean and 95 % interval of each method, one row a method.

    A method that answered every query by its fallback is marked as such.

    Parameters
    ----------
    summary, seeds
        One regime's rows of the run's tables of these names.
    metric
        An id of the table of metrics.
    kind
        What the deltas are: on the axis of a metric that depends on their scale.
    apart
        Methods that read what the others may not: drawn first, above a line.
    """
    rows = summary[summary["metric"] == metric].set_index("method")
    shown = [name for name in ordered(rows.index) if name not in BESIDE]
    shown.sort(key=lambda name: name not in apart)
    places = _places(shown, apart)
    figure = draw_rows([_dot(rows.loc[name], name, y) for name, y in places.items()])
    found = EVERY_METRIC[metric]
    return rows_layout(
        figure,
        {y: _label(rows.loc[name], name) for name, y in places.items()},
        ends={y: number(rows.loc[name, "mean"]) for name, y in places.items()},
        axis=axis_words(found, kind),
        title=f"{found.label}, {better(found)}",
        shapes=_references(rows, seeds[seeds["metric"] == metric]) + _divider(places, apart),
    )


def gaps(pairs: pd.DataFrame, rival: str, metric: str, *, kind: ValueKind) -> go.Figure:
    """The paired difference of each method and a rival on a metric, with its 95 % interval.

    ``pairs`` are one regime's rows of :func:`against`.
    """
    rows = pairs[pairs["metric"] == metric].set_index("a")
    shown = [name for name in ordered(rows.index) if name != PERFECT]
    places = {name: float(y) for y, name in enumerate(shown)}
    dots = [_gap_dot(rows.loc[name], method_style(name), y) for name, y in places.items()]
    found = EVERY_METRIC[metric]
    return rows_layout(
        draw_rows(dots),
        {y: method_style(name).label for name, y in places.items()},
        ends={y: number(rows.loc[name, "difference"], "+") for name, y in places.items()},
        axis=axis_words(found, kind),
        title=f"{found.label}, minus that of {escape(method_style(rival).label)}",
        shapes=[upright(0.0, NOISE, "solid")],
    )


def against(pairs: pd.DataFrame, rival: str) -> pd.DataFrame:
    """The paired differences of each method and a rival, whichever way round the table has them.

    ``a`` is the method, ``b`` the rival: turned rows have their signs, limits and win rate turned,
    without a negative zero.
    """
    straight = pairs[pairs["b"] == rival]
    turned = pairs[pairs["a"] == rival]
    turned = turned.assign(
        a=turned["b"],
        b=turned["a"],
        difference=0.0 - turned["difference"],
        low=0.0 - turned["high"],
        high=0.0 - turned["low"],
        win_rate=1 - turned["win_rate"],
    )
    return pd.concat([straight, turned], ignore_index=True)


def slices(
    table: pd.DataFrame, methods: Sequence[str], metric: str, *, kind: ValueKind
) -> go.Figure:
    """A metric's mean in each slice of the conditions, for one or more methods side by side.

    ``table`` has the columns of ``slice_by`` for one regime and metric; slices are drawn in its
    order, those without a label as "not known".
    """
    places, labels = pd.factorize(table["slice"], use_na_sentinel=False)
    rows = table.assign(y=places.astype(float))
    apart = np.linspace(-0.18, 0.18, len(methods)) if len(methods) > 1 else [0.0]
    dots = [
        _dot(row, method, row["y"] + shift)
        for method, shift in zip(methods, apart, strict=True)
        for _, row in rows[rows["method"] == method].iterrows()
    ]
    return rows_layout(
        draw_rows(dots, named=True),
        {float(y): slice_words(label) for y, label in enumerate(labels)},
        ends={y: f"n {n:,}" for y, n in rows.groupby("y")["n_queries"].max().items()},
        axis=axis_words(EVERY_METRIC[metric], kind),
        head=_SLICES_HEAD,
    )


def slice_gaps(table: pd.DataFrame, *, kind: ValueKind) -> go.Figure:
    """The paired difference of two methods in each slice, coloured where its interval misses zero.

    ``table`` has the columns of ``compare_slices`` for one regime; slices are drawn in its order.
    """
    sides = distinguishable(table)
    dots = [
        _gap_dot(row, _side(row, side), float(y))
        for y, ((_, row), side) in enumerate(zip(table.iterrows(), sides, strict=True))
    ]
    return rows_layout(
        draw_rows(dots, named=True),
        {float(y): slice_words(label) for y, label in enumerate(table["slice"])},
        ends={float(y): f"n {n:,}" for y, n in enumerate(table["n_common"])},
        axis=f"difference in {axis_words(EVERY_METRIC[table['metric'].iloc[0]], kind)}",
        head=_SLICES_HEAD,
        shapes=[upright(0.0, NOISE, "solid")],
    )


def slice_words(label: object) -> str:
    """A slice as it is named beside its row."""
    if pd.isna(label):
        return "not known"
    if isinstance(label, bool | np.bool_):
        return "yes" if label else "no"
    return str(label)


def _dot(row: pd.Series, method: str, y: float) -> Dot:
    words = f"<br>n = {row['n_queries'] - row['n_undefined']:,} of {row['n_queries']:,}"
    words += "<br>all answered by its fallback" if _fell_back(row) else ""
    return Dot(method_style(method), y, row["mean"], row["low"], row["high"], words)


def _label(row: pd.Series, method: str) -> str:
    return method_style(method).label + (FALLBACK if _fell_back(row) else "")


def _fell_back(row: pd.Series) -> bool:
    """Whether a method answered every query by its fallback; slices do not say."""
    return bool(row.get("fallback_share") == 1)


def _gap_dot(row: pd.Series, how: MethodStyle, y: float) -> Dot:
    words = f"<br>wins {row['win_rate']:.0%} of {row['n_common']:,}"
    return Dot(how, y, row["difference"], row["low"], row["high"], words)


def _side(row: pd.Series, side: int) -> MethodStyle:
    """How a difference is drawn that lies above zero (1), below (-1), or cannot be told from it."""
    plain = replace(method_style(row["a"]), colour=NOISE, symbol="circle")
    if not math.isfinite(row["low"]):
        return replace(plain, label="no interval", symbol="circle-open")
    if not side:
        return replace(plain, label="not told apart")
    above, x_title = side_words(EVERY_METRIC[row["metric"]], row["a"], row["b"])
    known = {1: (above, UP, "triangle-right"), -1: (x_title, DOWN, "triangle-left")}
    label, colour, symbol = known[side]
    return replace(plain, label=label, colour=colour, symbol=symbol)


def _places(methods: Sequence[str], apart: Collection[str]) -> dict[str, float]:
    """The row of each method, with half a row between groups and one below those apart."""
    places, y, before = {}, 0.0, None
    for name in methods:
        here = (name in apart, method_style(name).group)
        if before is not None:
            y += 1.0 + 0.8 * (before[0] != here[0]) + 0.35 * (before[1] != here[1])
        places[name], before = y, here
    return places


def _references(rows: pd.DataFrame, seeds: pd.DataFrame) -> list[dict[str, Any]]:
    """The range of the random draws' means over their seeds, and the oracle's mean."""
    shapes = []
    drawn = seeds.loc[seeds["method"] == RANDOM, "mean"]
    if drawn.notna().any():
        shapes.append(band(drawn.min(), drawn.max(), CONTROL))
    if ORACLE in rows.index and math.isfinite(rows.loc[ORACLE, "mean"]):
        shapes.append(upright(rows.loc[ORACLE, "mean"], TRUTH, "dash"))
    return shapes


def _divider(places: dict[str, float], apart: Collection[str]) -> list[dict[str, Any]]:
    first = [y for name, y in places.items() if name in apart]
    return [divider(first[-1] + 0.9)] if first else []
