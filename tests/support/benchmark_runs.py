"""A finished benchmark run of made-up scores, as files: for the report's and the page's tests."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd

from lgr_core.domain import Change
from lgr_core.evaluation.calibration_curves import intervals, levels, reliability, risk_coverage
from lgr_core.evaluation.labels import PAPER_ORDER, panel_metrics
from lgr_core.evaluation.run_store import TRUST
from lgr_core.evaluation.summary import compare_all, summarise
from lgr_core.metrics import METRICS

QUALITY = {
    "lgr_mechanism": 0.55,
    "lgr_chemistry": 0.45,
    "cell_mean": 0.5,
    "drug_mean": 0.35,
    "pca_ridge": 0.4,
    "chem_knn": 0.3,
    "global_mean": 0.25,
    "pool_mean": 0.48,
    "zero": 0.0,
    "truth": 1.0,
    "random_k": 0.4,
    "oracle_k": 0.8,
}
"""What each method's scores scatter about; a guest and chemCPA come on top where asked for."""

READS = {
    "lgr_mechanism": "target_pool",
    "lgr_chemistry": "target_pool",
    "pool_mean": "target_pool",
    "random_k": "target_pool",
    "zero": "nothing",
    "truth": "truth",
    "oracle_k": "target_pool, truth",
}
RETRIEVES = ("lgr_mechanism", "lgr_chemistry", "random_k", "oracle_k")
KS = (1, 3, 5, 10, 20)
SEEDS = 20
MECHANISMS = ("MEK inhibitor", "HDAC inhibitor", "<b>tubulin</b>", None)


def scores_of(conditions, regimes=("unseen_drug", "unseen_cell_line"), extra=(), seed=0):
    """Made-up scores of ``conditions`` (cell_line, drug, dose_um): tidy, one row a number."""
    rng = np.random.default_rng(seed)
    queries = conditions[["cell_line", "drug", "dose_um"]].reset_index(drop=True)
    n = len(queries)
    about = queries.assign(
        parent=queries["drug"].str.split(" (", regex=False).str[0],
        fold=np.arange(n) % 5,
        n_cells=rng.integers(10, 200, n),
        effect=rng.gamma(3, 2, n),
        mechanism=[MECHANISMS[len(drug) % len(MECHANISMS)] for drug in queries["drug"]],
        twin_in_training=rng.random(n) < 0.1,
    )
    hardness = rng.normal(0, 0.15, n) + _of_line(about["cell_line"], rng)
    parts = [
        _scored(about, regime, method, quality - shift, hardness, rng)
        for shift, regime in enumerate_by(0.05, regimes)
        for method, quality in {**QUALITY, **dict.fromkeys(extra, 0.42)}.items()
    ]
    scores = pd.concat(parts, ignore_index=True)
    names = ["regime", "method", "cell_line", "drug", "parent", "metric", "status", "mechanism"]
    return scores.astype(dict.fromkeys([*names, "fallback", "detail"], "category"))


def _of_line(lines, rng):
    """What each line adds to all its scores: lines are clusters."""
    codes, names = pd.factorize(lines)
    return rng.normal(0, 0.1, len(names))[codes]


def enumerate_by(step, items):
    """Each item with its number of steps."""
    return [(step * i, item) for i, item in enumerate(items)]


def _scored(about, regime, method, quality, hardness, rng):
    """One method's rows in a regime; chemCPA is not applicable in unseen lines."""
    n = len(about)
    k_used = np.full(n, np.nan)
    if method in RETRIEVES:
        k_used = rng.choice([10.0, 10.0, 10.0, 7.0, 3.0], n)
    applies = not (method == "chemcpa" and regime.startswith("unseen_cell_line"))
    rows = []
    for metric in METRICS.values():
        good = quality + hardness + rng.normal(0, 0.08, n)
        value = np.ones(n) if method == "truth" else np.clip(good, -1, 1)
        if metric.best == 0:
            value = np.maximum(0.4 * (1 - value), 0)
        undefined = not applies or (method == "zero" and metric.id in {"pearson_delta", "cosine"})
        rows.append(
            about.assign(
                regime=regime,
                method=method,
                metric=metric.id,
                value=np.where(undefined, np.nan, value),
                status="ok" if applies else "not_applicable",
                detail=None,
                k_used=k_used,
                fallback=np.where(np.arange(n) % 9 == 0, "pool_mean", None)
                if method == "lgr_mechanism"
                else None,
            )
        )
    return pd.concat(rows, ignore_index=True)


