"""A benchmark's tables for readers: rows of cells as plain text, laid out by the templates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lgr_core.domain import Evidence, ValueKind
from lgr_core.evaluation.figures import Group, against, better, method_style, number, ordered
from lgr_core.evaluation.labels import REGIME_LABELS
from lgr_core.evaluation.regimes import UNKNOWN, Regime, reads_of
from lgr_core.evaluation.table_labels import (
    Choice,
    choices,
    cluster_words,
    coverage,
    notes,
    outcomes,
    plain,
)
from lgr_core.metrics import EVERY_METRIC, Direction


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as plain text: lines of ``text``, and smaller ``notes`` below.

    ``missing`` text stands for a value that is not there, for the reason in ``title``; ``colour``
    is that of a mark before the text.
    """

    text: str
    notes: tuple[str, ...] = ()
    bold: bool = False
    missing: bool = False
    title: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; columns are aligned as numbers, those whose heads are ``text_columns`` as text."""

    head: Sequence[Cell]
    rows: Sequence[Sequence[Cell]]
    text_columns: frozenset[str] = frozenset()


def mean_table(summary: pd.DataFrame, metrics: Iterable[str], kind: ValueKind) -> Table:
    """One regime's means with their intervals; the best that is no control is bold.

    One row per method. ``summary`` has the regime's rows of the run's table of that name.
    """
    columns = [name for name in metrics if (summary["metric"] == name).any()]
    values = summary.set_index(["method", "metric"])
    best = {name: _best(summary, name) for name in columns}
    rows = [
        [method_cell(method)] + [_mean(values.loc[(method, name)], best[name]) for name in columns]
        for method in ordered(summary["method"].unique())
    ]
    return Table([Cell("method"), *(_metric_head(name, kind) for name in columns)], rows)


def method_table(summary: pd.DataFrame, evidence: pd.DataFrame, scores: pd.DataFrame) -> Table:
    """What each method's means in one regime rest on: evidence, coverage, k, fallbacks.

    ``scores`` are the regime's rows of one metric or more, read for the queries without a score.
    """
    reads, unanswered = evidence.set_index("method"), outcomes(scores)
    rows = []
    for method in ordered(summary["method"].unique()):
        own = summary[summary["method"] == method]
        covered, others = coverage(own)
        remarks = notes(own) + others + unanswered.get(method, [])
        texts = (
            _reads(reads.loc[method]) if method in reads.index else "not recorded",
            covered,
            f"{own['n_queries'].max():,}",
            cluster_words(own["clusters"].iloc[own["n_clusters"].argmax()]),
            _formatted(own["k_used"].max(), ".1f"),
            _formatted(own["fallback_share"].max(), ".0%"),
            "\n".join(remarks),
        )
        rows.append([method_cell(method), *map(Cell, texts)])
    head = ["method", "reads", "coverage", "conditions", "clusters", "mean k used", "fallback"]
    return Table(
        [Cell(name) for name in (*head, "note")], rows, frozenset({"reads", "clusters", "note"})
    )


def gap_table(pairs: pd.DataFrame, rival: str, metrics: Iterable[str], kind: ValueKind) -> Table:
    """One regime's paired gaps to a rival, with win rates and common conditions.

    One row per method.
    """
    gaps = against(pairs, rival)
    columns = [name for name in metrics if (gaps["metric"] == name).any()]
    values = gaps.set_index(["a", "metric"])
    rows = [
        [method_cell(method)] + [_gap(values.loc[(method, name)]) for name in columns]
        for method in ordered(gaps["a"].unique())
    ]
    return Table([Cell("method"), *(_metric_head(name, kind) for name in columns)], rows)


def fitted_table(config: Mapping[str, Any]) -> Table:
    """What methods chose most often on training rows, by regime."""
    chosen = choices(config.get("fitted", {}))
    shown = [regime for regime in REGIME_LABELS if any(regime in each for each in chosen.values())]
    heads = [f"chosen most often: {REGIME_LABELS[regime].label}" for regime in shown]
    rows = [
        [method_cell(method), *(_choice(chosen[method].get(regime)) for regime in shown)]
        for method in ordered(chosen)
    ]
    return Table([Cell(name) for name in ("method", *heads)], rows, frozenset(heads))


# -- cells -----------------------------------------------------------------------------------------


def method_cell(method: str) -> Cell:
    """A method as the first cell of a row."""
    style = method_style(method)
    notes = () if style.group is Group.EXTERNAL else (method,)
    return Cell(style.label, notes, colour=style.colour)


def _metric_head(name: str, kind: ValueKind) -> Cell:
    metric = EVERY_METRIC[name]
    unit = f", {kind.label}" if metric.scale_dependent else ""
    return Cell(metric.label, (better(metric) + unit,))


def _mean(row: pd.Series, best: float) -> Cell:
    if not math.isfinite(row["mean"]):
        return Cell("none", missing=True, title=plain(row["note"]))
    mean = number(row["mean"])
    is_best = mean == number(best) and not _is_control(row.name[0])
    return Cell(mean, (_limits(row),), bold=is_best)


def _gap(row: pd.Series) -> Cell:
    if not row["n_common"]:
        return Cell("none in common", missing=True)
    wins = f"wins {row['win_rate']:.0%} of {row['n_common']:,}"
    return Cell(number(row["difference"], "+"), (_limits(row), wins))


def _limits(row: pd.Series) -> str:
    known = math.isfinite(row["low"])
    return f"{number(row['low'])} to {number(row['high'])}" if known else "no interval"


def _best(summary: pd.DataFrame, metric: str) -> float:
    rows = summary[summary["metric"] == metric]
    means = rows.loc[[not _is_control(method) for method in rows["method"]], "mean"].dropna()
    if means.empty:
        return math.nan
    match EVERY_METRIC[metric].direction:
        case Direction.HIGHER:
            return means.max()
        case Direction.LOWER:
            return means.min()
        case Direction.NEAREST:
            return means.loc[(means - EVERY_METRIC[metric].best).abs().idxmin()]


def _is_control(method: str) -> bool:
    return method_style(method).group in {Group.CONTROL, Group.REPLICATE}


def _reads(row: pd.Series) -> str:
    """What a method declares in the run's table of evidence, in today's words."""
    if row["evidence"] == UNKNOWN:
        return row["reads"]
    declared = [kind for kind in Evidence if kind in row["evidence"]]
    return reads_of(Regime(row["regime"]), declared)


def _choice(found: Choice | None) -> Cell:
    if found is None:
        return Cell("")
    return Cell(found.words, (f"{found.n} of {found.folds} folds",))


def _formatted(value: float, form: str) -> str:
    return f"{value:{form}}" if math.isfinite(value) else ""
