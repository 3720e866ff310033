"""Kriging, two-way regression and best evidence: exact where worlds are simple, gated everywhere."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy import DRUGS, LINES, build_toy, toy_table

from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.store import open_atlas
from lgr_core.domain import Evidence
from lgr_core.errors import NotFoundError
from lgr_core.evaluation.folds import make_folds
from lgr_core.evaluation.regimes import Regime
from lgr_core.prediction.best_evidence import BestEvidence, Route, Settings
from lgr_core.prediction.drug_kernels import MECHANISM, DrugKernels
from lgr_core.prediction.kriging import Kernel, Kriging
from lgr_core.prediction.means import PoolMeans
from lgr_core.prediction.two_way import Penalties, two_way_weights
from lgr_core.prediction.weighted import Term
from lgr_core.retrieval.blocks import FoldReader
from lgr_core.retrieval.pool import TrainingView

ADDITIVE = Settings(Penalties(lines=1e9, drugs=1e9))
"""Uniform means of lines and of drugs: exact where effects of lines and drugs add up."""


class Silent:
    """A language model that was never asked."""

    name = "llm"
    evidence = frozenset()

    def select(self, pool, k, view):
        """No answer."""
        raise NotFoundError(pool.query.drug, "no answer", "Ask.")


def kriging_of(reader, kernel=None):
    """Kriging from mechanisms and structures."""
    kernels = DrugKernels(reader.labels, lambda name: Silent())
    return Kriging(kernels, Kernel({MECHANISM: 1.0}, 1.0) if kernel is None else kernel)


def best_of(reader, settings=None):
    """Best evidence as the fold's regime makes it."""
    in_line = reader.fold is None or reader.fold.in_line
    return BestEvidence(kriging_of(reader), in_line=in_line, settings=settings)


def tested(store, regime):
    """Readers of a regime's folds and the blocks that they test."""
    for fold in make_folds(store, regime, 3):
        reader = FoldReader(store, fold)
        yield reader, list(reader.blocks(np.flatnonzero(fold.test)))


def world(folder, seed=0, *, lines=6, drugs=12, rank=2, missing=0.0):
    """An atlas of random lines and drugs whose effects are products of few factors, and noise."""
    rng = np.random.default_rng(seed)
    genes = 60
    factors = rng.standard_normal((rank, genes))
    of_line, of_drug = rng.standard_normal((lines, rank)) + 1, rng.standard_normal((drugs, rank))
    keys = [(f"L{a}", f"D{b:02}", 1.0) for a in range(lines) for b in range(drugs)]
    values = np.einsum("ar,br,rg->abg", of_line, of_drug, factors).reshape(-1, genes)
    values += 0.05 * rng.standard_normal(values.shape)
    kept = rng.random(len(keys)) >= missing
    table = toy_table()
    conditions = pd.DataFrame(keys, columns=["cell_line", "drug", "dose_um"])[kept]
    conditions = conditions.assign(n_cells=50.0, n_replicates=1, underpowered=False)
    names = pd.DataFrame({"gene": [f"G{i}" for i in range(genes)], "ensembl_id": ""})
    made = replace(
        table,
        conditions=conditions.reset_index(drop=True),
        deltas=values[kept].astype(np.float32),
        genes=names.assign(in_panel=True, variability=1.0),
        plates=table.plates.iloc[:0],
        plate_deltas=None,
        controls=table.controls.iloc[:0],
        control_profiles=None,
    )
    return build_world(made, folder)


def build_world(table, folder):
    """Write a table as an atlas and open it."""
    from lgr_core.atlas.annotate import annotate_drugs, annotate_lines  # noqa: PLC0415

    drugs = sorted(table.conditions["drug"].unique())
    lines = sorted(table.conditions["cell_line"].unique())
    build_atlas(
        table,
        folder,
        drugs=annotate_drugs(drugs, []),
        cell_lines=annotate_lines(lines, []),
        fingerprints=np.zeros((len(drugs), 256), dtype=np.uint8),
    )
    return open_atlas(folder.name, folder.parent)
