"""How a prediction scores beside its rivals, random picks and a repeat, as bars with numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from lgr_core.answer.repeat import repeat_correlation
from lgr_core.evaluation.registry import REGISTRY
from lgr_core.figures.method_bars import BarKind, ScoreBar, method_bars
from lgr_core.metrics import EVERY_METRIC
from pages.predict.comparing import Contest
from pages.shared import pieces, state
from pages.shared.charts import chart
from pages.shared.widgets import html
from pages.shared.words import count

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

REPEAT = "A repeat of the experiment"


def show(contest: Contest) -> Figure:
    """A bar a method, the highest first below the repeat, and the band of random picks."""
    metric = contest.strips[0]
    draws = contest.found.random[metric]
    html(
        pieces.section(
            "How it scores beside its rivals",
            f"Grey band: 95 % of {count(len(draws), 'random pick')} of as many drugs. Oracle k "
            "reads the truth: a reference, no prediction.",
        )
    )
    found = bars(contest)
    figure = method_bars(found, draws, title=EVERY_METRIC[metric].label)
    words = "; ".join(f"{bar.label} {bar.words}" for bar in found)
    chart(figure, "score_bars", f"{EVERY_METRIC[metric].label}: {words}.")
    return figure


def bars(contest: Contest) -> list[ScoreBar]:
    """The repeat, then this prediction among its rivals by score, then who has no answer."""
    answer = contest.view.answer
    reader = state.reader(contest.view.asked.store, answer.change)
    repeat = ScoreBar(REPEAT, repeat_correlation(answer, reader), BarKind.REPEAT, "no repeat")
    rows = [ScoreBar(contest.ours, answer.correlation, BarKind.OURS, "undefined")]
    for name, rival in contest.found.baselines.items():
        kind = BarKind.RIVAL if name == contest.rival.method else BarKind.METHOD
        missing = "undefined" if rival.scores else "no answer"
        score = rival.scores.get(contest.strips[0])
        rows.append(ScoreBar(REGISTRY[name].label, score, kind, missing))
    return [repeat, *sorted(rows, key=_order)]


def _order(bar: ScoreBar) -> float:
    return math.inf if bar.known is None else -bar.known
