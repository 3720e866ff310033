"""Predictions from a file, scored as one more method of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from lgr_core.atlas.count_source import ReadOptions
from lgr_core.atlas.sources.deltas import read_deltas
from lgr_core.atlas.store import AtlasStore
from lgr_core.domain import EMPTY, Condition, Evidence, FloatArray
from lgr_core.errors import InputError
from lgr_core.prediction.method import NothingToFit, Predictions, answered
from lgr_core.retrieval.query_block import QueryBlock

_SHOWN = 3


class ExternalPredictions(NothingToFit):
    """Predictions read from a file. What they were made from, only their author knows."""

    evidence: frozenset[Evidence] = frozenset()

    def __init__(self, name: str, deltas: dict[Condition, FloatArray]) -> None:
        self.name = name
        self._deltas = deltas

    def predict(self, block: QueryBlock) -> Predictions:
        """What the file holds for each query; not applicable where it holds nothing."""
        nothing = np.full(block.labels.n_genes, np.nan, dtype=np.float32)
        delta = np.stack([self._deltas.get(query, nothing) for query in block.queries])
        return answered(delta, without="the file has no prediction for it")


def read_external_predictions(
    store: AtlasStore, path: Path, columns: Mapping[str, str] = EMPTY
) -> ExternalPredictions:
    """Predictions from an h5ad, parquet or CSV file with a cell line, a drug and a dose a row.

    Names are read by the atlas's catalogs; genes by name, and every gene of the panel is needed.
    A file without doses is read at the atlas's dose, if it has only one. ``columns`` (role ->
    column) are as of :func:`~lgr_core.atlas.sources.columns.guess_columns`.

    Raises
    ------
    InputError
        If the file cannot be read, lacks doses or genes of the panel, repeats a gene or a
        condition, under another spelling too, or none of its rows is in the atlas.
    """
    choices = ReadOptions(overrides=columns)
    kind = store.value_kind
    table = read_deltas(path, value_kind=kind, choices=choices, unsigned=True, n_hvg=1)
    conditions = _with_doses(store, path, table.conditions)
    counts = table.provenance
    if repeated := counts["replicates_averaged"] + counts["plates_averaged"]:
        raise _repeats(path, f"{repeated:,} rows repeat a condition")
    genes = {name: i for i, name in enumerate(table.genes["gene"])}
    panel = store.gene_names[: store.n_panel]
    if twice := [gene for gene in _numbered(store, table.genes) if gene in panel]:
        found = f"it has gene {twice[0]!r} more than once"
        raise InputError(f"predictions {path}", found, "Give each gene once.")
    if lacking := [gene for gene in panel if gene not in genes]:
        shown = ", ".join(lacking[:_SHOWN])
        found = f"{len(lacking):,} of {len(panel):,} genes of the panel are missing, e.g. {shown}"
        raise InputError(f"predictions {path}", found, "Predict every gene that lgr info lists.")
    predicted = np.asarray(table.deltas)
    places = np.array([genes[gene] for gene in panel])
    deltas: dict[Condition, FloatArray] = {}
    again = []
    for i, row in enumerate(conditions.itertuples()):
        query = _read(store, row.cell_line, row.drug, row.dose_um)
        if query in deltas:
            again.append(query)
        elif query is not None:
            deltas[query] = predicted[i, places].astype(np.float32)
    if again:
        found = f"{len(again):,} rows repeat a condition under another spelling, e.g. {again[0]}"
        raise _repeats(path, found)
    if not deltas:
        found = "none of its rows is a condition of the atlas"
        raise InputError(f"predictions {path}", found, "Use the atlas's names and doses in uM.")
    return ExternalPredictions(path.stem, deltas)


def _with_doses(store: AtlasStore, path: Path, conditions: pd.DataFrame) -> pd.DataFrame:
    """The conditions of a file, at the atlas's one dose if the file names none."""
    measured = np.sort(store.conditions["dose_um"].dropna().unique())
    if conditions["dose_um"].notna().any() or not len(measured):
        return conditions
    if len(measured) == 1:
        return conditions.assign(dose_um=measured[0])
    shown = ", ".join(f"{dose:g}" for dose in measured[:_SHOWN])
    more = f" and {len(measured) - _SHOWN:,} more" if len(measured) > _SHOWN else ""
    found = f"the file has no doses, and the atlas has several ({shown}{more} uM)"
    do = "Add a column dose_um, or name the one that holds them with --column dose=NAME."
    raise InputError(f"predictions {path}", found, do)


def _repeats(path: Path, found: str) -> InputError:
    return InputError(f"predictions {path}", found, "Give each condition once.")


def _numbered(store: AtlasStore, genes: pd.DataFrame) -> list[str]:
    """Names that the file has several times: to the others of a name, reading adds id or number."""
    ours = genes["gene"].isin(store.gene_names)
    names = [
        re.sub(r"_\d+$", "", gene).removesuffix(f"_{ensembl_id}")
        for gene, ensembl_id in genes.loc[~ours, ["gene", "ensembl_id"]].itertuples(index=False)
    ]
    known = set(genes.loc[ours, "gene"])
    return [name for name in names if name in known]


def _read(store: AtlasStore, cell_line: str, drug_name: str, dose_um: float) -> Condition | None:
    line = store.cell_line_catalog.find(cell_line)
    drug = store.drug_catalog.find(drug_name).drug
    if line is None or drug is None:
        return None
    condition = Condition(line, drug, None if np.isnan(dose_um) else float(dose_um))
    return None if store.row(condition) is None else condition
