"""Which mechanisms stand high in a ranking of drugs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, mannwhitneyu

from lgr_core.atlas.store import AtlasStore
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.signatures.search import DrugHits

FEWEST = 3
"""A mechanism of fewer compounds is not tested."""

COLUMNS = ("mechanism", "n", "chance", "p", "fdr", "drugs")

_SHOWN = 5


def enriched_mechanisms(
    store: AtlasStore, found: DrugHits, book: MechanismAnnotations
) -> pd.DataFrame:
    """Mechanisms whose compounds rank above the others, the surest first.

    A compound counts once: at its highest dose among those found, its forms averaged. The drug
    behind the signature and its twins are left out. Each mechanism of three or more compounds is
    compared with all others by the rank-sum test (Mann and Whitney 1947), one-sided; the null is
    exact under permutation of the compounds' labels, its tail normal for large groups.

    Returns
    -------
    DataFrame
        mechanism (its label), n (compounds), chance (that one of them ranks above one of the
        others, U / (n m)), p, fdr (Benjamini and Hochberg over the mechanisms), drugs (the best
        five). Empty where nothing can be tested.
    """
    compounds = _compounds(store, found)
    members = _members(store, book, compounds["drug"].tolist())
    score = compounds["score"].to_numpy() * (-1.0 if found.reverse else 1.0)
    rows = [
        _test(book.mechanism(tag).label, np.array(places), score, compounds["drug"].tolist())
        for tag, places in members.items()
        if FEWEST <= len(places) < len(score)
    ]
    table = pd.DataFrame(rows, columns=[name for name in COLUMNS if name != "fdr"])
    fdr = false_discovery_control(table["p"]) if len(table) else []
    table = table.assign(fdr=fdr)[list(COLUMNS)]
    return table.sort_values(["p", "mechanism"], ignore_index=True)


def _compounds(store: AtlasStore, found: DrugHits) -> pd.DataFrame:
    """One row a parent compound: a drug that names it, and its score."""
    drugs = found.drugs[found.drugs["relation"] == ""]
    parent = drugs["drug"].map(dict(zip(store.drugs["drug"], store.drugs["parent"], strict=True)))
    drugs = drugs.assign(parent=parent, dose=drugs["dose_um"].fillna(0.0))
    highest = drugs.groupby("parent")["dose"].transform("max")
    at_highest = drugs[drugs["dose"] == highest].sort_values("drug")
    return at_highest.groupby("parent", as_index=False).agg(
        drug=("drug", "first"), score=("score", "mean")
    )


def _members(
    store: AtlasStore, book: MechanismAnnotations, drugs: Sequence[str]
) -> Mapping[str, list[int]]:
    """Places in ``drugs`` by mechanism tag."""
    members: dict[str, list[int]] = {}
    for place, drug in enumerate(drugs):
        row = store.annotations[drug]
        for tag in book.tags(drug, moa=row.get("moa"), targets=row.get("targets")):
            members.setdefault(tag, []).append(place)
    return members


def _test(
    label: str, places: np.ndarray, score: np.ndarray, names: Sequence[str]
) -> tuple[str, int, float, float, str]:
    others = np.delete(score, places)
    test = mannwhitneyu(score[places], others, alternative="greater")
    best = places[np.argsort(-score[places], kind="stable")][:_SHOWN]
    chance = float(test.statistic) / (len(places) * len(others))
    return label, len(places), chance, float(test.pvalue), ", ".join(names[i] for i in best)
