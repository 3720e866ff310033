"""Leave one drug out within each line: mean Pearson r of each retrieval, over every condition.

Run: ``python benchmarks/leave_one_out.py ATLAS`` (an atlas built with ``lgr ingest``).
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from tqdm import tqdm

import lgr_core as lgr
from lgr_core.metrics import score
from lgr_core.prediction.lgr import LGR
from lgr_core.prediction.mean_baselines import PoolMeans
from lgr_core.prediction.method import Method
from lgr_core.retrieval.query_block import EvidenceReader
from lgr_core.retrieval.selectors import make_selector

METRICS = ("pearson_delta", "pearson_vs_line_mean")


def methods(atlas: lgr.AtlasStore, k: int, seeds: int) -> dict[str, list[Method]]:
    """The pool mean and each selector; random with several seeds, whose scores are averaged."""
    retrievals: dict[str, list[Method]] = {
        name: [LGR(make_selector(name, atlas), atlas.drug_catalog, k)]
        for name in ("mechanism", "chemistry", "oracle")
    }
    draws: list[Method] = [
        LGR(make_selector("random", atlas, seed=seed), atlas.drug_catalog, k)
        for seed in range(seeds)
    ]
    return {"pool mean": [PoolMeans()], **retrievals, "random": draws}


def leave_one_out(
    atlas: lgr.AtlasStore,
    contenders: Mapping[str, Sequence[Method]],
    rows: Sequence[int] | None = None,
) -> pd.DataFrame:
    """One row a method: mean of each metric over the conditions, and how often it fell back."""
    totals = {metric: defaultdict(list) for metric in METRICS}
    fallbacks = dict.fromkeys(contenders, 0)
    wanted = np.arange(len(atlas.conditions)) if rows is None else np.asarray(rows)
    for block in tqdm(EvidenceReader(atlas).blocks(wanted), desc="lines and doses", disable=None):
        pool_mean = PoolMeans().predict(block)
        known = pool_mean.ok
        if not known.any():
            continue
        truth, line_mean = atlas.deltas(block.rows)[known], pool_mean.delta[known]
        for name, variants in contenders.items():
            found = [method.predict(block) for method in variants]
            fallbacks[name] += sum(fallback is not None for fallback in found[0].fallback)
            scores = [
                score(each.delta[known], truth, line_mean=line_mean, metrics=METRICS)
                for each in found
            ]
            for metric in METRICS:
                totals[metric][name] += list(np.mean([each[metric] for each in scores], axis=0))
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
