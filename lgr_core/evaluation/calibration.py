"""How far trust can be trusted: calibrations fitted and tested on held-out conditions.

The table of trust has one row a regime, method and query: names, the features of
:mod:`lgr_core.prediction.trust`, error sizes at ``LEVELS``, and the Pearson r that came out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq, isotonic_regression

from lgr_core.domain import Evidence, FloatArray, IntArray
from lgr_core.errors import InputError
from lgr_core.evaluation.statistics import slice_by, summarise
from lgr_core.metrics import pearson_delta
from lgr_core.prediction.batch import Method, Predictions
from lgr_core.prediction.hybrid import Hybrid, Shrunken
from lgr_core.prediction.retrieved import Retrieved
from lgr_core.prediction.trust import (
    FEATURES,
    LEVELS,
    NOMINAL,
    Calibration,
    Surroundings,
    coverage,
    error_levels,
)
from lgr_core.prediction.weighted import Weighted
from lgr_core.retrieval.blocks import Block

SCORE = "pearson_delta"
ERRORS = tuple(f"error_{level:g}" for level in LEVELS)
"""Columns of error sizes, one a level."""

FOLDS = 5
ENOUGH = 30
"""With fewer conditions to learn from, a calibration is their mean."""

TENTHS = 10
KEPT = tuple(np.arange(0.1, 1.01, 0.1).round(1))
_NAMING = (Retrieved, Shrunken, Hybrid, Weighted)
_PENALTY = 0.05
_TAILS = (0.05, 0.95)
_TOLD = ("expected", "low", "high", "width", "covered")
_KEYS = ["regime", "method"]
_QUERY = ["cell_line", "parent", "drug", "dose_um"]


def fit(table: pd.DataFrame) -> Calibration:
    """The calibration of the conditions of one regime and method, at least one."""
    known, score = table[list(FEATURES)].to_numpy(float), table[SCORE].to_numpy(float)
    errors = table[list(ERRORS)].to_numpy(float)
    center = known.mean(axis=0)
    slopes = _slopes(known - center, score)
    index = (known - center) @ slopes
    at, expected = _isotonic(index, score)
    low, high = _limits(index, _residuals(index, score), at)
    nominal = np.log(np.maximum(errors[:, LEVELS.index(NOMINAL)], np.finfo(np.float32).tiny))
    width_slopes = _slopes(known - center, nominal)
    shape = np.exp((known - center) @ width_slopes)
    seen = tuple(tuple(side.tolist()) for side in (known.min(axis=0), known.max(axis=0)))
    return Calibration(
        seen,
        *(tuple(map(float, x)) for x in (center, slopes, at, expected, low, high, width_slopes)),
        width=_width(errors, shape),
    )


def cross_fitted(table: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """The table with what a calibration says that saw neither the row's line nor its parent.

    Columns ``expected``, ``low``, ``high`` of the Pearson r, ``width`` of a gene's interval and
    ``covered``, the share of genes in it; NaN where too little is left to learn from.
    """
    parts = [_cross_fitted(part, seed) for _, part in _groups(table)]
    if not parts:
        return table.reindex(columns=[*table.columns, *_TOLD])
    return pd.concat(parts, ignore_index=True)


def write_calibrations(path: Path, table: pd.DataFrame) -> None:
    """Write the calibrations of all conditions, by regime and method, as JSON."""
    found: dict[str, dict[str, Any]] = {}
    for (regime, method), part in _groups(_usable(table)):
        found.setdefault(regime, {})[method] = fit(part).to_dict()
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def read_calibration(path: Path, regime: str, method: str) -> Calibration:
    """The calibration that a run found for a method in a regime.

    Raises
    ------
    InputError
        If the file cannot be read or holds none.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[regime][method]
        return Calibration.from_dict(found)
    except (OSError, ValueError, KeyError, TypeError) as err:
        do = "Run lgr benchmark with that method and regime."
        raise InputError(f"calibration of {method} ({regime})", f"{path}: {err}", do) from err


