"""Scores as HTML tables: metrics beside a reference, mechanisms with their chances."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from html import escape

from lgr_core.metrics import EVERY_METRIC, Direction, Metric
from pages.shared.words import METRIC_WORDS


def metric_table(
    scores: Mapping[str, float], reference: Mapping[str, float], names: Iterable[str], unit: str
) -> str:
    """Metrics of the prediction beside those of the pool mean; the better of the two is bold.

    ``unit`` stands beside every metric that depends on the scale of the data.
    """
    rows = "".join(
        _metric_row(EVERY_METRIC[name], scores[name], reference.get(name, math.nan), unit)
        for name in names
        if name in scores
    )
    head = "<th>metric</th><th>this prediction</th><th>pool mean</th><th>best</th>"
    return f'<table class="lgr-table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _metric_row(metric: Metric, score: float, reference: float, unit: str) -> str:
    words = METRIC_WORDS[metric.formula_of or metric.id]
    words += f" Depends on the scale: {unit}." if metric.scale_dependent else ""
    better = _better(metric, score, reference)
    ours = f"<b>{_number(score)}</b>" if better > 0 else _number(score)
    theirs = f"<b>{_number(reference)}</b>" if better < 0 else _number(reference)
    return (
        f'<tr><td>{escape(metric.label)}<span class="lgr-words">{escape(words)}</span></td>'
        f"<td>{ours}</td><td>{theirs}</td><td>{metric.best:g}</td></tr>"
    )


def _better(metric: Metric, score: float, reference: float) -> int:
    """1 if the score is better than the reference, -1 if worse, 0 if neither can be said."""
    if metric.direction is Direction.NEAREST:
        score, reference = -abs(score - metric.best), -abs(reference - metric.best)
    elif metric.direction is Direction.LOWER:
        score, reference = -score, -reference
    return (score > reference) - (score < reference)


def _number(value: float) -> str:
    return (
        f"{value:.3f}"
        if math.isfinite(value)
        else '<span class="lgr-none" title="its formula divides by zero here">undefined</span>'
    )


def mechanism_table(rows: Iterable[tuple[str, int, float, float, float, str]]) -> str:
    """Mechanisms with their compounds: label, n, chance of ranking above others, p, FDR, drugs."""
    head = "<th>mechanism</th><th>compounds</th><th>ranks above others</th><th>p</th><th>FDR</th>"
    body = "".join(
        f'<tr><td>{escape(label)}<span class="lgr-words">{escape(drugs)}</span></td>'
        f"<td>{n}</td><td>{chance:.0%}</td><td>{p:.2g}</td><td>{fdr:.2g}</td></tr>"
        for label, n, chance, p, fdr, drugs in rows
    )
    return f'<table class="lgr-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
