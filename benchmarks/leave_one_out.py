"""Leave one drug out within each line: mean Pearson r of each retrieval, over every condition.

Run: ``python benchmarks/leave_one_out.py ATLAS`` (an atlas built with ``lgr ingest``).
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm import tqdm

import lgr_core as lgr
from lgr_core.errors import EmptyPoolError
from lgr_core.metrics import score
from lgr_core.prediction.predictors import LGR, PoolMean
from lgr_core.retrieval.candidate_pool import QueryView, candidate_pool
from lgr_core.retrieval.selectors import make_selector

METRICS = ("pearson_delta", "pearson_vs_line_mean")


def methods(atlas: lgr.AtlasStore, k: int, seeds: int) -> dict[str, list]:
    """The pool mean and each selector; random with several seeds, whose scores are averaged."""
    retrievals = {
        name: [LGR(make_selector(name, atlas), atlas.drug_catalog, k=k)]
        for name in ("mechanism", "chemistry", "oracle")
    }
    draws = [
        LGR(make_selector("random", atlas, seed=seed), atlas.drug_catalog, k=k)
        for seed in range(seeds)
    ]
    return {"pool mean": [PoolMean()], **retrievals, "random": draws}


def leave_one_out(
    atlas: lgr.AtlasStore, contenders: dict[str, list], rows: Sequence[int] | None = None
) -> pd.DataFrame:
    """One row a method: mean of each metric over the conditions, and how often it fell back."""
    totals = {metric: defaultdict(list) for metric in METRICS}
    fallbacks = dict.fromkeys(contenders, 0)
    rows = range(len(atlas.conditions)) if rows is None else rows
    for row in tqdm(rows, desc="conditions", disable=None):
        query = atlas.condition(row)
        try:
            pool = candidate_pool(atlas, query)
        except EmptyPoolError:
            continue
        truth = atlas.deltas(np.array([row]))
        line_mean = (
            PoolMean().predict(pool, QueryView(atlas, query, PoolMean().evidence)).delta[None]
        )
        for name, variants in contenders.items():
            found = [m.predict(pool, QueryView(atlas, query, m.evidence)) for m in variants]
            fallbacks[name] += found[0].fallback is not None
            predicted = np.stack([f.delta for f in found])
            scores = score(
                predicted,
                np.broadcast_to(truth, predicted.shape),
                line_mean=np.broadcast_to(line_mean, predicted.shape),
                metrics=METRICS,
            )
            for metric in METRICS:
                totals[metric][name].append(scores[metric].mean())
    means = {
        metric: {n: pd.Series(v).mean() for n, v in totals[metric].items()} for metric in METRICS
    }
    return pd.DataFrame(means).assign(fallbacks=pd.Series(fallbacks))


def main() -> None:
    """Score every condition of the atlas and print one row a method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("atlas")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    atlas = lgr.open_atlas(options.atlas)
    start = time.perf_counter()
    table = leave_one_out(atlas, methods(atlas, options.k, options.seeds))
    print(f"{options.atlas}: {len(atlas.conditions):,} conditions, k = {options.k}")
    print(table.round(4).to_string())
    print(f"{time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
