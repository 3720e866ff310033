"""The figure of a regime: six metrics side by side, a bar with its interval for each method."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from lgr_core.domain import Change, ValueKind
from lgr_core.evaluation.figures.styles import (
    CONTROL,
    EXTERNAL,
    NEUTRAL,
    ORACLE,
    PERFECT,
    RANDOM,
    Group,
    better,
    method_style,
    number,
)
from lgr_core.evaluation.labels import REGIME_LABELS, panel_metrics
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import EVERY_METRIC, Direction

LEFT_OUT = frozenset({PERFECT, "zero", "global_mean", "hybrid", "llm_genes", "lgr_llm_shrunken"})
"""Methods of the table that the figure leaves out: no rival, or a variant of one that is drawn."""

RETRIEVAL = "#d9622b"
_COLOURS = {
    Group.RETRIEVAL: RETRIEVAL,
    Group.EXTERNAL: EXTERNAL,
    Group.BASELINE: NEUTRAL,
    Group.CONTROL: CONTROL,
    Group.REPLICATE: CONTROL,
}
KEYS = (
    (RETRIEVAL, "retrieval, and methods built on it", False),
    (NEUTRAL, "baselines", False),
    (CONTROL, "controls", True),
)
"""What the colours mean, and whether the bars are hollow."""

_MOST = 16
_SHORT = {
    "replicate_plate": "Repeat, other plate",
    "replicate_twin": "Repeat, other form",
    "replicate_dose": "Repeat, other dose",
    "lgr_llm_tuned": "LGR, LLM tuned",
    "rhaister": "Rhaister",
    "rhaister_o": "Rhaister-O",
    "random_k": "Random drugs",
    "oracle_k": "Oracle",
}
"""Names that must be shorter beside a bar than in a table."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A method's mean on one metric with its 95 % limits, NaN where there are none.

    ``gap`` says that a new group of methods begins with it.
    """

    name: str
    colour: str
    value: float
    low: float
    high: float
    n: int
    control: bool
    gap: bool

    @property
    def known(self) -> bool:
        """Whether the method has a score."""
        return math.isfinite(self.value)

    @property
    def has_interval(self) -> bool:
        """Whether its limits are known."""
        return math.isfinite(self.low)

    @property
    def text(self) -> str:
        """The value beside the bar."""
        return number(self.value)

    @property
    def words(self) -> str:
        """All that is known of it, for a tooltip or who cannot see the figure."""
        if not self.known:
            return f"{self.name}: no score on this metric"
        limits = "no interval"
        if self.has_interval:
            limits = f"95 % interval {number(self.low)} to {number(self.high)}"
        return f"{self.name}: {number(self.value)} ({limits}; {self.n:,} conditions)"


@dataclass(frozen=True, slots=True)
class ScorePanel:
    """One metric: its bars from the top down and the range of its axis, which holds zero."""

    metric: str
    title: str
    better: str
    bars: tuple[Bar, ...]
    low: float
    high: float

    def share(self, value: float) -> float:
        """Where a value lies on the axis, from 0 at its left end to 1 at its right."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class SixPanels:
    """The panels of a regime with their titles; methods stand in the same order in all."""

    title: str
    subtitle: str
    file: str
    panels: tuple[ScorePanel, ...]


def six_panels(
    summary: pd.DataFrame,
    regime: Regime,
    change: Change,
    *,
    kind: ValueKind,
    about: str,
    apart: Collection[str] = (),
) -> SixPanels:
    """The figure of one regime.

    Methods are ordered by the change's first metric, the best first; controls stand below.
    ``apart`` are methods that read what the others may not: a group of their own, the first.

    Parameters
    ----------
    summary
        The regime's rows of the run's table of that name.
    kind
        What the deltas are: said beside metrics that depend on their scale.
    about
        The data in a few words, for the subtitle.
    """
    labels = REGIME_LABELS[regime]
    metrics = [name for name in panel_metrics(change) if (summary["metric"] == name).any()]
    order = _order(summary, _first(change), apart)
    panels = tuple(_panel(summary, name, order, kind) for name in metrics)
    number_of = labels.figure.removeprefix("the paper's figure ")
    named = f"figure {number_of}" if number_of != labels.figure else "strict regime"
    title = labels.label if named == "strict regime" else f"{labels.label} (paper's {named})"
    return SixPanels(
        title,
        f"{about}; means with 95 % intervals",
        f"{named.replace(' ', '_')}_{regime}",
        panels,
    )


def _first(change: Change) -> str:
    return "pearson_delta" if change is Change.TOTAL else "pearson_specific"


def _order(summary: pd.DataFrame, metric: str, apart: Collection[str]) -> list[tuple[str, bool]]:
    """The methods to draw, and whether each begins a group."""
    rows = summary[(summary["metric"] == metric) & summary["mean"].notna()]
    means = dict(zip(rows["method"], rows["mean"], strict=True))
    shown = [name for name in means if name not in LEFT_OUT]

    def group(name: str) -> int:
        return 2 if _is_control(name) else int(bool(apart) and name not in apart)

    ranked = sorted(shown, key=lambda name: (group(name), -means[name], name))
    controls = [name for name in ranked if _is_control(name)]
    room = _MOST - len(controls)
    drawn = [name for name in ranked if not _is_control(name)][:room] + controls
    groups = [group(name) for name in drawn]
    begins = [False, *(a != b for a, b in pairwise(groups))]
    return list(zip(drawn, begins, strict=True))


def _is_control(name: str) -> bool:
    return name in {RANDOM, ORACLE} or method_style(name).group in {Group.CONTROL, Group.REPLICATE}


def _panel(
    summary: pd.DataFrame, metric: str, order: Sequence[tuple[str, bool]], kind: ValueKind
) -> ScorePanel:
    rows, found = summary[summary["metric"] == metric].set_index("method"), EVERY_METRIC[metric]
    bars = tuple(_bar(rows, name, begins) for name, begins in order)
    ends = np.array([[bar.value, bar.low, bar.high] for bar in bars], dtype=float)
    known = ends[np.isfinite(ends)]
    low, high = min(known.min(initial=0.0), 0.0), max(known.max(initial=0.0), 0.0)
    if found.direction is Direction.NEAREST:
        high = max(high, found.best)
    unit = f", {kind.label.partition(' (')[0]}" if found.scale_dependent else ""
    return ScorePanel(
        metric, found.label, better(found) + unit, bars, low, high if high > low else 1.0
    )


def _bar(rows: pd.DataFrame, method: str, begins: bool) -> Bar:  # noqa: FBT001 - a pair of the order
    style = method_style(method)
    name = _SHORT.get(method, style.label)
    colour, control = _COLOURS.get(style.group, NEUTRAL), _is_control(method)
    if method not in rows.index:
        return Bar(name, colour, math.nan, math.nan, math.nan, 0, control, begins)
    row = rows.loc[method]
    n = int(row["n_queries"] - row["n_undefined"])
    return Bar(
        name,
        colour,
        float(row["mean"]),
        float(row["low"]),
        float(row["high"]),
        n,
        control,
        begins,
    )
