"""Reliability and risk-coverage curves of trust, coverage of its intervals, and its levels."""

from __future__ import annotations

import numpy as np
import pandas as pd

from lgr_core.domain import FloatArray, IntArray
from lgr_core.evaluation.calibration import QUERY, SCORE, by_method
from lgr_core.evaluation.summary import slice_by, summarise
from lgr_core.prediction.trust import TrustLevel, level_of

TENTHS = 10
KEPT = tuple(np.arange(0.1, 1.01, 0.1).round(1))
_KEYS = ["regime", "method"]


def reliability(expectations: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Expected and observed Pearson r by tenths of the expected, with clustered 95 % intervals.

    ``error`` is the expected calibration error of the regime and method: the mean over its
    conditions of the distance between both means of their tenth.
    """
    rows = []
    for (regime, method), group in by_method(expectations[expectations["expected"].notna()]):
        tenth = _tenths(group["expected"].to_numpy())
        scores = _scores(group, SCORE).assign(tenth=tenth)
        found = slice_by(scores, "tenth", seed=seed)
        expected = group["expected"].groupby(tenth).mean()
        found = found.assign(method=method, regime=regime, expected=expected.to_numpy())
        gap = (found["expected"] - found["mean"]).abs()
        rows.append(found.assign(error=(gap * found["n_queries"]).sum() / len(group)))
    columns = [*_KEYS, "tenth", "expected", "observed", "low", "high", "n_queries", "error"]
    table = pd.concat(rows) if rows else pd.DataFrame(columns=[*columns, "slice", "mean"])
    return table.drop(columns="tenth", errors="ignore").rename(
        columns={"slice": "tenth", "mean": "observed"}
    )[columns]


def risk_coverage(expectations: pd.DataFrame) -> pd.DataFrame:
    """Mean Pearson r of the most trusted conditions, by the share that is kept.

    ``oracle`` is what keeping the best by the truth would give, ``gain`` the rise over keeping all.
    """
    rows = []
    for (regime, method), group in by_method(expectations[expectations["expected"].notna()]):
        score = group[SCORE].to_numpy()
        by_trust = score[np.argsort(-group["expected"].to_numpy(), kind="stable")]
        best = np.sort(score)[::-1]
        for share in KEPT:
            n = max(1, round(share * len(score)))
            kept = by_trust[:n].mean()
            found = (regime, method, share, n, kept, best[:n].mean(), kept - score.mean())
            rows.append(found)
    columns = [*_KEYS, "kept", "n_queries", "mean", "oracle", "gain"]
    return pd.DataFrame(rows, columns=columns)


def intervals(expectations: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Coverage of the 90 % intervals of genes, and of the Pearson r, one row a regime and method.

    With clustered 95 % limits of the genes' coverage; ``width`` is the median half-width in units
    of the spread of measured effects.
    """
    expectations = expectations[expectations["expected"].notna()]
    if expectations.empty:
        return pd.DataFrame(columns=[*_KEYS, "coverage", "low", "high", "width", "score_coverage"])
    found = summarise(_scores(expectations, "covered"), seed=seed)
    inside = (expectations[SCORE] >= expectations["low"]) & (
        expectations[SCORE] <= expectations["high"]
    )
    each = expectations.assign(inside=inside).groupby(_KEYS, observed=True)
    about = pd.DataFrame({"width": each["width"].median(), "score_coverage": each["inside"].mean()})
    keys = found[_KEYS].astype(str)
    about = about.reset_index().astype(dict.fromkeys(_KEYS, str))
    table = keys.assign(**found[["mean", "low", "high", "n_queries", "n_clusters"]])
    return table.rename(columns={"mean": "coverage"}).merge(about, on=_KEYS)


def levels(expectations: pd.DataFrame, repeat: float | None) -> pd.DataFrame:
    """How many conditions and parent compounds have each level, a row a regime and method.

    Every condition as it is calibrated without its line and its parent; a parent has the level that
    most of its conditions have. ``repeat`` is what a repeat of the experiment reaches.
    """
    rows = []
    for (regime, method), group in by_method(expectations[expectations["expected"].notna()]):
        limits = group[["expected", "low"]].itertuples(index=False)
        each = pd.Series([str(level_of(r, low, repeat)) for r, low in limits], index=group.index)
        most = each.groupby(group["parent"].astype(str)).agg(lambda found: found.mode().iloc[0])
        counted = [int((most == level).sum()) for level in TrustLevel]
        rows.append([regime, method, len(group), len(most), *counted])
    return pd.DataFrame(rows, columns=[*_KEYS, "n_queries", "n_parents", *TrustLevel])


def _tenths(values: FloatArray) -> IntArray:
    """(n,) from 1: equal shares in order of value."""
    place = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return place * min(TENTHS, len(values)) // len(values) + 1


def _scores(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column as a table of scores."""
    value = table[column].to_numpy(float)
    return table[[*_KEYS, *QUERY]].assign(metric=column, value=value, k_used=np.nan)