def reliability(told: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Expected and observed Pearson r by tenths of the expected, with clustered 95 % intervals.

    ``error`` is the expected calibration error of the regime and method: the mean over its
    conditions of the distance between both means of their tenth.
    """
    rows = []
    for (regime, method), part in _groups(told[told["expected"].notna()]):
        tenth = _tenths(part["expected"].to_numpy())
        scores = _scores(part, SCORE).assign(tenth=tenth)
        found = slice_by(scores, "tenth", seed=seed)
        expected = part["expected"].groupby(tenth).mean()
        found = found.assign(method=method, regime=regime, expected=expected.to_numpy())
        gap = (found["expected"] - found["mean"]).abs()
        rows.append(found.assign(error=(gap * found["n_queries"]).sum() / len(part)))
    columns = [*_KEYS, "tenth", "expected", "observed", "low", "high", "n_queries", "error"]
    table = pd.concat(rows) if rows else pd.DataFrame(columns=[*columns, "slice", "mean"])
    return table.drop(columns="tenth", errors="ignore").rename(
        columns={"slice": "tenth", "mean": "observed"}
    )[columns]


def risk_coverage(told: pd.DataFrame) -> pd.DataFrame:
    """Mean Pearson r of the most trusted conditions, by the share that is kept.

    ``oracle`` is what keeping the best by the truth would give, ``gain`` the rise over keeping all.
    """
    rows = []
    for (regime, method), part in _groups(told[told["expected"].notna()]):
        score = part[SCORE].to_numpy()
        by_trust = score[np.argsort(-part["expected"].to_numpy(), kind="stable")]
        best = np.sort(score)[::-1]
        for share in KEPT:
            n = max(1, round(share * len(score)))
            kept = by_trust[:n].mean()
            found = (regime, method, share, n, kept, best[:n].mean(), kept - score.mean())
            rows.append(found)
    columns = [*_KEYS, "kept", "n_queries", "mean", "oracle", "gain"]
    return pd.DataFrame(rows, columns=columns)


def intervals(told: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Coverage of the 90 % intervals of genes, and of the Pearson r, one row a regime and method.

    With clustered 95 % limits of the genes' coverage; ``width`` is the median half-width in units
    of the spread of measured effects.
    """
    told = told[told["expected"].notna()]
    if told.empty:
        return pd.DataFrame(columns=[*_KEYS, "coverage", "low", "high", "width", "score_coverage"])
    found = summarise(_scores(told, "covered"), seed=seed)
    held = (told[SCORE] >= told["low"]) & (told[SCORE] <= told["high"])
    each = told.assign(held=held).groupby(_KEYS, observed=True)
    about = pd.DataFrame({"width": each["width"].median(), "score_coverage": each["held"].mean()})
    keys = found[_KEYS].astype(str)
    about = about.reset_index().astype(dict.fromkeys(_KEYS, str))
    table = keys.assign(**found[["mean", "low", "high", "n_queries", "n_clusters"]])
    return table.rename(columns={"mean": "coverage"}).merge(about, on=_KEYS)


def _cross_fitted(part: pd.DataFrame, seed: int) -> pd.DataFrame:
    part = _usable(part).reset_index(drop=True)
    line, parent = (_folds(part[name], seed) for name in ("cell_line", "parent"))
    known, errors = part[list(FEATURES)].to_numpy(float), part[list(ERRORS)].to_numpy(float)
    told = np.full((len(part), 4), np.nan)
    for a, b in np.unique(np.column_stack([line, parent]), axis=0):
        rows, learned = (line == a) & (parent == b), (line != a) & (parent != b)
        if learned.any():
            calibration = fit(part[learned])
            told[rows, :3] = calibration.expects(known[rows])
            told[rows, 3] = calibration.widths(known[rows])
    covered = np.where(np.isnan(told[:, 3]), np.nan, coverage(errors, np.nan_to_num(told[:, 3])))
    return part.assign(**dict(zip(_TOLD, (*told.T, covered), strict=True)))


def _usable(table: pd.DataFrame) -> pd.DataFrame:
    """Rows with a score and error sizes."""
    return table[table[[SCORE, *ERRORS]].notna().all(axis=1)]


def _folds(names: pd.Series, seed: int) -> IntArray:
    """(n,) the fold of each name: whole names, at random."""
    codes, present = pd.factorize(names.astype(str), sort=True)
    return (np.random.default_rng(seed).permutation(len(present)) % FOLDS)[codes]


def _slopes(x: FloatArray, y: FloatArray) -> FloatArray:
    """Ridge slopes, (n_features,), of standardised features; 0 with too few rows."""
    spread = x.std(axis=0)
    if len(y) < ENOUGH:
        return np.zeros(x.shape[1])
    z = np.divide(x, spread, out=np.zeros_like(x), where=spread > 0)
    found = np.linalg.solve(z.T @ z + _PENALTY * len(z) * np.eye(z.shape[1]), z.T @ (y - y.mean()))
    return np.divide(found, spread, out=np.zeros_like(found), where=spread > 0)


def _isotonic(index: FloatArray, score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Knots of the isotonic curve: distinct indices, ascending, and the expected score there."""
    at, which, weights = np.unique(index, return_inverse=True, return_counts=True)
    means = np.bincount(which.ravel(), weights=score) / weights
    curve = isotonic_regression(means, weights=weights).x
    steps = np.flatnonzero(np.diff(curve, prepend=np.nan, append=np.nan) != 0)
    ends = np.unique(np.concatenate([steps[:-1], steps[1:] - 1]))
    return at[ends], curve[ends]


def _residuals(index: FloatArray, score: FloatArray) -> FloatArray:
    """(n,) scores less what a curve says that was drawn through every other condition."""
    half = np.argsort(np.argsort(index, kind="stable"), kind="stable") % 2 == 0
    expected = np.full(len(score), score.mean())
    if len(score) > 1:
        for rows in (half, ~half):
            expected[rows] = np.interp(index[rows], *_isotonic(index[~rows], score[~rows]))
    return score - expected


def _limits(index: FloatArray, residual: FloatArray, at: FloatArray) -> tuple[FloatArray, ...]:
    """Lower and upper limits of the residual at the knots, from fifths of the index."""
    order = np.array_split(np.argsort(index, kind="stable"), min(5, max(1, len(index) // ENOUGH)))
    middles = np.array([np.median(index[part]) for part in order])
    sides = (np.array([np.quantile(residual[part], tail) for part in order]) for tail in _TAILS)
    return tuple(np.interp(at, middles, side) for side in sides)


def _width(errors: FloatArray, shape: FloatArray) -> float:
    """The factor at which intervals of that shape hold the nominal share of genes on average."""
    most = float((errors[:, -1] / shape).max())
    if not most > 0:
        return 0.0
    return float(brentq(lambda f: coverage(errors, f * shape).mean() - NOMINAL, 0, most))


def _tenths(values: FloatArray) -> IntArray:
    """(n,) from 1: equal shares in order of value."""
    place = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    return place * min(TENTHS, len(values)) // len(values) + 1


def _groups(table: pd.DataFrame) -> Iterator[tuple[Sequence[str], pd.DataFrame]]:
    for keys, part in table.groupby(_KEYS, observed=True, sort=False):
        yield tuple(map(str, keys)), part.reset_index(drop=True)


def _scores(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """A column as a table of scores."""
    value = table[column].to_numpy(float)
    return table[[*_KEYS, *_QUERY]].assign(metric=column, value=value, k_used=np.nan)


class TrustTable:
    """Gathers, block by block, what is known of predictions and how far off they were.

    Of methods that name what they stand on, have one variant and do not read the truth.
    """

    def __init__(self, contenders: Mapping[str, Sequence[Method]]) -> None:
        self._rows: dict[str, list[FloatArray]] = {
            name: []
            for name, (method, *others) in contenders.items()
            if isinstance(method, _NAMING) and Evidence.TRUTH not in method.evidence and not others
        }
        self._evidence = {name: contenders[name][0].evidence for name in self._rows}

    def add(self, block: Block, found: Mapping[str, Predictions], measured: FloatArray) -> None:
        """The predictions of a block by method, and the truth, (n, genes)."""
        around: dict[frozenset[Evidence], Surroundings] = {}
        for name, rows in self._rows.items():
            evidence = self._evidence[name]
            if evidence not in around:
                around[evidence] = Surroundings.of(block, evidence)
            here, ok = around[evidence], found[name].ok
            delta = np.where(ok[:, None], found[name].delta, 0)
            levels = error_levels(delta, measured, here.unit)
            r = pearson_delta(delta, measured)
            told = np.column_stack([here.features(delta), levels, r])
            rows.append(np.where(ok[:, None], told, np.nan))

    def table(self, queries: pd.DataFrame, regime: str) -> pd.DataFrame:
        """One row a method and query, of which ``queries`` has the names."""
        parts = [
            queries[_QUERY]
            .reset_index(drop=True)
            .join(pd.DataFrame(np.concatenate(rows), columns=[*FEATURES, *ERRORS, SCORE]))
            .assign(method=name)
            for name, rows in self._rows.items()
        ]
        columns = [*_QUERY, *FEATURES, *ERRORS, SCORE, "method"]
        table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
        return table.assign(regime=regime)
