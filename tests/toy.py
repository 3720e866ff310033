"""A small atlas whose every number is known."""

import numpy as np
import pandas as pd

from lgr_core.atlas.annotate import annotate_drugs, annotate_lines
from lgr_core.atlas.build import build_atlas
from lgr_core.atlas.delta_table import DeltaTable
from lgr_core.domain import ValueKind
from lgr_core.drugs.chemistry import fingerprints

LINES = ("A549", "HepG2/C3A", "LoVo")
DRUGS = {
    "Trametinib": "CC1=C2C(=C(N(C1=O)C)NC3=C(C=C(C=C3)I)F)C(=O)N(C(=O)N2C4=CC=CC(=C4)NC(=O)C)C5CC5",
    "Cobimetinib": "C1CCNC(C1)C2(CN(C2)C(=O)C3=C(C(=C(C=C3)F)F)NC4=C(C=C(C=C4)I)F)O",
    "Tofacitinib": "CC1CCN(CC1N(C)C2=NC=NC3=C2C=CN3)C(=O)CC#N",
    "Tofacitinib (citrate)": "CC1CCN(CC1N(C)C2=NC=NC3=C2C=CN3)C(=O)CC#N.OC(=O)CC(O)(C(=O)O)CC(=O)O",
    "Topotecan (hydrochloride)": "CCC1(O)C(=O)OCC2=C1C=C3N(C2=O)CC4=CC5=C(C=CC(O)=C5CN(C)C)N=C43"
    ".Cl",
    "Vorinostat": "C1=CC=C(C=C1)NC(=O)CCCCCCC(=O)NO",
    "Mystery compound": "",
}
GENES = ("DUSP6", "EGR1", "CDKN1A", "MDM2", "FOS", "SOCS3", "HMGCS1", "ACTB")


def toy_table():
    """Every drug in every line at 5 uM, two also at 0.5 uM in A549; six of eight genes in panel.

    The delta of (line l, drug d, gene g) is known: it is l + 10 d + 100 g in places of these lists,
    minus 300 so that signs differ, and a tenth of that at the lower dose.
    """
    keys = [(line, drug, 5.0) for line in LINES for drug in DRUGS]
    keys += [("A549", "Trametinib", 0.5), ("A549", "Vorinostat", 0.5)]
    rng = np.random.default_rng(0)
    shuffled = [keys[i] for i in rng.permutation(len(keys))]
    conditions = pd.DataFrame(shuffled, columns=["cell_line", "drug", "dose_um"])
    conditions["n_cells"] = 50.0
    conditions["n_replicates"] = 1
    conditions["underpowered"] = False
    deltas = np.array([toy_delta(*key) for key in shuffled], dtype=np.float32)
    genes = pd.DataFrame({"gene": GENES, "ensembl_id": "", "in_panel": True, "variability": 1.0})
    genes.loc[[0, 7], "in_panel"] = False
    plates = pd.DataFrame(
        {"condition": range(len(keys)), "plate": "p1", "n_cells": 50, "control": "plate"}
    )
    controls = pd.DataFrame(
        {"cell_line": LINES, "plate": "p1", "label": "DMSO", "n_cells": [10, 20, np.nan]}
    )
    controls["n_replicates"] = [1, 1, 4]
    profiles = np.arange(24, dtype=np.float32).reshape(3, 8)
    return DeltaTable(
        conditions,
        deltas,
        genes,
        ValueKind.LOGNORM_DELTA,
        plates=plates,
        plate_deltas=deltas * 2,
        controls=controls,
        control_profiles=profiles,
        provenance={"control_labels": ["DMSO"], "normalisation": "toy"},
    )


def toy_delta(line, drug, dose):
    """The toy delta of a condition, (8,), in the order of GENES."""
    base = LINES.index(line) + 10 * list(DRUGS).index(drug) + 100 * np.arange(8) - 300
    return base * (0.1 if dose == 0.5 else 1.0)


def build_toy(folder, table=None, **options):
    """Write the toy atlas, or another table of its drugs and lines; returns its folder."""
    given = pd.DataFrame({"drug": list(DRUGS), "smiles": list(DRUGS.values())})
    drugs = annotate_drugs(sorted(DRUGS), [given])
    bits, _ = fingerprints(drugs["smiles"].tolist())
    return build_atlas(
        toy_table() if table is None else table,
        folder,
        drugs=drugs,
        cell_lines=annotate_lines(sorted(LINES), []),
        fingerprints=np.packbits(bits, axis=1),
        **options,
    )
