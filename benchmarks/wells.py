"""What a plate's mean leaves of a well: corrections by order, quality and inert compounds.

Run: ``python benchmarks/wells.py ATLAS SAMPLES.csv --strong FILE --inert FILE``: an atlas with
plates; its samples (``drug``, ``plate``, in the order of their wells, with columns of qualities);
and tables with a column ``drug`` of compounds expected to do much, and nothing. The conditions are
those of the set of plates with most of them, one form a compound. The specific change of each is
what a fit on the other compounds of the plate leaves, the query's left out. Ten neighbours by the
language model's recorded lists, uniform mean. Then the choice is judged as a product would have to
make it: a correction is chosen on half of the lines and compounds and judged on the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore, open_atlas
from lgr_core.config import Settings
from lgr_core.domain import FloatArray, IntArray
from lgr_core.metrics import pearson_delta
from lgr_core.retrieval.candidate_pool import candidate_pool
from lgr_core.retrieval.selectors import make_selector

K = 10
SPLITS = 200
COMPONENTS = (2, 5)


def main() -> None:
    """Print strong and inert by correction, and what a choice on one half is worth on the other."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("atlas")
    parser.add_argument("samples", type=Path)
    parser.add_argument("--strong", type=Path, required=True)
    parser.add_argument("--inert", type=Path, required=True)
    options = parser.parse_args()
    store = open_atlas(options.atlas, Settings.from_environment().atlases)
    named = {
        kind: set(pd.read_csv(path)["drug"])
        for kind, path in (("strong", options.strong), ("inert", options.inert))
    }
    table = scores(store, pd.read_csv(options.samples), named["inert"])
    for kind, drugs in named.items():
        table[kind] = table["drug"].isin(drugs)
    shown = {
        kind: table[table[kind]].groupby("correction")["r"].mean() for kind in ("strong", "inert")
    }
    print(pd.DataFrame({**shown, "all": table.groupby("correction")["r"].mean()}).round(3))
    print(judged(table).to_string())


def scores(store: AtlasStore, samples: pd.DataFrame, inert: set[str]) -> pd.DataFrame:
    """One row a correction, line and drug: r of ten neighbours' mean with the measured change."""
    rows, plates = _commonest(store)
    designs = _designs(samples[samples["plate"].isin(plates)])
    selector = make_selector("llm", store)
    found = []
    for line, group in rows.groupby("cell_line", observed=True):
        own = group.drop_duplicates("parent")
        own = own[own["drug"].isin(designs["plate mean"].index)]
        drugs = own["drug"].tolist()
        deltas = store.deltas(own["row"].to_numpy(np.intp)).astype(float)
        place = {drug: i for i, drug in enumerate(drugs)}
        for drug in drugs:
            pool = candidate_pool(store, store.condition(int(own["row"].iloc[place[drug]])))
            listed = [p.text for p in selector.select(pool, len(pool.drugs)).proposals]
            near = [place[name] for name in listed if name in place and name != drug][:K]
            if not near:
                continue
            for name, design in designs.items():
                r = _score(deltas, design.loc[drugs].to_numpy(float), place[drug], np.array(near))
                found.append((name, line, drug, r))
            calm = [place[d] for d in drugs if d in inert and d != drug]
            flat = designs["plate mean"].loc[drugs].to_numpy(float)
            for n in COMPONENTS:
                r = _score(deltas, flat, place[drug], np.array(near), calm=calm, n=n)
                found.append((f"{n} components of inert compounds", line, drug, r))
    return pd.DataFrame(found, columns=["correction", "cell_line", "drug", "r"])


def _commonest(store: AtlasStore) -> tuple[pd.DataFrame, list[str]]:
    """The conditions of the set of plates that most of them stand on, and those plates."""
    plates = store.plates.groupby("condition")["plate"].agg(lambda names: ";".join(sorted(names)))
    most = plates.value_counts().index[0]
    rows = plates.index[plates == most].to_numpy(np.intp)
    table = store.conditions.iloc[rows][["cell_line", "drug"]].assign(row=rows)
    parents = dict(zip(store.drugs["drug"], store.drugs["parent"], strict=True))
    return table.assign(parent=table["drug"].map(parents)), most.split(";")