def run_of(scores, *, trust=(), **config):
    """The tables of a run with these scores, as a loaded run names them; pairs on six metrics.

    ``trust`` names the methods whose trust is calibrated.
    """
    methods = scores["method"].unique().tolist()
    regimes = scores["regime"].unique().tolist()
    means = summarise(scores, n_boot=100)
    return SimpleNamespace(
        config={**CONFIG, "regimes": regimes, "methods": methods, **config},
        scores=scores,
        summary=_summary(scores, means),
        pairs=compare_all(scores, metrics=_six(scores), n_boot=100),
        k_curve=_k_curve(means),
        seeds=_seeds(means),
        evidence=_evidence(scores),
        retrieval=pd.DataFrame(),
        ranges=pd.DataFrame(),
        anchored=pd.DataFrame(),
        collapse=pd.DataFrame(),
        **_trust(scores, trust),
    )


def _six(scores):
    """The metrics of the panels that the scores have."""
    every = (*PAPER_ORDER, *panel_metrics(Change.SPECIFIC))
    return [name for name in every if (scores["metric"] == name).any()]


def _trust(scores, methods):
    """Tables of the trust in ``methods``: what is expected is the score itself, smoothed."""
    tables = {"reliability": reliability, "risk_coverage": risk_coverage, "intervals": intervals}
    tables["levels"] = partial(levels, repeat=None)
    if not methods:
        return {name: pd.DataFrame() for name in tables}
    rows = scores[(scores["metric"] == "pearson_delta") & scores["method"].isin(methods)]
    told = rows[["regime", "method", "cell_line", "parent", "drug", "dose_um"]].astype(object)
    score = rows["value"].to_numpy()
    expected = np.round(score, 1)
    told = told.assign(
        pearson=score,
        expected=expected,
        low=expected - 0.05,
        high=expected + 0.05,
        width=1.5,
        covered=0.9,
    )
    return {name: table(told) for name, table in tables.items()}


CONFIG = {
    "atlas": "lab",
    "build_id": "0" * 32,
    "value_kind": "log2fc",
    "simulated": True,
    "k": 10,
    "seed": 0,
    "folds": 5,
    "random_seeds": SEEDS,
    "lines": None,
    "max_queries": None,
    "split": None,
    "one_per_parent": False,
    "versions": {"python": "3.11.7"},
    "started_at": "2026-01-02T03:04:05+00:00",
    "finished_at": "2026-01-02T03:14:05+00:00",
}


def write_run(folder, conditions, *, regimes=("unseen_drug", "unseen_cell_line"), **config):
    """Write a run of ``conditions`` to ``folder``; returns what it holds."""
    return write_scores(folder, scores_of(conditions, regimes), **config)


def write_scores(folder, scores, **config):
    """Write a run with these scores to ``folder``; returns what it holds."""
    run = run_of(scores, **config)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(run.config), encoding="utf-8")
    run.scores.to_parquet(folder / "scores.parquet", index=False)
    for name in ("summary", "pairs", "k_curve", "seeds", "evidence"):
        getattr(run, name).to_csv(folder / f"{name}.csv", index=False)
    for name in TRUST if config.get("trust") else ():
        getattr(run, name).to_csv(folder / f"{name}.csv", index=False)
    return run


def _summary(scores, means):
    each = scores[scores["metric"] == scores["metric"].iloc[0]].groupby(
        ["regime", "method"], observed=True
    )
    more = each.agg(
        fallback_share=("fallback", lambda f: f.notna().mean()), k_used=("k_used", "mean")
    )
    table = means.join(more, on=["regime", "method"])
    return table.assign(evidence=[READS.get(method, "train") for method in table["method"]])


def _k_curve(means):
    means = means[means["method"].isin(RETRIEVES)]
    rows = [
        means.assign(k=k, mean=means["mean"] * (1 - 0.3 / k))[
            ["regime", "method", "k", "metric", "mean", "n_queries"]
        ]
        for k in KS
    ]
    return pd.concat(rows, ignore_index=True)


def _seeds(means):
    means = means[means["method"] == "random_k"]
    shifts = np.linspace(-0.01, 0.01, SEEDS)
    rows = [
        means.assign(seed=seed, mean=means["mean"] + shift)[
            ["regime", "method", "seed", "metric", "mean"]
        ]
        for seed, shift in enumerate(shifts)
    ]
    return pd.concat(rows, ignore_index=True)


def _evidence(scores):
    pairs = scores[["regime", "method"]].drop_duplicates().astype(str)
    reads = [READS.get(method, "train") for method in pairs["method"]]
    return pairs.assign(evidence=reads, reads=reads).reset_index(drop=True)
