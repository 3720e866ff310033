"""How the methods of a benchmark are named, grouped, ordered and drawn."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lgr_core.evaluation.registry import REGISTRY, Group
from lgr_core.metrics import Direction, Metric


@dataclass(frozen=True, slots=True)
class MethodStyle:
    """How a method is named and drawn."""

    label: str
    group: Group
    colour: str
    symbol: str


_DIGITS, _PLACES = 3, 6
"""Digits that a score is shown with, and the most places it has after its point."""

NEUTRAL, CONTROL, EXTERNAL = "#74889a", "#98a4ad", "#c2578a"
"""The colours of the paper's baselines, of controls and of predictions of others."""

_STYLES = {
    "best_evidence": ("#b8860b", "hexagram"),
    "kriging": ("#7a5ccf", "star-triangle-up"),
    "hybrid": ("#6b8e23", "star-square"),
    "lgr_llm_shrunken": ("#b0413e", "star-diamond"),
    "lgr_llm_tuned": ("#e08a3c", "star-triangle-up"),
    "impute": ("#9a7d2e", "hexagram-open"),
    "lgr_llm": ("#d9622b", "circle"),
    "lgr_mechanism": ("#0f9d7a", "square"),
    "lgr_chemistry": ("#3d87c9", "diamond"),
    "cell_mean": (NEUTRAL, "circle"),
    "drug_mean": (NEUTRAL, "square"),
    "pca_ridge": (NEUTRAL, "diamond"),
    "chem_knn": (NEUTRAL, "triangle-up"),
    "chemcpa": (NEUTRAL, "cross"),
    "additive": (NEUTRAL, "triangle-down"),
    "rhaister": (NEUTRAL, "pentagon"),
    "profile_ridge": (NEUTRAL, "hexagon"),
    "rhaister_o": (NEUTRAL, "octagon"),
    "pool_mean": (CONTROL, "circle-open"),
    "plate_mean": (CONTROL, "square-open"),
    "global_mean": (CONTROL, "diamond-open"),
    "zero": (CONTROL, "x-thin-open"),
    "llm_genes": (CONTROL, "star-triangle-down-open"),
    "random_k": (CONTROL, "triangle-down-open"),
    "oracle_k": (CONTROL, "star-diamond-open"),
    "truth": (CONTROL, "hexagon-open"),
    "replicate_plate": (CONTROL, "circle-cross-open"),
    "replicate_twin": (CONTROL, "square-cross-open"),
    "replicate_dose": (CONTROL, "diamond-cross-open"),
}
_OF_GROUP = {
    Group.RETRIEVAL: ("#9a6fc4", "pentagon"),
    Group.EXTERNAL: (EXTERNAL, "star"),
    Group.BASELINE: (NEUTRAL, "hourglass"),
    Group.CONTROL: (CONTROL, "hourglass-open"),
    Group.REPLICATE: (CONTROL, "circle-cross-open"),
}
"""Groups in the order in which they are shown, and how methods without a style are drawn."""

RANDOM, ORACLE, PERFECT = "random_k", "oracle_k", "truth"
BESIDE = (RANDOM, ORACLE, PERFECT)
"""Methods without a row in the panels: a band, a line, and the end of the scale."""


def method_style(method: str) -> MethodStyle:
    """How a method is named and drawn; one that is not in the registry is someone else's."""
    entry = REGISTRY.get(method)
    label, group = (method, Group.EXTERNAL) if entry is None else (entry.label, entry.group)
    colour, symbol = _OF_GROUP[group] if entry is None else _STYLES.get(method, _OF_GROUP[group])
    return MethodStyle(label, group, colour, symbol)


def ordered(methods: Iterable[str]) -> list[str]:
    """Methods as they are shown: retrieval, predictions of others, baselines, controls."""
    groups, known = list(_OF_GROUP), list(_STYLES)

    def place(method: str) -> tuple[int, int, str]:
        rank = known.index(method) if method in _STYLES else len(known)
        return groups.index(method_style(method).group), rank, method

    return sorted(methods, key=place)


def number(value: float, sign: str = "-") -> str:
    """A score as plain text, in three digits and at most six places; without a value a word.

    A smaller one is "<0.000001" or ">-0.000001": on its side of zero. Nil has no sign.
    """
    if not math.isfinite(value):
        return "none"
    if not value:
        return "0.000"
    least = 10.0**-_PLACES
    if abs(value) < least:
        return f"<{least:f}" if value > 0 else f">{-least:f}"
    exponent = int(f"{value:.{_DIGITS - 1}e}".partition("e")[2])
    places = min(max(_DIGITS - 1 - exponent, 0), _PLACES)
    return f"{value:{sign},.{places}f}"


def better(metric: Metric) -> str:
    """Which way a metric is better, in words."""
    match metric.direction:
        case Direction.HIGHER:
            return "higher is better"
        case Direction.LOWER:
            return "lower is better"
        case Direction.NEAREST:
            return f"nearest to {metric.best:g} is better"


def side_words(metric: Metric, a: str, b: str) -> tuple[str, str]:
    """What ``a - b`` above and below zero say: who is better, where that shows, else who is higher.

    Names are as they are read, not escaped.
    """
    ours, theirs = method_style(a).label, method_style(b).label
    match metric.direction:
        case Direction.HIGHER:
            return f"{ours} is better", f"{theirs} is better"
        case Direction.LOWER:
            return f"{theirs} is better", f"{ours} is better"
        case Direction.NEAREST:
            return f"{ours} is higher", f"{theirs} is higher"
