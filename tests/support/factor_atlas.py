"""Worlds whose rule is known: effects that are products of few factors of lines and of drugs."""

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import ValueKind

GENES = 60


def build_world(
    folder, *, lines=8, drugs=14, noise=0.05, missing=0.0, vehicles=False, shared=0.0, seed=0
):
    """An atlas of effects ``(a_l . b_d) f`` over two factors f, plus noise; opened.

    ``missing`` is the share of conditions left out at random, ``vehicles`` whether there are
    vehicle profiles, which then hold the lines' own factors; ``shared`` is the size of an effect
    that all drugs of a line have in common.
    """
    rng = np.random.default_rng(seed)
    factors = rng.standard_normal((2, GENES))
    of_line, of_drug = rng.standard_normal((lines, 2)) + 1, rng.standard_normal((drugs, 2))
    deltas = np.einsum("ar,br,rg->abg", of_line, of_drug, factors)
    if shared:
        deltas += shared * rng.standard_normal((lines, 1, GENES))
    deltas += noise * rng.standard_normal((lines * drugs, GENES)).reshape(deltas.shape)
    kept = rng.random(lines * drugs) >= missing
    profiles = (of_line @ factors).astype(np.float32)
    return world_of(folder, deltas, kept.reshape(lines, drugs), profiles if vehicles else None)


def world_of(folder, deltas, kept=None, profiles=None):
    """An atlas of these effects, (n_lines, n_drugs, GENES), of which ``kept`` were measured.

    Lines are L0, L1 ..., drugs D00, D01 ...; ``profiles``, (n_lines, GENES), are of vehicle.
    """
    lines, drugs, _ = deltas.shape
    deltas = deltas.reshape(-1, GENES)
    keys = [(f"L{a}", f"D{b:02}", 1.0) for a in range(lines) for b in range(drugs)]
    kept = np.ones(len(keys), dtype=bool) if kept is None else kept.ravel()
    vehicles = profiles is not None
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])[kept]
    genes = pd.DataFrame({"gene": [f"G{i}" for i in range(GENES)], "ensembl_id": ""})
    names = sorted(set(conditions["cell_line"]))
    controls = pd.DataFrame({"cell_line": names, "plate": "", "label": "DMSO", "n_cells": 10.0})
    table = DeltaTable(
        conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False).reset_index(drop=True),
        deltas[kept].astype(np.float32),
        genes.assign(in_panel=True, variability=1.0),
        ValueKind.LOG2FC,
        **({"controls": controls.assign(n_replicates=1)} if vehicles else {}),
        control_profiles=profiles[[int(name[1:]) for name in names]] if vehicles else None,
    )
    known = sorted(set(conditions["drug"]))
    build_atlas(
        table,
        folder,
        drugs=annotate_drugs(known, []),
        cell_lines=annotate_lines(names, []),
        fingerprints=np.zeros((len(known), 256), dtype=np.uint8),
    )
    return open_atlas(folder.name, folder.parent)
