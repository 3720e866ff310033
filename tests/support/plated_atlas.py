"""Atlases on plates: every drug of a plate shares what the plate adds, in each line its own way."""

from copy import copy

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Proposal, Selection, ValueKind

GENES = 40


class ByName:
    """Names the candidates in the order of their names: a list that reads nothing measured."""

    evidence = frozenset()

    def __init__(self, name):
        self.name = name

    def select(self, pool, k, view):
        """The first k."""
        del view
        return Selection(tuple(Proposal(drug) for drug in pool.drugs[:k]))


def plated_atlas(
    folder, *, lines=4, drugs=26, plates=2, by_plate=False, parents=None, genes=None, seed=0
):
    """An atlas whose drug b stands on plate ``b % plates``, or by_plate on all of them; opened.

    By plate, the last drug stands on the first one alone.

    A delta is the drug's effect, that of its plate in the line, and noise. ``parents`` are those of
    the drugs, each its own unless given, and ``genes`` the names of the 40 genes. By plate, deltas
    are kept for each of them.
    """
    rng = np.random.default_rng(seed)
    names = [f"D{b:02}" for b in range(drugs)]
    effect = rng.standard_normal((lines, drugs, GENES)) + rng.standard_normal((drugs, GENES))
    of_plate = 3 * rng.standard_normal((lines, plates, GENES))
    units, deltas = [], []
    for a in range(lines):
        for b in range(drugs):
            on = range(1 if b == drugs - 1 else plates) if by_plate else [b % plates]
            for plate in on:
                units.append((a * drugs + b, f"P{plate}"))
                noise = 0.1 * rng.standard_normal(GENES)
                deltas.append(effect[a, b] + of_plate[a, plate] + noise)
    table = pd.DataFrame(units, columns=["condition", "plate"])
    deltas = np.array(deltas, dtype=np.float32)
    means = pd.DataFrame(deltas).groupby(table["condition"]).mean().to_numpy(np.float32)
    keys = [(f"L{a}", name, 1.0) for a in range(lines) for name in names]
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])
    genes = pd.DataFrame({"gene": genes or [f"G{i}" for i in range(GENES)], "ensembl_id": ""})
    found = DeltaTable(
        conditions.assign(n_cells=np.nan, n_replicates=1.0, underpowered=False),
        means,
        genes.assign(in_panel=True, variability=1.0),
        ValueKind.LOG2FC,
        plates=table.assign(n_cells=np.nan, n_replicates=1.0, control="publisher"),
        plate_deltas=deltas if by_plate else None,
    )
    of = names if parents is None else parents
    about = {"drug": names, "parent": of, "smiles": "", "moa": "", "targets": "", "pubchem_cid": ""}
    build_atlas(
        found,
        folder,
        drugs=pd.DataFrame(about),
        cell_lines=annotate_lines([f"L{a}" for a in range(lines)], []),
        fingerprints=rng.integers(0, 256, (drugs, 256)).astype(np.uint8),
    )
    return open_atlas(folder.name, folder.parent)


def with_noise(store, rows):
    """The same atlas with other numbers in these rows, on all of their plates."""
    other = copy(store)
    rng = np.random.default_rng(1)
    deltas = np.array(store.deltas(np.arange(len(store.conditions)), all_genes=True))
    deltas[rows] += 100 * rng.standard_normal((int(np.sum(rows)), deltas.shape[1]))
    other._deltas = other._panel = deltas
    if store.plate_deltas is not None:
        units = np.asarray(rows)[store.plates["condition"].to_numpy()]
        kept = np.array(store.plate_deltas)
        kept[units] += 100 * rng.standard_normal((int(units.sum()), kept.shape[1]))
        other.plate_deltas = kept
    return other
