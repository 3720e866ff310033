"""Texts in a benchmark's tables: coverage, notes, the run's config, what was fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from lgr_core.domain import ValueKind
from lgr_core.evaluation.bootstrap import interval_note, parse_clusters
from lgr_core.evaluation.figures import method_style
from lgr_core.evaluation.folds import FoldKey
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import Regime
from lgr_core.metrics import EVERY_METRIC

_NAMES = {
    "build_id": "build of the atlas",
    "value_kind": "values",
    "n_panel": "genes scored",
    "lgr_version": "version of LGR Explorer",
    "code": "digest of its source",
    "k": "neighbours (k)",
    "random_seeds": "draws of random drugs",
    "one_per_parent": "one form of a compound among neighbours",
    "curve_queries": "conditions tried with other k",
    "guests": "predictions of others",
    "versions": "software",
    "started_at": "started",
    "finished_at": "finished",
}
_CHOSEN = {"hybrid": ("least confidence",), "pca_ridge": ("components", "penalty")}
"""Names of what these methods chose, which record bare numbers."""

_CLUSTERS = {"parent": "compound", "cell_line": "cell line"}
"""The ways of clustering as readers know them."""

_APART = ("fitted", "metrics", "sha256")
"""What a config records and its list of facts does not show."""


def coverage(summary: pd.DataFrame) -> tuple[str, list[str]]:
    """The coverage that most of a method's metrics share, and notes on those that differ."""
    shares = summary.set_index("metric")["coverage"]
    words = shares.map("{:.0%}".format).mask(shares == 0, "none")
    found = words[shares > 0]
    if found.empty:
        return "none", []
    usual = found.mode().iloc[0]
    others = {share: words.index[words == share] for share in words.unique() if share != usual}
    return usual, [
        f"{'undefined' if share == 'none' else f'coverage {share}'}: "
        + "; ".join(EVERY_METRIC[metric].label for metric in metrics)
        for share, metrics in others.items()
    ]


def cluster_words(column: str) -> str:
    """The numbers of clusters in a run's table, for readers."""
    return " and ".join(f"{n} {way}" for way, n in _clusters(column).items())


def _clusters(column: str) -> dict[str, int]:
    """Numbers of clusters by the name that readers know, in the plural but for one."""
    return {
        f"{_CLUSTERS.get(way, way)}{'' if n == 1 else 's'}": n
        for way, n in parse_clusters(column).items()
    }


def notes(summary: pd.DataFrame) -> list[str]:
    """Why a method's means have no interval, each reason once.

    Metrics without a value count only where no other metric has one.
    """
    defined = summary[summary["coverage"] > 0]
    columns = (summary if defined.empty else defined)["clusters"]
    words = dict.fromkeys(interval_note(_clusters(column)) for column in columns)
    return [note for note in words if note]


def outcomes(scores: pd.DataFrame) -> dict[str, list[str]]:
    """For each method the queries that were not answered, counted by what became of them."""
    query = ["method", "cell_line", "drug", "dose_um"]
    lost = scores[scores["status"] != "ok"].drop_duplicates(query)
    words: dict[str, list[str]] = {}
    for (method, status), n in lost.groupby(["method", "status"], observed=True).size().items():
        words.setdefault(method, []).append(f"{n:,} {status.replace('_', ' ')}")
    return words


def config_words(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a run's config records, by name; without what is empty or off, and what was fitted."""
    words_by_name = {
        **config,
        "value_kind": ValueKind(config["value_kind"]).label,
        "regimes": "; ".join(REGIME_LABELS[Regime(name)].label for name in config["regimes"]),
        "methods": "; ".join(method_style(name).label for name in config.get("methods", ())),
    }
    return [
        (_NAMES.get(name, name.replace("_", " ")), plain(value))
        for name, value in words_by_name.items()
        if name not in _APART and plain(value)
    ]


class Choice(NamedTuple):
    """What a method chose most often in the folds of a regime, in how many of them."""

    words: str
    n: int
    folds: int


def choices(fitted: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[Regime, Choice]]:
    """What each method chose on training rows, by regime.

    ``fitted`` is by :class:`FoldKey` as text, as a config has it.
    """
    found: dict[str, dict[Regime, Counter[str]]] = {}
    for key, by_method in fitted.items():
        regime = FoldKey.parse(key).regime
        for method, value in by_method.items():
            each = found.setdefault(method, {}).setdefault(regime, Counter())
            each[plain(_with_names(_CHOSEN[method], value) if method in _CHOSEN else value)] += 1
    return {
        method: {
            regime: Choice(*counts.most_common(1)[0], counts.total())
            for regime, counts in regimes.items()
        }
        for method, regimes in found.items()
    }


def _with_names(names: Sequence[str], value: object) -> dict[str, object]:
    values = value if isinstance(value, list | tuple) else [value]
    return dict(zip(names, values, strict=True))


def plain(value: object) -> str:
    """A stored value as text; what is missing, empty or off is nothing."""
    if isinstance(value, Mapping):
        return "; ".join(_pairs(value))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, map(_inner, value)))
    if isinstance(value, bool):
        return "yes" if value else ""
    if value is None or pd.isna(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pairs(value: Mapping[str, Any]) -> list[str]:
    words_by_name = {name: _inner(each) for name, each in value.items() if name not in _APART}
    return [f"{name.replace('_', ' ')} {words}" for name, words in words_by_name.items() if words]


def _inner(value: object) -> str:
    """A value within another: a mapping in brackets, of one with a name alone the name."""
    if not isinstance(value, Mapping):
        return plain(value)
    if "name" in value:
        return plain(value["name"])
    pairs = _pairs(value)
    return f"({', '.join(pairs)})" if pairs else ""
