"""Trust and the noise ceiling of a benchmark as tables and sentences for readers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from lgr_core.evaluation.figures import method_style, number, ordered
from lgr_core.evaluation.tables import Cell, Table, method_cell

WHAT_TRUST_IS = (
    "Trust is what a method expects of itself before the truth is read: the Pearson r of each "
    "prediction, learned on held-out conditions that share neither line nor compound with it."
)
NOT_CALIBRATED = (
    "This run calibrated no trust: it is older than that, or holds no method that says what its "
    "predictions stand on."
)
NO_CEILING = (
    "Of no condition of this atlas are changes on several plates known, so nothing tells how far "
    "its measurements repeat, and no ceiling is known."
)
_HALF = 0.5


def calibrated(intervals: pd.DataFrame, preferred: Sequence[str], most: int = 3) -> list[str]:
    """The methods of one regime to draw: the preferred ones that have trust, else the first."""
    known = ordered(intervals["method"].unique()) if len(intervals) else []
    return [name for name in preferred if name in known] or known[:most]


def trust_table(
    intervals: pd.DataFrame, reliability: pd.DataFrame, risk_coverage: pd.DataFrame
) -> Table:
    """One regime's trust: calibration error, coverage, the gain of abstaining; a row per method."""
    error = reliability.drop_duplicates("method").set_index("method")["error"]
    half = risk_coverage[risk_coverage["kept"] == _HALF].set_index("method")
    own = intervals.set_index("method")
    rows = [
        [
            method_cell(name),
            Cell(number(error[name])),
            _share(own.loc[name]),
            Cell(f"{own.loc[name, 'score_coverage']:.1%}"),
            Cell(number(half.loc[name, "gain"], "+")),
            Cell(f"{own.loc[name, 'n_queries']:,}"),
        ]
        for name in ordered(own.index)
    ]
    head = [
        Cell("method"),
        Cell("calibration error", ("mean distance of expected and observed r",)),
        Cell("genes in their 90 % interval", ("with 95 % interval, clustered",)),
        Cell("r in its 90 % interval", ("of the expected Pearson r",)),
        Cell("gain of keeping half", ("mean Pearson r of the more trusted half over that of all",)),
        Cell("conditions"),
    ]
    return Table(head, rows)


def half_words(risk_coverage: pd.DataFrame, method: str) -> str:
    """What keeping the more trusted half of the conditions does to a method's mean."""
    own = risk_coverage[risk_coverage["method"] == method].set_index("kept")
    half, every = own.loc[_HALF], own.loc[1.0]
    return (
        f"{method_style(method).label}: the more trusted half "
        f"(n = {half['n_queries']:,.0f}) has a mean Pearson r of {number(half['mean'])}, "
        f"all {every['n_queries']:,.0f} have "
        f"{number(every['mean'])} ({number(half['gain'], '+')})."
    )


def ceiling_table(ceiling: pd.DataFrame) -> Table:
    """The noise ceiling of each cell line, beside the agreement of plates that it comes from."""
    rows = [
        [
            Cell(str(row.cell_line)),
            _number(row.ceiling),
            _number(row.replicate_r),
            _number(row.reliability),
            Cell(f"{row.n_plates:.1f}"),
            Cell(f"{row.n_conditions:,}"),
        ]
        for row in ceiling.itertuples()
    ]
    head = [
        Cell("cell line"),
        Cell("ceiling", ("Pearson r that a perfect prediction would reach",)),
        Cell("two plates agree", ("mean Pearson r",)),
        Cell("reliability", ("of the mean over plates",)),
        Cell("plates a condition"),
        Cell("conditions"),
    ]
    return Table(head, rows)


def ceiling_words(ceiling: pd.DataFrame) -> str:
    """The limit in a sentence: the mean over lines, weighted by conditions."""
    known = ceiling.dropna(subset=["ceiling"])
    if known.empty:
        return "Plates do not agree more than by chance: no method can be told from noise here."
    n = known["n_conditions"]
    mean = float((known["ceiling"] * n).sum() / n.sum())
    return (
        f"Two plates of one condition never agree fully, so no method can reach a Pearson r of 1. "
        f"A prediction without any error would reach about {mean:.2f} (mean over "
        f"{n.sum():,} conditions on several plates in {len(known):,} cell lines). Predictions made "
        "from drugs of the very plates they are scored on share their errors, and may pass it."
    )


def _share(row: pd.Series) -> Cell:
    known = math.isfinite(row["low"])
    limits = f"{row['low']:.1%} to {row['high']:.1%}" if known else "no interval"
    return Cell(f"{row['coverage']:.1%}", (limits,))


def _number(value: float) -> Cell:
    return Cell(f"{value:.2f}") if math.isfinite(value) else Cell("none", missing=True)