def _designs(samples: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Correction -> what is fitted on the wells of a plate, a row a drug: means over the plates."""
    order = samples.groupby("plate").cumcount()
    t = order / order.max() - 0.5
    quality = samples.select_dtypes("number")
    table = pd.DataFrame({"drug": samples["drug"].str.strip(), "one": 1.0, "t": t})
    table["t2"], table["t3"] = t**2, t**3
    for name in quality:
        values = np.log(quality[name].clip(lower=1e-9))
        table[name] = (values - values.mean()) / values.std()
    means = table.groupby("drug").mean()
    return {
        "plate mean": means[["one"]],
        "line over the order": means[["one", "t"]],
        "cubic over the order": means[["one", "t", "t2", "t3"]],
        "quality": means[["one", *quality]],
        "cubic and quality": means[["one", "t", "t2", "t3", *quality]],
    }


def _score(
    deltas: FloatArray,
    design: FloatArray,
    query: int,
    near: IntArray,
    *,
    calm: list[int] | None = None,
    n: int = 0,
) -> float:
    """Pearson r of the neighbours' mean and the query, each less what a fit on the others says."""
    others = np.delete(np.arange(len(deltas)), query)
    x, d = deltas[others], design[others]
    solve = np.linalg.pinv(d)
    leverage = np.einsum("ij,ji->i", d, solve)
    residual = (x - d @ (solve @ x)) / (1 - leverage)[:, None]
    truth = deltas[query] - design[query] @ (solve @ x)
    place = np.searchsorted(others, near)
    predicted = residual[place].mean(axis=0)
    if calm:
        rows = residual[np.searchsorted(others, np.array(calm))]
        axes = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)[2][:n]
        truth = truth - (truth @ axes.T) @ axes
        predicted = predicted - (predicted @ axes.T) @ axes
    return float(pearson_delta(predicted[None], truth[None])[0])


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Chosen on half of lines and drugs, judged on the rest: gains over the plate's mean alone."""
    rng = np.random.default_rng(0)
    wide = table.pivot_table(index=["cell_line", "drug"], columns="correction", values="r")
    gain = wide.sub(wide["plate mean"], axis=0).drop(columns="plate mean")
    kinds = table.drop_duplicates("drug").set_index("drug")[["strong", "inert"]]
    lines, drugs = (wide.index.get_level_values(i) for i in (0, 1))
    strong, inert = kinds["strong"].loc[drugs].to_numpy(), kinds["inert"].loc[drugs].to_numpy()
    chosen = []
    for _ in range(SPLITS):
        here_lines = lines.isin(rng.choice(lines.unique(), lines.nunique() // 2, replace=False))
        halves = [
            rng.choice(kinds.index[kinds[kind]], kinds[kind].sum() // 2, replace=False)
            for kind in kinds
        ]
        here = here_lines & drugs.isin(np.concatenate(halves))
        there = ~here_lines & ~drugs.isin(np.concatenate(halves))
        up, down = gain[here & strong].mean(), gain[here & inert].mean()
        fits = (up > 0) & (down < 0)
        name = (up - down)[fits].idxmax() if fits.any() else "none"
        if name == "none":
            chosen.append((name, 0.0, 0.0))
            continue
        of = gain[name]
        chosen.append((name, of[there & strong].mean(), of[there & inert].mean()))
    found = pd.DataFrame(chosen, columns=["chosen", "strong", "inert"])
    found["holds"] = (found["strong"] > 0) & (found["inert"] < 0)
    each = found.groupby("chosen").agg(
        times=("holds", "size"), **{name: (name, "mean") for name in ("strong", "inert", "holds")}
    )
    return each.round(3)


if __name__ == "__main__":
    main()
