"""What a repeat of the experiment gains over a mean baseline, and methods on that scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from lgr_core.domain import Change
from lgr_core.evaluation.score_array import QUERY
from lgr_core.metrics import (
    EVERY_METRIC,
    anchored_score,
    bound_discrimination_score,
    dynamic_range_fraction,
)
from lgr_core.prediction.replicate import ReplicateKind

BASELINE = {Change.TOTAL: "pool_mean", Change.SPECIFIC: "zero"}
"""What says the same of every drug; of specific changes, whose mean is zero, that is no change."""

RANGES = (
    *("regime", "metric", "replicate", "n_queries", "n_parents", "baseline_mean"),
    *("replicate_mean", "dynamic_range_fraction", "bound_discrimination"),
)
ANCHORED = ("regime", "metric", "replicate", "method", "anchored", "mean", "n_queries")


def ranges(scores: pd.DataFrame, change: Change) -> pd.DataFrame:
    """One row a regime, metric and kind of replicate: where both it and the baseline are known.

    ``dynamic_range_fraction`` and ``bound_discrimination`` are means over queries; see
    :mod:`lgr_core.metrics.dynamic_range`.
    """
    rows = []
    for regime, metric, kind, wide in _known(scores, change):
        about = EVERY_METRIC[metric]
        pair = wide[f"replicate_{kind}"].to_numpy(), wide["baseline"].to_numpy()
        share = dynamic_range_fraction(*pair, about)
        better = bound_discrimination_score(*pair, about)
        means = pair[1].mean(), pair[0].mean(), _mean(share), _mean(better)
        rows.append([regime, metric, str(kind), len(wide), wide.index.nunique(), *means])
    return pd.DataFrame(rows, columns=list(RANGES))


def anchored(scores: pd.DataFrame, change: Change) -> pd.DataFrame:
    """Every method on the scale from the baseline, 0, to a repeat, 1: one row each.

    Over the queries of which baseline, repeat and method are known. NaN where repeats are of too
    few parents, or no better than the baseline.
    """
    rows = []
    for regime, metric, kind, wide in _known(scores, change):
        for method in wide.columns.drop("baseline"):
            known = wide[wide[method].notna()]
            if known.empty:
                continue
            value = anchored_score(
                known[method].mean(),
                baseline=known["baseline"].mean(),
                replicate=known[f"replicate_{kind}"].mean(),
                metric=EVERY_METRIC[metric],
                n_parents=known.index.nunique(),
            )
            found = value, known[method].mean(), len(known)
            rows.append([regime, metric, str(kind), method, *found])
    return pd.DataFrame(rows, columns=list(ANCHORED))


def _known(
    scores: pd.DataFrame, change: Change
) -> Iterator[tuple[str, str, ReplicateKind, pd.DataFrame]]:
    """Each regime, metric and kind of replicate, with the scores of the queries that have one.

    One row a query, indexed by its parent, one column a method; the baseline is one of them.
    """
    named = [*QUERY, "parent"]
    for regime, of_regime in scores.groupby("regime", observed=True, sort=False):
        for kind in ReplicateKind:
            repeated = of_regime["method"] == f"replicate_{kind}"
            queries = of_regime.loc[repeated & of_regime["value"].notna(), named].drop_duplicates()
            rows = of_regime.merge(queries, on=named)
            rows["query"] = rows.groupby(named, observed=True, dropna=False).ngroup()
            parents = rows.groupby("query")["parent"].first().astype(str)
            for metric, group in rows.groupby("metric", observed=True, sort=False):
                wide = group.pivot_table(
                    index="query", columns="method", values="value", aggfunc="first", observed=True
                )
                wide = wide.astype(float).set_axis(wide.columns.astype(str), axis=1)
                baseline = wide.get(BASELINE[change])
                unknown = baseline is None or baseline.isna().all()
                wide = wide.assign(baseline=0.0 if unknown else baseline)
                if f"replicate_{kind}" not in wide:  # this metric is defined of none
                    continue
                known = wide[wide[f"replicate_{kind}"].notna() & wide["baseline"].notna()]
                if len(known):
                    yield str(regime), str(metric), kind, known.set_axis(parents[known.index])


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
