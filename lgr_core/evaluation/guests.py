"""Someone else's predictions as one more method of a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lgr_core.atlas.sources.deltas import read_deltas
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import Condition, Evidence, FloatArray
from lgr_core.errors import InputError
from lgr_core.prediction.batch import Predictions, Unfitted, answered
from lgr_core.retrieval.blocks import Block

_SHOWN = 3


class Guest(Unfitted):
    """Predictions read from a file. What they were made from, only their author knows."""

    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, name: str, deltas: dict[Condition, FloatArray]) -> None:
        self.name = name
        self._deltas = deltas

    def predict(self, block: Block) -> Predictions:
        """What the file holds for each query; not applicable where it holds nothing."""
        nothing = np.full(block.labels.n_genes, np.nan, dtype=np.float32)
        delta = np.stack([self._deltas.get(query, nothing) for query in block.queries])
        return answered(delta, without="the file has no prediction for it")


def read_guest(store: AtlasStore, path: Path) -> Guest:
    """Predictions from an h5ad, parquet or CSV file with a cell line, a drug and a dose a row.

    Names are read by the atlas's catalogs; genes by name, and every gene of the panel is needed.

    Raises
    ------
    InputError
        If the file cannot be read, lacks genes of the panel, repeats a condition, or none of its
        rows is in the atlas.
    """
    table = read_deltas(path, value_kind=store.value_kind, unsigned=True, n_hvg=1)
    counts = table.provenance
    if repeated := counts["replicates_averaged"] + counts["plates_averaged"]:
        found = f"{repeated:,} rows repeat a condition"
        raise InputError(f"predictions {path}", found, "Give each condition once.")
    genes = {name: i for i, name in enumerate(table.genes["gene"])}
    panel = store.gene_names[: store.n_panel]
    if lacking := [gene for gene in panel if gene not in genes]:
        shown = ", ".join(lacking[:_SHOWN])
        found = f"{len(lacking):,} of {len(panel):,} genes of the panel are missing, e.g. {shown}"
        raise InputError(f"predictions {path}", found, "Predict every gene that lgr info lists.")
    columns = np.array([genes[gene] for gene in panel])
    deltas = {}
    for i, row in enumerate(table.conditions.itertuples()):
        query = _read(store, row)
        if query is not None:
            deltas[query] = np.asarray(table.deltas[i])[columns].astype(np.float32)
    if not deltas:
        found = "none of its rows is a condition of the atlas"
        raise InputError(f"predictions {path}", found, "Use the atlas's names and doses in uM.")
    return Guest(path.stem, deltas)


def _read(store: AtlasStore, row: object) -> Condition | None:
    line = store.line_catalog.find(row.cell_line)
    drug = store.drug_catalog.find(row.drug).drug
    if line is None or drug is None:
        return None
    dose = None if np.isnan(row.dose_um) else float(row.dose_um)
    condition = Condition(line, drug, dose)
    return None if store.row(condition) is None else condition
