"""What the queries of a benchmark are: names, and what results are told apart by."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import IntArray
from lgr_core.drugs.mechanisms import MechanismAnnotations
from lgr_core.retrieval.query_block import EvidenceReader


def query_metadata(reader: EvidenceReader, rows: IntArray) -> pd.DataFrame:
    """What the queries of these rows are: names, and what results are sliced by.

    ``effect`` is the norm of the measured delta over the panel, ``mechanism`` the drug's first tag,
    ``twin_in_training`` whether another form of its parent compound is among the training rows.
    """
    labels, store, fold = reader.labels, reader.store, reader.fold
    train = np.zeros(len(labels.line), dtype=bool) if fold is None else fold.train
    trained = pd.MultiIndex.from_arrays([labels.parent[train], labels.drug[train]]).unique()
    forms = pd.Series(1, index=trained).groupby(level=0).sum()
    drugs, parents = labels.drug[rows], labels.parent[rows]
    others = forms.reindex(parents).fillna(0).to_numpy() - pd.MultiIndex.from_arrays(
        [parents, drugs]
    ).isin(trained)
    names = labels.drugs[drugs]
    book = MechanismAnnotations.load()
    tags = {drug: book.annotate(drug, **_known(store, drug)).tags for drug in np.unique(names)}
    return pd.DataFrame(
        {
            "cell_line": pd.Categorical(labels.lines[labels.line[rows]]),
            "drug": pd.Categorical(names),
            "parent": pd.Categorical(labels.parents[parents].astype(str)),
            "dose_um": labels.doses[rows],
            "n_cells": store.conditions["n_cells"].to_numpy(float)[rows],
            "effect": np.linalg.norm(store.deltas(rows).astype(float), axis=1),
            "mechanism": pd.Categorical([tags[d][0] if tags[d] else None for d in names]),
            "twin_in_training": others > 0,
        }
    )


def _known(store: AtlasStore, drug: str) -> dict[str, Any]:
    row = store.annotations[drug]
    return {"moa": row.get("moa"), "targets": row.get("targets")}
